/**
 * A finer picture of a coarse grid: Catmull-Rom between cells, which passes through every cell's own value.
 * A cell without a value stays empty, so that a map that is still filling shows what is missing.
 */

import type { Grid } from "./grid";

export interface Raster {
  /** Row after row from south to north; NaN where there is nothing. */
  readonly values: Float32Array;
  readonly columns: number;
  readonly rows: number;
  readonly x0: number;
  readonly dx: number;
  readonly y0: number;
  readonly dy: number;
  readonly wraps: boolean;
}

interface Tap {
  readonly indices: readonly [number, number, number, number];
  readonly cubic: readonly [number, number, number, number];
  readonly fraction: number;
}

/**
 * @param values one a cell, NaN where there is none
 * @param factor how many samples a cell gets along each axis; 1 is the cells as they are
 */
export function smooth(grid: Grid, values: Float32Array, factor: number): Raster {
  const coarse = onGrid(grid, values);
  const across = grid.longitudes.length;
  const columns = across * factor;
  const rows = grid.latitudes.length * factor;
  const dx = grid.longitudeStep / factor;
  const dy = grid.latitudeStep / factor;
  const place = {
    columns,
    rows,
    dx,
    dy,
    wraps: grid.wraps,
    x0: (grid.longitudes[0] as number) - grid.longitudeStep / 2 + dx / 2,
    y0: (grid.latitudes[0] as number) - grid.latitudeStep / 2 + dy / 2,
  };
  if (factor === 1) {
    return { ...place, values: coarse };
  }
  const fine = new Float32Array(columns * rows);
  const rowTaps = taps(grid.latitudes.length, factor, false);
  const columnTaps = taps(across, factor, grid.wraps);
  // First along the rows, then between them: a quarter of the work of doing both at once.
  const stretched = new Float32Array(columns * grid.latitudes.length);
  for (let row = 0; row < grid.latitudes.length; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const { indices: i, cubic: c } = columnTaps[column] as Tap;
      const start = row * across;
      stretched[row * columns + column] =
        c[0] * (coarse[start + i[0]] as number) +
        c[1] * (coarse[start + i[1]] as number) +
        c[2] * (coarse[start + i[2]] as number) +
        c[3] * (coarse[start + i[3]] as number);
    }
  }
  for (let row = 0; row < rows; row += 1) {
    const rowTap = rowTaps[row] as Tap;
    const { indices: i, cubic: c } = rowTap;
    for (let column = 0; column < columns; column += 1) {
      const value =
        c[0] * (stretched[i[0] * columns + column] as number) +
        c[1] * (stretched[i[1] * columns + column] as number) +
        c[2] * (stretched[i[2] * columns + column] as number) +
        c[3] * (stretched[i[3] * columns + column] as number);
      fine[row * columns + column] = Number.isNaN(value)
        ? linear(coarse, across, rowTap, columnTaps[column] as Tap)
        : value;
    }
  }
  return { ...place, values: fine };
}

/** Rows of a picture for Plotly, which knows a gap as undefined. */
export interface Picture {
  readonly rows: readonly (readonly (number | undefined)[])[];
  readonly x0: number;
  readonly dx: number;
  readonly y0: number;
  readonly dy: number;
}

const TURNS = 1.5;
const CENTRES_DEGREES = 90;

/** Around which longitude the picture for a view is made. */
export function centreOf(longitude: number): number {
  return Math.round(longitude / CENTRES_DEGREES) * CENTRES_DEGREES;
}

/**
 * The raster as a picture around a longitude. One that goes around the world is repeated half a turn, so that it has
 * to be made anew only when the map has been moved far.
 */
export function pictureOf(raster: Raster, longitude: number): Picture {
  const { columns, dx } = raster;
  const width = raster.wraps ? Math.round(columns * TURNS) : columns;
  const first = raster.wraps ? Math.round((centreOf(longitude) - raster.x0) / dx - width / 2) : 0;
  const rows = Array.from({ length: raster.rows }, (_, row) => {
    const out = new Array<number | undefined>(width);
    for (let column = 0; column < width; column += 1) {
      const value = raster.values[row * columns + ((((first + column) % columns) + columns) % columns)] as number;
      out[column] = Number.isNaN(value) ? undefined : value;
    }
    return out;
  });
  return { rows, x0: raster.x0 + first * dx, dx, y0: raster.y0, dy: raster.dy };
}

/** As fine as a picture of about `pixels` samples allows. */
export function smoothingFactor(grid: Grid, pixels: number): number {
  const cells = grid.latitudes.length * grid.longitudes.length;
  return Math.max(1, Math.min(8, Math.floor(Math.sqrt(pixels / cells))));
}

function onGrid(grid: Grid, values: Float32Array): Float32Array {
  const out = new Float32Array(grid.cellAt.length);
  for (let place = 0; place < out.length; place += 1) {
    const cell = grid.cellAt[place] as number;
    out[place] = cell < 0 ? Number.NaN : (values[cell] as number);
  }
  return out;
}

/** Between the neighbours that have a value; nothing where the nearest cell has none. */
function linear(coarse: Float32Array, across: number, row: Tap, column: Tap): number {
  const at = (tapRow: number, tapColumn: number): number =>
    coarse[(row.indices[tapRow] as number) * across + (column.indices[tapColumn] as number)] as number;
  const nearest = at(row.fraction < 0.5 ? 1 : 2, column.fraction < 0.5 ? 1 : 2);
  if (Number.isNaN(nearest)) {
    return nearest;
  }
  let sum = 0;
  let weights = 0;
  for (let i = 1; i <= 2; i += 1) {
    for (let j = 1; j <= 2; j += 1) {
      const value = at(i, j);
      if (!Number.isNaN(value)) {
        const weight = (i === 1 ? 1 - row.fraction : row.fraction) * (j === 1 ? 1 - column.fraction : column.fraction);
        sum += weight * value;
        weights += weight;
      }
    }
  }
  return sum / weights;
}

function taps(count: number, factor: number, wraps: boolean): Tap[] {
  const index = (value: number): number =>
    wraps ? ((value % count) + count) % count : Math.min(count - 1, Math.max(0, value));
  return Array.from({ length: count * factor }, (_, sample) => {
    const position = (sample + 0.5) / factor - 0.5;
    const base = Math.floor(position);
    const t = position - base;
    return {
      indices: [index(base - 1), index(base), index(base + 1), index(base + 2)],
      cubic: [
        t * (-0.5 + t * (1 - 0.5 * t)),
        1 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
      ],
      fraction: t,
    };
  });
}
