/** The land under the weather: seen where there are no values yet, and around a region. */

import { fitCanvas } from "./canvas";
import { type Frame, project, STRETCH, turn, type View, visible } from "./view";
import type { World } from "./world";

export interface BasemapColors {
  readonly sea: string;
  readonly land: string;
  readonly graticule: string;
}

const GRATICULE_STEP = 30;

export function drawBasemap(
  canvas: HTMLCanvasElement,
  world: World | null,
  view: View,
  frame: Frame,
  colors: BasemapColors,
): void {
  const context = fitCanvas(canvas, frame.width, frame.height);
  context.fillStyle = colors.sea;
  context.fillRect(0, 0, frame.width, frame.height);
  if (world === null) {
    return;
  }
  const seen = visible(view, frame);
  const middle = project(view, frame, view.longitude, 0);
  const toY = (latitude: number): number => middle.y - latitude * view.scale * STRETCH;
  context.fillStyle = colors.land;
  for (const shift of [-360, 0, 360]) {
    const toX = (longitude: number): number =>
      frame.width / 2 + (longitude + shift - turn(view.longitude)) * view.scale;
    if (toX(180) < 0 || toX(-180) > frame.width) {
      continue;
    }
    context.beginPath();
    for (const ring of world.land) {
      for (let index = 0; index < ring.length; index += 2) {
        const x = toX(ring[index] as number);
        const y = toY(ring[index + 1] as number);
        if (index === 0) {
          context.moveTo(x, y);
        } else {
          context.lineTo(x, y);
        }
      }
      context.closePath();
    }
    context.fill("evenodd");
  }
  context.strokeStyle = colors.graticule;
  context.lineWidth = 1;
  context.beginPath();
  for (let lon = Math.ceil(seen.west / GRATICULE_STEP) * GRATICULE_STEP; lon <= seen.east; lon += GRATICULE_STEP) {
    const x = Math.round(frame.width / 2 + (lon - view.longitude) * view.scale) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, frame.height);
  }
  for (let lat = -60; lat <= 60; lat += GRATICULE_STEP) {
    const y = Math.round(toY(lat)) + 0.5;
    context.moveTo(0, y);
    context.lineTo(frame.width, y);
  }
  context.stroke();
}
