/**
 * A finer picture of a coarse grid: Catmull-Rom between cells, which passes through every cell's own value.
 * A cell without a value stays empty, so that a map that is still filling shows what is missing.
 */

import type { Grid } from "./grid";

export interface Raster {
  /** Rows from south to north; NaN where there is nothing. */
  readonly rows: readonly Float32Array[];
  readonly x0: number;
  readonly dx: number;
  readonly y0: number;
  readonly dy: number;
}

interface Tap {
  readonly indices: readonly [number, number, number, number];
  readonly cubic: readonly [number, number, number, number];
  readonly fraction: number;
}

/**
 * @param values one a cell, NaN where there is none
 * @param factor how many samples a cell gets along each axis
 */
export function smooth(grid: Grid, values: Float32Array, factor: number): Raster {
  const rowTaps = taps(grid.latitudes.length, factor, false);
  const columnTaps = taps(grid.longitudes.length, factor, grid.wraps);
  const columns = grid.longitudes.length;
  const at = (row: number, column: number): number => {
    const cell = grid.cellAt[row * columns + column] as number;
    return cell < 0 ? Number.NaN : (values[cell] as number);
  };
  const rows = rowTaps.map((rowTap) => {
    const out = new Float32Array(columnTaps.length);
    for (let column = 0; column < columnTaps.length; column += 1) {
      const columnTap = columnTaps[column] as Tap;
      const fine = cubic(at, rowTap, columnTap);
      out[column] = Number.isNaN(fine) ? linear(at, rowTap, columnTap) : fine;
    }
    return out;
  });
  const dx = grid.longitudeStep / factor;
  const dy = grid.latitudeStep / factor;
  return {
    rows,
    dx,
    dy,
    x0: (grid.longitudes[0] as number) - grid.longitudeStep / 2 + dx / 2,
    y0: (grid.latitudes[0] as number) - grid.latitudeStep / 2 + dy / 2,
  };
}

/** A raster that goes around the world, repeated so that it covers all longitudes from -360 to 360. */
export function twoTurnsOf(raster: Raster): Raster {
  const turn = raster.rows[0]?.length ?? 0;
  const first = Math.floor((-360 - raster.x0) / raster.dx);
  const columns = 2 * turn + 2;
  const rows = raster.rows.map((row) => {
    const out = new Float32Array(columns);
    for (let column = 0; column < columns; column += 1) {
      out[column] = row[(((first + column) % turn) + turn) % turn] as number;
    }
    return out;
  });
  return { ...raster, rows, x0: raster.x0 + first * raster.dx };
}

/** As fine as a picture of about `pixels` samples allows. */
export function smoothingFactor(grid: Grid, pixels: number): number {
  const cells = grid.latitudes.length * grid.longitudes.length;
  return Math.max(1, Math.min(8, Math.floor(Math.sqrt(pixels / cells))));
}

type Sample = (row: number, column: number) => number;

function cubic(at: Sample, row: Tap, column: Tap): number {
  let sum = 0;
  for (let i = 0; i < 4; i += 1) {
    const rowWeight = row.cubic[i] as number;
    for (let j = 0; j < 4; j += 1) {
      sum += rowWeight * (column.cubic[j] as number) * at(row.indices[i] as number, column.indices[j] as number);
    }
  }
  return sum;
}

/** Between the neighbours that have a value; nothing where the nearest cell has none. */
function linear(at: Sample, row: Tap, column: Tap): number {
  const nearest = at(row.indices[row.fraction < 0.5 ? 1 : 2], column.indices[column.fraction < 0.5 ? 1 : 2]);
  if (Number.isNaN(nearest)) {
    return nearest;
  }
  let sum = 0;
  let weights = 0;
  for (let i = 1; i <= 2; i += 1) {
    for (let j = 1; j <= 2; j += 1) {
      const value = at(row.indices[i] as number, column.indices[j] as number);
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
