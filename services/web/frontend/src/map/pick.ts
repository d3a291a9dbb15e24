/** Which place is meant by a point on the map, and how much of the world the places need. Pure. */

import { type Bounds, cellAtPoint, findGrid, type Grid, gridBounds } from "./grid";
import { unroll } from "./longitudes";
import { type Frame, type Point, project, turn, unproject, type View } from "./view";

export interface Places {
  readonly latitude: Float64Array;
  /** In one piece: beyond 180 for a region that crosses the antimeridian. */
  readonly longitude: Float64Array;
  readonly grid: Grid | null;
}

export const WORLD_BOUNDS: Bounds = { west: -180, east: 180, south: -85, north: 85 };
const POINT_REACH_PX = 24;
/** How far a place that is searched for may be from the nearest one that the map knows. */
const SEARCH_REACH_DEGREES = 5;
/** Places that are spread wider than this are all around the world. */
const REGION_DEGREES = 200;

export function placesOf(latitude: Float64Array, longitude: Float64Array): Places {
  const grid = findGrid(latitude, longitude);
  const inOnePiece = unroll(longitude);
  const [west, east] = range(inOnePiece);
  const isRegion = grid === null ? east - west <= REGION_DEGREES : !grid.wraps;
  return { grid, latitude, longitude: isRegion ? inOnePiece : longitude };
}

/** The cell under a point of the screen, or -1. */
export function cellAt({ grid, latitude, longitude }: Places, view: View, frame: Frame, at: Point): number {
  if (grid !== null) {
    const place = unproject(view, frame, at);
    return cellAtPoint(grid, place.longitude, place.latitude);
  }
  let nearest = -1;
  let reach = POINT_REACH_PX;
  for (let cell = 0; cell < latitude.length; cell += 1) {
    const { x, y } = project(view, frame, longitude[cell] as number, latitude[cell] as number);
    const away = Math.hypot(x - at.x, y - at.y);
    if (away < reach) {
      reach = away;
      nearest = cell;
    }
  }
  return nearest;
}

/** The cell that a place lies in, or the nearest one where there is no grid; -1 when there is none near. */
export function cellOf({ grid, latitude, longitude }: Places, lat: number, lon: number): number {
  if (grid !== null) {
    return cellAtPoint(grid, lon, lat);
  }
  let nearest = -1;
  let least = SEARCH_REACH_DEGREES;
  for (let cell = 0; cell < latitude.length; cell += 1) {
    const across = turn((longitude[cell] as number) - lon) * Math.cos((lat * Math.PI) / 180);
    const away = Math.hypot(across, (latitude[cell] as number) - lat);
    if (away < least) {
      least = away;
      nearest = cell;
    }
  }
  return nearest;
}

export function extent({ grid, latitude, longitude }: Places): Pick<Frame, "bounds" | "wraps"> {
  if (grid !== null) {
    return { bounds: gridBounds(grid), wraps: grid.wraps };
  }
  const [west, east] = range(longitude);
  const [south, north] = range(latitude);
  if (latitude.length === 0 || east - west > REGION_DEGREES) {
    return { bounds: WORLD_BOUNDS, wraps: true };
  }
  const margin = Math.max(2, 0.06 * Math.max(east - west, north - south));
  return {
    wraps: false,
    bounds: { west: west - margin, east: east + margin, south: south - margin, north: north + margin },
  };
}

function range(values: Float64Array): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
