/** The land under the weather: seen where there are no values yet, and around a region. */

import { fitCanvas } from "./canvas";
import { inDegrees, type WorldPaths } from "./lines";
import { type Frame, STRETCH, type View, visible } from "./view";

export interface BasemapColors {
  readonly sea: string;
  readonly land: string;
  readonly graticule: string;
}

const GRATICULE_STEP = 30;

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
  const seen = visible(view, frame);
  context.strokeStyle = colors.graticule;
  context.lineWidth = 1;
  context.beginPath();
  for (let lon = Math.ceil(seen.west / GRATICULE_STEP) * GRATICULE_STEP; lon <= seen.east; lon += GRATICULE_STEP) {
    const x = Math.round(frame.width / 2 + (lon - view.longitude) * view.scale) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, frame.height);
  }
  for (let lat = -60; lat <= 60; lat += GRATICULE_STEP) {
    const y = Math.round(frame.height / 2 - (lat - view.latitude) * view.scale * STRETCH) + 0.5;
    context.moveTo(0, y);
    context.lineTo(frame.width, y);
  }
  context.stroke();
}
