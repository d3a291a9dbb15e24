/** Lines of equal value through a raster, by marching squares. Pure. */

import type { Raster } from "./smooth";

export interface Line {
  readonly level: number;
  /** Longitude, latitude, longitude, latitude ... in degrees; longitudes may run on beyond 180. */
  readonly points: Float32Array;
  readonly west: number;
  readonly east: number;
}

/** The edges that a line crosses, in pairs, for each way in which a square's corners lie above the level. */
const CROSSINGS: readonly (readonly number[])[] = [
  [],
  [3, 0],
  [0, 1],
  [3, 1],
  [1, 2],
  [3, 2, 1, 0],
  [0, 2],
  [3, 2],
  [2, 3],
  [2, 0],
  [0, 3, 2, 1],
  [2, 1],
  [1, 3],
  [1, 0],
  [0, 3],
  [],
];

/** The multiples of `step` between the raster's least and largest value; none where it has none. */
export function levels(raster: Raster, step: number, offset = 0): number[] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of raster.values) {
    if (!Number.isNaN(value)) {
      low = Math.min(value, low);
      high = Math.max(value, high);
    }
  }
  const found: number[] = [];
  for (let number = Math.ceil((low - offset) / step); number * step + offset <= high; number += 1) {
    found.push(number * step + offset);
  }
  return found;
}

/** @param wanted ascending, evenly spaced */
export function isotherms(raster: Raster, wanted: readonly number[]): Line[] {
  const crossed = wanted.map((): Crossed => ({ next: new Map(), entered: new Set() }));
  const { columns, rows, values } = raster;
  const [first = 0, second = first + 1] = wanted;
  const squares = raster.wraps ? columns : columns - 1;
  for (let row = 0; row < rows - 1; row += 1) {
    for (let column = 0; column < squares; column += 1) {
      const east = column + 1 === columns ? 0 : column + 1;
      const sw = row * columns + column;
      const se = row * columns + east;
      const a = values[sw] as number;
      const b = values[se] as number;
      const c = values[se + columns] as number;
      const d = values[sw + columns] as number;
      const high = Math.max(a, b, c, d);
      if (Number.isNaN(high)) {
        continue;
      }
      let index = Math.max(0, Math.floor((Math.min(a, b, c, d) - first) / (second - first)));
      for (; index < wanted.length && (wanted[index] as number) <= high; index += 1) {
        const level = wanted[index] as number;
        const shape = (a >= level ? 1 : 0) | (b >= level ? 2 : 0) | (c >= level ? 4 : 0) | (d >= level ? 8 : 0);
        if (shape !== 0 && shape !== 15) {
          cross(crossed[index] as Crossed, shape, sw, se, columns);
        }
      }
    }
  }
  return crossed.flatMap(({ next, entered }, index) =>
    follow(next, entered).map((edges) => lineOf(raster, wanted[index] as number, edges)),
  );
}

/** A level's crossings: from which edge of a square to which. */
interface Crossed {
  readonly next: Map<number, number>;
  readonly entered: Set<number>;
}

/** An edge is known by the corner that it begins at: 2 * corner is the one eastward, 2 * corner + 1 northward. */
function cross({ next, entered }: Crossed, shape: number, sw: number, se: number, columns: number): void {
  const edges = [2 * sw, 2 * se + 1, 2 * (sw + columns), 2 * sw + 1];
  const crossings = CROSSINGS[shape] as readonly number[];
  for (let pair = 0; pair < crossings.length; pair += 2) {
    const to = edges[crossings[pair + 1] as number] as number;
    next.set(edges[crossings[pair] as number] as number, to);
    entered.add(to);
  }
}

/** Joins crossings to lines: first those that begin somewhere, then the closed ones. */
function follow(next: Map<number, number>, entered: ReadonlySet<number>): number[][] {
  const lines: number[][] = [];
  const walk = (start: number): void => {
    const line = [start];
    let at: number | undefined = start;
    while (at !== undefined) {
      const to = next.get(at);
      next.delete(at);
      if (to !== undefined) {
        line.push(to);
      }
      at = to;
    }
    if (line.length > 1) {
      lines.push(line);
    }
  };
  for (const start of [...next.keys()]) {
    if (!entered.has(start)) {
      walk(start);
    }
  }
  for (const start of [...next.keys()]) {
    if (next.has(start)) {
      walk(start);
    }
  }
  return lines;
}

function lineOf(raster: Raster, level: number, edges: readonly number[]): Line {
  const { columns, values, x0, dx, y0, dy } = raster;
  const points = new Float32Array(2 * edges.length);
  let last = 0;
  let west = Number.POSITIVE_INFINITY;
  let east = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < edges.length; index += 1) {
    const edge = edges[index] as number;
    const corner = edge >> 1;
    const northward = (edge & 1) === 1;
    const row = Math.floor(corner / columns);
    const column = corner % columns;
    const other = northward ? corner + columns : row * columns + ((column + 1) % columns);
    const from = values[corner] as number;
    const share = (level - from) / ((values[other] as number) - from);
    let longitude = x0 + (column + (northward ? 0 : share)) * dx;
    if (index > 0) {
      // A line that goes around the world runs on instead of jumping back.
      longitude += 360 * Math.round((last - longitude) / 360);
    }
    last = longitude;
    west = Math.min(west, longitude);
    east = Math.max(east, longitude);
    points[2 * index] = longitude;
    points[2 * index + 1] = y0 + (row + (northward ? share : 0)) * dy;
  }
  return { level, points, west, east };
}
