/** Finds the regular grid that locations lie on, if they do. */

import { unroll } from "./longitudes";

export interface Grid {
  /** Ascending, evenly spaced. */
  readonly latitudes: Float64Array;
  /** The same; beyond 180 where the grid crosses the antimeridian without going around the world. */
  readonly longitudes: Float64Array;
  readonly latitudeStep: number;
  readonly longitudeStep: number;
  /** The last column meets the first one again: the grid goes around the world. */
  readonly wraps: boolean;
  /** The cell at row * columns + column, or -1. */
  readonly cellAt: Int32Array;
}

export interface Bounds {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

const TOLERANCE = 1e-3;
/** A grid with more holes than this is drawn better as separate points. */
const LEAST_COVERAGE = 0.5;

export function findGrid(latitude: Float64Array, anyLongitude: Float64Array): Grid | null {
  const longitude = unroll(anyLongitude);
  const latitudes = distinct(latitude);
  const longitudes = distinct(longitude);
  const latitudeStep = evenStep(latitudes);
  const longitudeStep = evenStep(longitudes);
  if (latitudeStep === null || longitudeStep === null) {
    return null;
  }
  const columns = longitudes.length;
  if (latitude.length < LEAST_COVERAGE * latitudes.length * columns) {
    return null;
  }
  const cellAt = new Int32Array(latitudes.length * columns).fill(-1);
  for (let cell = 0; cell < latitude.length; cell += 1) {
    const row = Math.round(((latitude[cell] as number) - (latitudes[0] as number)) / latitudeStep);
    const column = Math.round(((longitude[cell] as number) - (longitudes[0] as number)) / longitudeStep);
    const place = row * columns + column;
    // Of two places that are the same, as on the antimeridian from both sides, the first one is drawn.
    cellAt[place] = cellAt[place] === -1 ? cell : (cellAt[place] as number);
  }
  const wraps = Math.abs(columns * longitudeStep - 360) < TOLERANCE;
  return { latitudes, longitudes, latitudeStep, longitudeStep, wraps, cellAt };
}

/** The outer edges of the grid's cells. */
export function gridBounds(grid: Grid): Bounds {
  return {
    west: (grid.longitudes[0] as number) - grid.longitudeStep / 2,
    east: (grid.longitudes.at(-1) as number) + grid.longitudeStep / 2,
    south: Math.max(-90, (grid.latitudes[0] as number) - grid.latitudeStep / 2),
    north: Math.min(90, (grid.latitudes.at(-1) as number) + grid.latitudeStep / 2),
  };
}

/** The cell that a point lies in, or -1. */
export function cellAtPoint(grid: Grid, longitude: number, latitude: number): number {
  const columns = grid.longitudes.length;
  const row = Math.round((latitude - (grid.latitudes[0] as number)) / grid.latitudeStep);
  const west = (grid.longitudes[0] as number) - grid.longitudeStep / 2;
  const eastward = (((longitude - west) % 360) + 360) % 360;
  const column = Math.floor(eastward / grid.longitudeStep);
  if (row < 0 || row >= grid.latitudes.length || column >= columns) {
    return -1;
  }
  return grid.cellAt[row * columns + column] ?? -1;
}

function distinct(values: Float64Array): Float64Array {
  const sorted = values.slice().sort();
  const kept: number[] = [];
  for (const value of sorted) {
    const last = kept.at(-1);
    if (last === undefined || value - last > TOLERANCE) {
      kept.push(value);
    }
  }
  return Float64Array.from(kept);
}

function evenStep(sorted: Float64Array): number | null {
  if (sorted.length < 2) {
    return null;
  }
  const step = ((sorted.at(-1) as number) - (sorted[0] as number)) / (sorted.length - 1);
  for (let index = 1; index < sorted.length; index += 1) {
    if (Math.abs((sorted[index] as number) - (sorted[index - 1] as number) - step) > 2 * TOLERANCE) {
      return null;
    }
  }
  return step;
}
