/** Coloured marks of places that lie on no grid: a canvas takes thousands of them at once. */

import type { Layer } from "../layers/layers";
import { colorOf } from "../layers/scales";
import type { MapColors } from "../theme";
import { fitCanvas } from "./canvas";
import type { Grid } from "./grid";
import { type Frame, STRETCH, type View } from "./view";

const RADIUS_PX = 10;
const EDGE_PX = 1.5;

export interface MarksScene {
  readonly longitude: Float64Array;
  readonly latitude: Float64Array;
  /** The places of a grid have no marks. */
  readonly grid: Grid | null;
  /** One a place, NaN where there is none; null while there are none at all. */
  readonly values: Float32Array | null;
  readonly layer: Layer;
  readonly colors: MapColors;
  readonly view: View;
  readonly frame: Frame;
}

export function drawMarks(canvas: HTMLCanvasElement, scene: MarksScene): void {
  const { view, frame, grid, values, layer, colors } = scene;
  if (grid !== null) {
    // One pixel: a whole canvas would cost memory and time with every update of a grid.
    if (canvas.width !== 1) {
      canvas.width = 1;
      canvas.height = 1;
    }
    return;
  }
  const context = fitCanvas(canvas, frame.width, frame.height);
  if (values === null) {
    return;
  }
  context.lineWidth = EDGE_PX;
  context.strokeStyle = colors.pointEdge;
  for (let place = 0; place < values.length; place += 1) {
    const value = values[place] as number;
    if (Number.isNaN(value)) {
      continue;
    }
    context.fillStyle = colorOf(layer.scale, value);
    const y = frame.height / 2 - ((scene.latitude[place] as number) - view.latitude) * view.scale * STRETCH;
    for (const turn of frame.wraps ? [-360, 0, 360] : [0]) {
      const x = frame.width / 2 + ((scene.longitude[place] as number) + turn - view.longitude) * view.scale;
      if (x > -RADIUS_PX && x < frame.width + RADIUS_PX && y > -RADIUS_PX && y < frame.height + RADIUS_PX) {
        context.beginPath();
        context.arc(x, y, RADIUS_PX, 0, 2 * Math.PI);
        context.fill();
        context.stroke();
      }
    }
  }
}
