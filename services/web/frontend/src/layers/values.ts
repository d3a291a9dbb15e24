/** A layer's value for every cell, NaN where there is none. Pure. */

import { ageSeconds } from "../state/freshness";
import { type Cells, isFilled } from "../state/store";
import type { Shown } from "../time/shown";
import type { LayerId } from "./layers";

export function layerValues(layer: LayerId, shown: Shown, cells: Cells, nowSeconds: number): Float32Array {
  switch (layer) {
    case "temperature":
      return shown.temperature;
    case "wind":
      return shown.speed;
    case "age":
      return Float32Array.from(cells.source, (_, cell) =>
        isFilled(cells, cell) ? ageSeconds(cells, cell, nowSeconds) / 3_600 : Number.NaN,
      );
  }
}
