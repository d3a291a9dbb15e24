/** How the values are drawn, as the reader has chosen it. */

import { LAYERS, type Layer } from "../layers/layers";
import type { Fill, Prefs } from "../prefs";
import type { MapColors } from "../theme";
import type { Unit } from "../units";

export interface Style {
  readonly layer: Layer;
  readonly colors: MapColors;
  readonly fill: Fill;
  readonly arrows: boolean;
  /** The unit whose round values get lines; null for none. */
  readonly isotherms: Unit | null;
  /** The unit of the layer's values. */
  readonly unit: Unit;
}

export function styleOf(prefs: Prefs, colors: MapColors): Style {
  const layer = LAYERS[prefs.layer];
  const { fill, arrows, isotherms } = prefs;
  return {
    layer,
    fill,
    colors,
    arrows: arrows ?? layer.arrows,
    isotherms: (isotherms ?? layer.isotherms) ? LAYERS.temperature.unit(prefs) : null,
    unit: layer.unit(prefs),
  };
}
