/** What moves above the heatmap: wind arrows, marks of recent changes, the chosen and the pointed-at cell. */

import { type Highlights, PULSE_MS, STILL_MS } from "../highlight";
import { fitCanvas } from "./canvas";
import type { Grid } from "./grid";
import { type Frame, project, STRETCH, type View, visible } from "./view";
import { type WindField, windAt } from "./wind";

export interface OverlayScene {
  readonly view: View;
  readonly frame: Frame;
  readonly grid: Grid | null;
  readonly latitude: Float64Array;
  readonly longitude: Float64Array;
  /** Null: no arrows. */
  readonly wind: WindField | null;
  readonly ink: string;
  readonly mark: string;
  readonly markEdge: string;
  readonly selected: number;
  readonly hovered: number;
  readonly crosshair: boolean;
  readonly reducedMotion: boolean;
}

const ARROW_SPACING_PX = 46;
const ARROW_STEPS = [0.25, 0.5, 1, 2, 2.5, 5, 7.5, 10, 15, 20, 30];
const CALM_MPS = 0.5;
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
  if (scene.wind !== null) {
    drawArrows(context, scene, scene.wind);
  }
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

function drawArrows(context: CanvasRenderingContext2D, scene: OverlayScene, wind: WindField): void {
  context.strokeStyle = scene.ink;
  context.fillStyle = scene.ink;
  context.lineWidth = 1.35;
  const { view, frame, grid } = scene;
  if (grid === null) {
    for (let cell = 0; cell < scene.latitude.length; cell += 1) {
      const { x, y } = project(view, frame, scene.longitude[cell] as number, scene.latitude[cell] as number);
      drawArrow(context, x, y - 2 * POINT_RADIUS_PX, wind.u[cell] as number, wind.v[cell] as number);
    }
    return;
  }
  const seen = visible(view, frame);
  const step = ARROW_STEPS.find((degrees) => degrees * view.scale >= ARROW_SPACING_PX) ?? 30;
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
