/** Above the heatmap: coastlines and borders, which change with the view; isotherms and arrows, which change with the data too. */

import type { LineColors } from "../theme";
import { drawArrows } from "./arrows";
import { fitCanvas } from "./canvas";
import { drawGraticule } from "./graticule";
import type { Grid } from "./grid";
import { drawIsotherms, type Isotherms } from "./isotherm_paint";
import { type Frame, STRETCH, turn, type View } from "./view";
import type { WindField } from "./wind";
import type { World } from "./world";

const COAST_WIDTH_PX = 1.1;
const BORDER_WIDTH_PX = 0.6;

export interface WorldPaths {
  readonly land: Path2D;
  readonly coast: Path2D;
  readonly borders: Path2D;
}

export interface WeatherLines {
  readonly view: View;
  readonly frame: Frame;
  readonly grid: Grid | null;
  readonly latitude: Float64Array;
  readonly longitude: Float64Array;
  /** Null: no arrows. */
  readonly wind: WindField | null;
  /** Null: no isotherms. */
  readonly isotherms: Isotherms | null;
  readonly ink: LineColors;
}

/** The shapes as paths in degrees, latitudes stretched and downward: one transformation away from the screen. */
export function worldPaths(world: World): WorldPaths {
  const path = (lines: readonly Float32Array[], closed: boolean): Path2D => {
    const out = new Path2D();
    for (const line of lines) {
      for (let index = 0; index < line.length; index += 2) {
        const y = -(line[index + 1] as number) * STRETCH;
        if (index === 0) {
          out.moveTo(line[index] as number, y);
        } else {
          out.lineTo(line[index] as number, y);
        }
      }
      if (closed) {
        out.closePath();
      }
    }
    return out;
  };
  return { land: path(world.land, true), coast: path(world.coast, false), borders: path(world.borders, false) };
}

/** Calls `draw` with the context in degrees, once for each turn of the world that can be seen. */
export function inDegrees(context: CanvasRenderingContext2D, view: View, frame: Frame, draw: () => void): void {
  const middle = turn(view.longitude);
  const half = frame.width / (2 * view.scale);
  for (const shift of [-360, 0, 360]) {
    // Land that crosses the antimeridian runs on beyond it, a whole turn at the most.
    if (shift + 180 < middle - half || shift - 540 > middle + half) {
      continue;
    }
    context.save();
    context.translate(frame.width / 2, frame.height / 2);
    context.scale(view.scale, view.scale);
    context.translate(shift - middle, view.latitude * STRETCH);
    draw();
    context.restore();
  }
}

export function drawCoasts(
  canvas: HTMLCanvasElement,
  paths: WorldPaths | null,
  view: View,
  frame: Frame,
  ink: LineColors,
): void {
  const context = fitCanvas(canvas, frame.width, frame.height);
  drawGraticule(context, view, frame, ink.graticule);
  context.lineJoin = "round";
  context.lineCap = "round";
  if (paths !== null) {
    inDegrees(context, view, frame, () => {
      context.strokeStyle = ink.borders;
      context.lineWidth = BORDER_WIDTH_PX / view.scale;
      context.stroke(paths.borders);
      context.strokeStyle = ink.coast;
      context.lineWidth = COAST_WIDTH_PX / view.scale;
      context.stroke(paths.coast);
    });
  }
}

export function drawWeatherLines(canvas: HTMLCanvasElement, scene: WeatherLines): void {
  const context = fitCanvas(canvas, scene.frame.width, scene.frame.height);
  context.lineJoin = "round";
  context.lineCap = "round";
  if (scene.isotherms !== null) {
    drawIsotherms(context, scene.isotherms, scene.view, scene.frame, scene.ink);
  }
  if (scene.wind !== null) {
    drawArrows(context, scene, scene.wind);
  }
}
