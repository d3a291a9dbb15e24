/** The weather of a grid, drawn by Plotly as a heatmap. */

import type { Layer } from "../layers/layers";
import { plotlyScale } from "../layers/scales";
import type { Fill } from "../prefs";
import type { MapColors } from "../theme";
import type { Grid } from "./grid";
import { newPlot, purge, react, redrawHeatmap, relayout } from "./plotly";
import { centreOf, type Picture, pictureOf, type Raster, smooth, smoothingFactor } from "./smooth";
import { type Frame, type View, visible } from "./view";

export interface FieldScene {
  /** One a cell, NaN where there is none. */
  readonly values: Float32Array;
  readonly grid: Grid;
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
  #drawn: { readonly scene: FieldScene; readonly raster: Raster } | null = null;
  /** What the last whole drawing was made for: as long as it stays the same, only values have changed. */
  #shape = "";

  constructor(private readonly element: HTMLElement) {}

  draw(scene: FieldScene): void {
    const { grid, values, fill } = scene;
    const factor = fill === "cells" ? 1 : smoothingFactor(grid, RASTER_SAMPLES);
    this.#draw(scene, smooth(grid, values, factor));
  }

  /** Takes away what was drawn: the map has no grid any more. */
  clear(): void {
    if (this.#drawn !== null) {
      this.#drawn = null;
      this.#shape = "";
      purge(this.element);
    }
  }

  /** Moves what is drawn; the values stay as they are. */
  look(view: View, frame: Frame): void {
    if (this.#drawn === null) {
      return;
    }
    const { raster } = this.#drawn;
    const scene = { ...this.#drawn.scene, view, frame };
    if (raster.wraps && centreOf(view.longitude) !== centreOf(this.#drawn.scene.view.longitude)) {
      this.#draw(scene, raster);
      return;
    }
    const { x, y } = ranges(view, frame);
    this.#drawn = { scene, raster };
    this.#shape = shapeOf(scene, raster);
    void relayout(this.element, { "xaxis.range": x, "yaxis.range": y });
  }

  /** The picture as it is drawn, for an export; null while there is none. */
  image(): SVGImageElement | null {
    return this.element.querySelector(".heatmaplayer image");
  }

  #draw(scene: FieldScene, raster: Raster): void {
    const picture = pictureOf(raster, scene.view.longitude);
    const shape = shapeOf(scene, raster);
    const first = this.#drawn === null;
    this.#drawn = { scene, raster };
    if (shape === this.#shape && redrawHeatmap(this.element, picture.rows)) {
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
    const traces = [heatmap(picture, scene)];
    const config = { staticPlot: true, displayModeBar: false, responsive: false };
    void (first ? newPlot : react)(this.element, traces, layout, config);
  }
}

function shapeOf({ layer, fill, colors, view, frame }: FieldScene, raster: Raster): string {
  const size = [raster.rows, raster.columns, raster.x0, raster.y0];
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

function ranges(view: View, frame: Frame): { x: [number, number]; y: [number, number] } {
  const seen = visible(view, frame);
  return { x: [seen.west, seen.east], y: [seen.south, seen.north] };
}

function axis(range: readonly [number, number]): Fields {
  return { range, autorange: false, visible: false, fixedrange: true };
}
