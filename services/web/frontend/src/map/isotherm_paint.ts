/** Draws isotherms and writes their values on them where there is room. */

import type { LineColors } from "../theme";
import type { Line } from "./isotherms";
import { type Frame, STRETCH, turn, type View } from "./view";

const WIDTH_PX = 1;
const MAIN_WIDTH_PX = 2;
const LABEL_EVERY_PX = 420;
const LABEL_ROOM_PX = 46;
const SHORTEST_PX = 60;
/** A line around the world runs on for a whole turn, so that it may be seen from two turns away. */
const TURNS_DEGREES = [-720, -360, 0, 360, 720];
const FONT = "600 11px system-ui, sans-serif";

export interface Isotherms {
  readonly lines: readonly Line[];
  /** The level that is drawn stronger: freezing. */
  readonly main: number;
  label(level: number): string;
}

export function drawIsotherms(
  context: CanvasRenderingContext2D,
  { lines, main, label }: Isotherms,
  view: View,
  frame: Frame,
  ink: LineColors,
): void {
  const taken: { x: number; y: number }[] = [];
  context.strokeStyle = ink.isotherms;
  context.font = FONT;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const line of lines) {
    context.lineWidth = Math.abs(line.level - main) < 1e-6 ? MAIN_WIDTH_PX : WIDTH_PX;
    for (const shift of frame.wraps ? TURNS_DEGREES : [0]) {
      const onScreen = project(line, shift, view, frame);
      if (onScreen !== null) {
        stroke(context, onScreen);
        write(context, onScreen, label(line.level), frame, ink, taken);
        context.strokeStyle = ink.isotherms;
      }
    }
  }
}

/** The line's points in pixels; null when none of it can be seen. */
function project(line: Line, shift: number, view: View, frame: Frame): Float32Array | null {
  const { points } = line;
  const middle = frame.wraps ? turn(view.longitude) : view.longitude;
  const half = frame.width / (2 * view.scale);
  if (line.east + shift < middle - half || line.west + shift > middle + half) {
    return null;
  }
  const out = new Float32Array(points.length);
  let seen = false;
  for (let index = 0; index < points.length; index += 2) {
    const x = frame.width / 2 + ((points[index] as number) + shift - middle) * view.scale;
    const y = frame.height / 2 - ((points[index + 1] as number) - view.latitude) * view.scale * STRETCH;
    out[index] = x;
    out[index + 1] = y;
    seen ||= x > -50 && x < frame.width + 50 && y > -50 && y < frame.height + 50;
  }
  return seen ? out : null;
}

function stroke(context: CanvasRenderingContext2D, points: Float32Array): void {
  context.beginPath();
  context.moveTo(points[0] as number, points[1] as number);
  for (let index = 2; index < points.length; index += 2) {
    context.lineTo(points[index] as number, points[index + 1] as number);
  }
  context.stroke();
}

function write(
  context: CanvasRenderingContext2D,
  points: Float32Array,
  text: string,
  frame: Frame,
  ink: LineColors,
  taken: { x: number; y: number }[],
): void {
  let along = 0;
  let due = SHORTEST_PX;
  for (let index = 2; index < points.length; index += 2) {
    const x = points[index] as number;
    const y = points[index + 1] as number;
    const dx = x - (points[index - 2] as number);
    const dy = y - (points[index - 1] as number);
    along += Math.hypot(dx, dy);
    const inside = x > 20 && x < frame.width - 20 && y > 20 && y < frame.height - 20;
    if (along >= due && inside && !taken.some((at) => Math.hypot(at.x - x, at.y - y) < LABEL_ROOM_PX)) {
      taken.push({ x, y });
      due = along + LABEL_EVERY_PX;
      const angle = Math.atan2(dy, dx);
      context.save();
      context.translate(x, y);
      context.rotate(Math.abs(angle) > Math.PI / 2 ? angle + Math.PI : angle);
      context.strokeStyle = ink.halo;
      context.lineWidth = 3;
      context.strokeText(text, 0, 0);
      context.fillStyle = ink.coast;
      context.fillText(text, 0, 0);
      context.restore();
    }
  }
}
