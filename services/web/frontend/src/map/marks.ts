/** Coloured marks of places that lie on no grid, drawn without Plotly: for pictures. */

import { colorOf } from "../layers/scales";
import type { FieldScene } from "./field";
import { STRETCH } from "./view";

export const POINT_SIZE_PX = 20;
export const POINT_EDGE_PX = 1.5;

export function drawMarks(context: CanvasRenderingContext2D, scene: FieldScene): void {
  const { view, frame, values, layer, colors } = scene;
  context.lineWidth = POINT_EDGE_PX;
  context.strokeStyle = colors.pointEdge;
  for (let cell = 0; cell < values.length; cell += 1) {
    const value = values[cell] as number;
    if (Number.isNaN(value)) {
      continue;
    }
    context.fillStyle = colorOf(layer.scale, value);
    const y = frame.height / 2 - ((scene.latitude[cell] as number) - view.latitude) * view.scale * STRETCH;
    for (const turn of frame.wraps ? [-360, 0, 360] : [0]) {
      const x = frame.width / 2 + ((scene.longitude[cell] as number) + turn - view.longitude) * view.scale;
      context.beginPath();
      context.arc(x, y, POINT_SIZE_PX / 2, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }
}
