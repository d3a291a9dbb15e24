/** The weather itself, drawn by Plotly: a heatmap of a grid, or coloured marks where there is none. */

import type { Layer } from "../layers/layers";
import { plotlyScale } from "../layers/scales";
import type { Fill } from "../prefs";
import type { MapColors } from "../theme";
import type { Grid } from "./grid";
import { drawMarks, POINT_EDGE_PX, POINT_SIZE_PX } from "./marks";
import type { Weather } from "./picture";
import { newPlot, react, redrawHeatmap, relayout } from "./plotly";
import { centreOf, type Picture, pictureOf, type Raster, smooth, smoothingFactor } from "./smooth";
import { type Frame, type View, visible } from "./view";

export interface FieldScene {
  readonly longitude: Float64Array;
  readonly latitude: Float64Array;
  /** One a cell, NaN where there is none. */
  readonly values: Float32Array;
  readonly grid: Grid | null;
  readonly layer: Layer;
  readonly fill: Fill;
  readonly colors: MapColors;
  readonly view: View;
  readonly frame: Frame;
}

type Fields = Record<string, unknown>;

const RASTER_SAMPLES = 16_000;
const CLEAR = "rgba(0,0,0,0)";

export class Field {
  #scene: FieldScene | null = null;
  #raster: Raster | null = null;
  /** What the last whole drawing was made for: as long as it stays the same, only values have changed. */
  #shape = "";

  constructor(private readonly element: HTMLElement) {}

  draw(scene: FieldScene): void {
    const { grid, values, fill } = scene;
    const factor = grid === null || fill === "cells" ? 1 : smoothingFactor(grid, RASTER_SAMPLES);
    this.#raster = grid === null ? null : smooth(grid, values, factor);
    this.#draw(scene);
  }

  /** Moves what is drawn; the values stay as they are. */
  look(view: View, frame: Frame): void {
    if (this.#scene === null) {
      return;
    }
    const scene = { ...this.#scene, view, frame };
    if (this.#raster?.wraps === true && centreOf(view.longitude) !== centreOf(this.#scene.view.longitude)) {
      this.#draw(scene);
      return;
    }
    const { x, y } = ranges(view, frame);
    this.#scene = scene;
    this.#shape = shapeOf(scene, this.#raster);
    void relayout(this.element, { "xaxis.range": x, "yaxis.range": y });
  }

  /** What is drawn, for a picture to be taken away; null while there is nothing. */
  get weather(): Weather | null {
    const scene = this.#scene;
    if (scene !== null && scene.grid === null) {
      return (context) => drawMarks(context, scene);
    }
    return this.element.querySelector<SVGImageElement>(".heatmaplayer image");
  }

  #draw(scene: FieldScene): void {
    const picture = this.#raster === null ? null : pictureOf(this.#raster, scene.view.longitude);
    const shape = shapeOf(scene, this.#raster);
    const first = this.#scene === null;
    this.#scene = scene;
    if (picture !== null && shape === this.#shape && redrawHeatmap(this.element, picture.rows)) {
      return;
    }
    this.#shape = shape;
    const { width, height } = scene.frame;
    const { x, y } = ranges(scene.view, scene.frame);
    const layout = {
      width,
      height,
      uirevision: "isotherm",
      showlegend: false,
      hovermode: false,
      dragmode: false,
      margin: { l: 0, r: 0, t: 0, b: 0 },
      paper_bgcolor: CLEAR,
      plot_bgcolor: CLEAR,
      xaxis: axis(x),
      yaxis: axis(y),
    };
    const traces = picture === null ? [marks(scene)] : [heatmap(picture, scene)];
    const config = { staticPlot: true, displayModeBar: false, responsive: false };
    void (first ? newPlot : react)(this.element, traces, layout, config);
  }
}

function shapeOf({ layer, fill, colors, view, frame }: FieldScene, raster: Raster | null): string {
  const size = raster === null ? [] : [raster.rows, raster.columns, raster.x0, raster.y0];
  const at = [view.longitude, view.latitude, view.scale, frame.width, frame.height];
  return [layer.id, fill, colors.fieldOpacity, ...size, ...at].join();
}

function heatmap(picture: Picture, { layer, fill, colors }: FieldScene): Fields {
  return {
    type: "heatmap",
    z: picture.rows,
    x0: picture.x0,
    dx: picture.dx,
    y0: picture.y0,
    dy: picture.dy,
    zmin: layer.scale.low,
    zmax: layer.scale.high,
    colorscale: plotlyScale(layer.scale),
    zsmooth: fill === "cells" ? false : "fast",
    showscale: false,
    opacity: colors.fieldOpacity,
  };
}

function marks({ longitude, latitude, values, layer, colors, frame }: FieldScene): Fields {
  const known = Array.from(values.keys()).filter((cell) => !Number.isNaN(values[cell]));
  const turns = frame.wraps ? [-360, 0, 360] : [0];
  return {
    type: "scatter",
    mode: "markers",
    x: turns.flatMap((degrees) => known.map((cell) => (longitude[cell] as number) + degrees)),
    y: turns.flatMap(() => known.map((cell) => latitude[cell])),
    cliponaxis: false,
    marker: {
      size: POINT_SIZE_PX,
      color: turns.flatMap(() => known.map((cell) => values[cell])),
      cmin: layer.scale.low,
      cmax: layer.scale.high,
      colorscale: plotlyScale(layer.scale),
      line: { width: POINT_EDGE_PX, color: colors.pointEdge },
    },
  };
}

function ranges(view: View, frame: Frame): { x: [number, number]; y: [number, number] } {
  const seen = visible(view, frame);
  return { x: [seen.west, seen.east], y: [seen.south, seen.north] };
}

function axis(range: readonly [number, number]): Fields {
  return { range, autorange: false, visible: false, fixedrange: true };
}
