/** Wind between the cells: as eastward and northward components, because directions cannot be averaged. */

import type { Grid } from "./grid";

export interface WindField {
  readonly u: Float32Array;
  readonly v: Float32Array;
}

export interface Wind {
  readonly u: number;
  readonly v: number;
}

/** The wind at a place, between its four neighbours; null where one of them has none. */
export function windAt(grid: Grid, field: WindField, longitude: number, latitude: number): Wind | null {
  const columns = grid.longitudes.length;
  const rows = grid.latitudes.length;
  const x = (longitude - (grid.longitudes[0] as number)) / grid.longitudeStep;
  const y = Math.min(rows - 1, Math.max(0, (latitude - (grid.latitudes[0] as number)) / grid.latitudeStep));
  const left = Math.floor(x);
  const low = Math.min(rows - 2, Math.floor(y));
  const fx = x - left;
  const fy = y - low;
  let u = 0;
  let v = 0;
  for (const [row, rowWeight] of [
    [low, 1 - fy],
    [low + 1, fy],
  ] as const) {
    for (const [column, columnWeight] of [
      [left, 1 - fx],
      [left + 1, fx],
    ] as const) {
      const weight = rowWeight * columnWeight;
      if (weight === 0) {
        continue;
      }
      const wrapped = grid.wraps ? ((column % columns) + columns) % columns : column;
      const cell = wrapped < 0 || wrapped >= columns ? -1 : (grid.cellAt[row * columns + wrapped] as number);
      if (cell < 0) {
        return null;
      }
      u += weight * (field.u[cell] as number);
      v += weight * (field.v[cell] as number);
    }
  }
  return Number.isNaN(u + v) ? null : { u, v };
}
