/** What moves above the heatmap: marks of recent changes, the chosen and the pointed-at cell. */

import { type Highlights, PULSE_MS, STILL_MS } from "../highlight";
import { fitCanvas } from "./canvas";
import type { Grid } from "./grid";
import { type Frame, project, STRETCH, type View } from "./view";

export interface OverlayScene {
  readonly view: View;
  readonly frame: Frame;
  readonly grid: Grid | null;
  readonly latitude: Float64Array;
  readonly longitude: Float64Array;
  readonly mark: string;
  readonly markEdge: string;
  readonly selected: number;
  readonly hovered: number;
  readonly crosshair: boolean;
  readonly reducedMotion: boolean;
}

const POINT_RADIUS_PX = 11;
const PULSE_INSET_PX = 2;

export function drawOverlay(
  canvas: HTMLCanvasElement,
  scene: OverlayScene,
  highlights: Highlights,
  nowMs: number,
): void {
  const { frame } = scene;
  const context = fitCanvas(canvas, frame.width, frame.height);
  context.lineJoin = "round";
  context.lineCap = "round";
  const duration = scene.reducedMotion ? STILL_MS : PULSE_MS;
  highlights.each(nowMs, duration, (cell, progress) => drawPulse(context, scene, cell, progress));
  context.globalAlpha = 1;
  if (scene.hovered >= 0 && scene.hovered !== scene.selected) {
    outline(context, scene, scene.hovered, 0, 1.5, 0.9);
  }
  if (scene.selected >= 0) {
    outline(context, scene, scene.selected, 0, 2.5, 1);
  }
  if (scene.crosshair) {
    drawCrosshair(context, scene);
  }
}

function drawPulse(context: CanvasRenderingContext2D, scene: OverlayScene, cell: number, progress: number): void {
  if (scene.reducedMotion) {
    outline(context, scene, cell, PULSE_INSET_PX, 1.5, 0.8);
    return;
  }
  const ease = 1 - (1 - progress) ** 3;
  const { x, y, halfWidth, halfHeight } = box(scene, cell);
  const size = 0.5 + 0.5 * ease;
  const fade = (1 - progress) ** 1.6;
  path(context, scene, x, y, halfWidth * size - PULSE_INSET_PX, halfHeight * size - PULSE_INSET_PX);
  context.globalAlpha = 0.3 * fade;
  context.fillStyle = scene.mark;
  context.fill();
  context.globalAlpha = 0.95 * fade;
  context.strokeStyle = scene.mark;
  context.lineWidth = 1.75;
  context.stroke();
}

function outline(
  context: CanvasRenderingContext2D,
  scene: OverlayScene,
  cell: number,
  inset: number,
  width: number,
  alpha: number,
): void {
  const { x, y, halfWidth, halfHeight } = box(scene, cell);
  path(context, scene, x, y, halfWidth - inset, halfHeight - inset);
  context.globalAlpha = alpha;
  context.strokeStyle = scene.markEdge;
  context.lineWidth = width + 2;
  context.stroke();
  context.strokeStyle = scene.mark;
  context.lineWidth = width;
  context.stroke();
}

function box(scene: OverlayScene, cell: number): { x: number; y: number; halfWidth: number; halfHeight: number } {
  const { view, frame, grid } = scene;
  const { x, y } = project(view, frame, scene.longitude[cell] as number, scene.latitude[cell] as number);
  return grid === null
    ? { x, y, halfWidth: POINT_RADIUS_PX, halfHeight: POINT_RADIUS_PX }
    : {
        x,
        y,
        halfWidth: (grid.longitudeStep / 2) * view.scale,
        halfHeight: (grid.latitudeStep / 2) * view.scale * STRETCH,
      };
}

function path(
  context: CanvasRenderingContext2D,
  scene: OverlayScene,
  x: number,
  y: number,
  halfWidth: number,
  halfHeight: number,
): void {
  const across = Math.max(1, halfWidth);
  const down = Math.max(1, halfHeight);
  const corner = scene.grid === null ? across : Math.min(8, across / 3, down / 3);
  context.beginPath();
  context.roundRect(x - across, y - down, 2 * across, 2 * down, corner);
}

function drawCrosshair(context: CanvasRenderingContext2D, scene: OverlayScene): void {
  const x = scene.frame.width / 2;
  const y = scene.frame.height / 2;
  for (const [color, width] of [
    [scene.markEdge, 4],
    [scene.mark, 1.75],
  ] as const) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    for (const [sx, sy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      context.moveTo(x + 5 * sx, y + 5 * sy);
      context.lineTo(x + 14 * sx, y + 14 * sy);
    }
    context.stroke();
  }
}
