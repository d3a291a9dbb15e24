/** Wind arrows, evenly spread over the screen whatever the zoom, each flying with the wind. */

import type { WeatherLines } from "./lines";
import { project, STRETCH, visible } from "./view";
import { type WindField, windAt } from "./wind";

const SPACING_PX = 37;
/** Degrees between arrows, so that they stay where they are while the map is moved. */
const STEPS = [0.25, 0.5, 1, 2, 2.5, 5, 7.5, 10, 12, 15, 20, 30];
const CALM_MPS = 0.5;
/** Above a location's own mark. */
const POINT_OFFSET_PX = 22;

export function drawArrows(context: CanvasRenderingContext2D, scene: WeatherLines, wind: WindField): void {
  context.strokeStyle = scene.ink.arrows;
  context.fillStyle = scene.ink.arrows;
  context.lineWidth = 1.35;
  const { view, frame, grid } = scene;
  if (grid === null) {
    for (let cell = 0; cell < scene.latitude.length; cell += 1) {
      const { x, y } = project(view, frame, scene.longitude[cell] as number, scene.latitude[cell] as number);
      drawArrow(context, x, y - POINT_OFFSET_PX, wind.u[cell] as number, wind.v[cell] as number);
    }
    return;
  }
  const seen = visible(view, frame);
  const step = STEPS.find((degrees) => degrees * view.scale >= SPACING_PX) ?? 30;
  const south = Math.max(seen.south, frame.bounds.south);
  const north = Math.min(seen.north, frame.bounds.north);
  for (let row = Math.ceil(south / step); row * step <= north; row += 1) {
    const offset = row % 2 === 0 ? 0 : step / 2;
    const latitude = row * step;
    for (let column = Math.ceil((seen.west - offset) / step); column * step + offset <= seen.east; column += 1) {
      const longitude = column * step + offset;
      const found = windAt(grid, wind, longitude, latitude);
      if (found !== null) {
        const x = frame.width / 2 + (longitude - view.longitude) * view.scale;
        const y = frame.height / 2 - (latitude - view.latitude) * view.scale * STRETCH;
        drawArrow(context, x, y, found.u, found.v);
      }
    }
  }
}

/** An arrow that flies with the wind, centred on its place. */
function drawArrow(context: CanvasRenderingContext2D, x: number, y: number, u: number, v: number): void {
  const speed = Math.hypot(u, v);
  if (Number.isNaN(speed)) {
    return;
  }
  if (speed < CALM_MPS) {
    context.beginPath();
    context.arc(x, y, 1.5, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  const length = Math.min(30, 6 + 5.2 * Math.sqrt(speed));
  const dx = (u / speed) * length;
  const dy = (-v / speed) * length;
  const tipX = x + dx / 2;
  const tipY = y + dy / 2;
  const head = 0.3;
  context.beginPath();
  context.moveTo(x - dx / 2, y - dy / 2);
  context.lineTo(tipX, tipY);
  context.moveTo(tipX - head * (dx + 0.6 * dy), tipY - head * (dy - 0.6 * dx));
  context.lineTo(tipX, tipY);
  context.lineTo(tipX - head * (dx - 0.6 * dy), tipY - head * (dy + 0.6 * dx));
  context.stroke();
}
