/** The weather itself, drawn by Plotly: a smooth heatmap of a grid, or coloured marks where there is none. */

import type { Layer } from "../layers/layers";
import { plotlyScale } from "../layers/scales";
import { NULL_VALUE, SCALE } from "../protocol/messages";
import type { Cells } from "../state/store";
import type { MapColors } from "../theme";
import type { Grid } from "./grid";
import { newPlot, react, relayout } from "./plotly";
import { smooth, smoothingFactor, twoTurnsOf } from "./smooth";
import { type Frame, type View, visible } from "./view";

export interface FieldScene {
  readonly cells: Cells | null;
  readonly grid: Grid | null;
  readonly layer: Layer;
  readonly colors: MapColors;
  readonly view: View;
  readonly frame: Frame;
}

type Fields = Record<string, unknown>;

const RASTER_SAMPLES = 24_000;
const POINT_SIZE_PX = 20;
const CLEAR = "rgba(0,0,0,0)";

export class Field {
  #started = false;

  constructor(private readonly element: HTMLElement) {}

  draw(scene: FieldScene): void {
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
    const config = { staticPlot: true, displayModeBar: false, responsive: false };
    void (this.#started ? react : newPlot)(this.element, traces(scene), layout, config);
    this.#started = true;
  }

  /** Moves what is drawn; the values stay as they are. */
  look(view: View, frame: Frame): void {
    const { x, y } = ranges(view, frame);
    void relayout(this.element, { "xaxis.range": x, "yaxis.range": y });
  }
}

/** A field's values in SI units, NaN where there is none. */
export function valuesOf(cells: Cells | null, field: string): Float32Array {
  const scaled = cells?.layers.get(field) ?? new Int16Array(0);
  return Float32Array.from(scaled, (value) => (value === NULL_VALUE ? Number.NaN : value / SCALE));
}

function traces({ cells, grid, layer, colors, frame }: FieldScene): Fields[] {
  if (cells === null) {
    return [];
  }
  const values = valuesOf(cells, layer.field);
  return [grid === null ? marks(cells, values, layer, colors, frame.wraps) : heatmap(grid, values, layer, colors)];
}

function heatmap(grid: Grid, values: Float32Array, { scale }: Layer, colors: MapColors): Fields {
  const fine = smooth(grid, values, smoothingFactor(grid, RASTER_SAMPLES));
  const raster = grid.wraps ? twoTurnsOf(fine) : fine;
  return {
    type: "heatmap",
    z: raster.rows,
    x0: raster.x0,
    dx: raster.dx,
    y0: raster.y0,
    dy: raster.dy,
    zmin: scale.low,
    zmax: scale.high,
    colorscale: plotlyScale(scale),
    zsmooth: "fast",
    showscale: false,
    opacity: colors.fieldOpacity,
  };
}

function marks(cells: Cells, values: Float32Array, { scale }: Layer, colors: MapColors, wraps: boolean): Fields {
  const known = Array.from(values.keys()).filter((cell) => !Number.isNaN(values[cell]));
  const turns = wraps ? [-360, 0, 360] : [0];
  return {
    type: "scatter",
    mode: "markers",
    x: turns.flatMap((degrees) => known.map((cell) => (cells.longitude[cell] as number) + degrees)),
    y: turns.flatMap(() => known.map((cell) => cells.latitude[cell])),
    cliponaxis: false,
    marker: {
      size: POINT_SIZE_PX,
      color: turns.flatMap(() => known.map((cell) => values[cell])),
      cmin: scale.low,
      cmax: scale.high,
      colorscale: plotlyScale(scale),
      line: { width: 1.5, color: colors.pointEdge },
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
