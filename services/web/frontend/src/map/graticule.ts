/** Parallels and meridians: faint on the land where there is no weather, and as faint again above the weather. */

import { type Frame, STRETCH, type View, visible } from "./view";

const STEP_DEGREES = 30;

export function drawGraticule(context: CanvasRenderingContext2D, view: View, frame: Frame, color: string): void {
  const seen = visible(view, frame);
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  for (let lon = Math.ceil(seen.west / STEP_DEGREES) * STEP_DEGREES; lon <= seen.east; lon += STEP_DEGREES) {
    const x = Math.round(frame.width / 2 + (lon - view.longitude) * view.scale) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, frame.height);
  }
  for (let lat = -60; lat <= 60; lat += STEP_DEGREES) {
    const y = Math.round(frame.height / 2 - (lat - view.latitude) * view.scale * STRETCH) + 0.5;
    context.moveTo(0, y);
    context.lineTo(frame.width, y);
  }
  context.stroke();
}
