/** The land under the weather: seen where there are no values yet, and around a region. */

import { fitCanvas } from "./canvas";
import { drawGraticule } from "./graticule";
import { inDegrees, type WorldPaths } from "./lines";
import type { Frame, View } from "./view";

export interface BasemapColors {
  readonly sea: string;
  readonly land: string;
  readonly graticule: string;
}

export function drawBasemap(
  canvas: HTMLCanvasElement,
  paths: WorldPaths | null,
  view: View,
  frame: Frame,
  colors: BasemapColors,
): void {
  const context = fitCanvas(canvas, frame.width, frame.height);
  context.fillStyle = colors.sea;
  context.fillRect(0, 0, frame.width, frame.height);
  if (paths !== null) {
    context.fillStyle = colors.land;
    inDegrees(context, view, frame, () => context.fill(paths.land, "evenodd"));
  }
  drawGraticule(context, view, frame, colors.graticule);
}
