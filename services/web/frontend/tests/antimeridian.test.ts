import { describe, expect, it } from "vitest";
import { cellAtPoint, findGrid, type Grid, gridBounds } from "../src/map/grid";
import { cellAt, cellOf, extent, type Places, placesOf, WORLD_BOUNDS } from "../src/map/pick";
import { smooth } from "../src/map/smooth";
import { clamp, type Frame, home, project, unproject, visible } from "../src/map/view";
import { windAt } from "../src/map/wind";

type Place = readonly [latitude: number, longitude: number];

function places(points: readonly Place[]): Places {
  return placesOf(
    Float64Array.from(points, ([latitude]) => latitude),
    Float64Array.from(points, ([, longitude]) => longitude),
  );
}

function frameOf(at: Places): Frame {
  return { width: 800, height: 600, ...extent(at) };
}

function gridOf(latitudes: readonly number[], longitudes: readonly number[]): Place[] {
  return latitudes.flatMap((latitude) => longitudes.map((longitude) => [latitude, longitude] as const));
}

/** New Zealand to Samoa, as a bounding box that crosses the antimeridian is filled: by longitudes from -180 to 180. */
const ACROSS = gridOf([-40, -35, -30], [-180, -175, -170, 170, 175]);

describe("a grid across the antimeridian", () => {
  const at = places(ACROSS);
  const grid = at.grid as Grid;
  const frame = frameOf(at);

  it("is one grid in one piece", () => {
    expect(grid).toMatchObject({ longitudeStep: 5, wraps: false });
    expect([...grid.longitudes]).toEqual([170, 175, 180, 185, 190]);
    expect(gridBounds(grid)).toEqual({ west: 167.5, east: 192.5, south: -42.5, north: -27.5 });
    expect(smooth(grid, new Float32Array(ACROSS.length), 1)).toMatchObject({ columns: 5, rows: 3, x0: 170 });
  });

  it("fills the screen, and each cell is where it is picked", () => {
    const view = home(frame);
    const seen = visible(view, frame);
    expect(seen.east - seen.west).toBeLessThan(60);
    ACROSS.forEach(([latitude], cell) => {
      const point = project(view, frame, at.longitude[cell] as number, latitude);
      expect(point.x).toBeGreaterThan(0);
      expect(point.x).toBeLessThan(frame.width);
      expect(cellAt(at, view, frame, point)).toBe(cell);
      const found = unproject(view, frame, point);
      expect(cellAtPoint(grid, found.longitude, found.latitude)).toBe(cell);
    });
  });

  it("is found by coordinates of either side, and nothing is found beyond it", () => {
    expect(ACROSS[cellOf(at, -34, -174)]).toEqual([-35, -175]);
    expect(ACROSS[cellOf(at, -34, 176)]).toEqual([-35, 175]);
    expect(ACROSS[cellOf(at, -34, 180)]).toEqual([-35, -180]);
    expect([cellOf(at, -34, -160), cellOf(at, -34, 160), cellOf(at, -34, 0)]).toEqual([-1, -1, -1]);
  });

  it("is looked at by a link that counts from either side", () => {
    const looked = { latitude: -35, scale: 4 * home(frame).scale };
    expect(clamp({ ...looked, longitude: -175 }, frame).longitude).toBeCloseTo(185);
    expect(clamp({ ...looked, longitude: 185 }, frame).longitude).toBeCloseTo(185);
  });

  it("has wind on the line itself", () => {
    const wind = { u: new Float32Array(ACROSS.length).fill(3), v: new Float32Array(ACROSS.length) };
    expect(windAt(grid, wind, 181, -34)).toEqual({ u: 3, v: 0 });
  });
});

describe("a grid around the world", () => {
  it("has the antimeridian once, also where there are places on both sides of it", () => {
    const longitudes = Array.from({ length: 37 }, (_, index) => -180 + 10 * index);
    const points = gridOf([0, 10], longitudes);
    const grid = places(points).grid as Grid;
    expect(grid).toMatchObject({ wraps: true, longitudeStep: 10 });
    expect(grid.longitudes).toHaveLength(36);
    expect(points[cellAtPoint(grid, 180, 0)]).toEqual([0, -180]);
    expect(frameOf(places(points)).wraps).toBe(true);
  });
});

describe("places on no grid", () => {
  it("across the antimeridian are a region too", () => {
    const at = places([
      [-36.8, 174.8],
      [-18.1, 178.4],
      [-13.8, -171.8],
    ]);
    const frame = frameOf(at);
    expect([frame.wraps, at.grid]).toEqual([false, null]);
    const samoa = project(home(frame), frame, at.longitude[2] as number, -13.8);
    expect(samoa.x).toBeGreaterThan(0);
    expect(samoa.x).toBeLessThan(frame.width);
    expect(cellOf(at, -14, 188)).toBe(2);
  });

  it("may be one, or all around the world, or none", () => {
    expect(extent(places([[90, 180]])).wraps).toBe(false);
    const around = places([
      [50, -120],
      [50, 0.5],
      [10, 140],
    ]);
    expect(extent(around)).toEqual({ bounds: WORLD_BOUNDS, wraps: true });
    expect([...around.longitude]).toEqual([-120, 0.5, 140]);
    expect(extent(places([]))).toEqual({ bounds: WORLD_BOUNDS, wraps: true });
  });

  it("are found when they are near, and only then", () => {
    const at = places([[48.2, 16.4]]);
    expect(cellOf(at, 47, 15)).toBe(0);
    expect(cellOf(at, -33.9, 151.2)).toBe(-1);
  });
});

describe("a grid of few cells", () => {
  it.each([
    ["one", [[50, 10]]],
    ["a row", gridOf([50], [10, 20, 30])],
    ["a column", gridOf([50, 60, 70], [10])],
  ] as const)("of %s is drawn as places", (_, points) => {
    const at = places(points);
    const frame = frameOf(at);
    expect(at.grid).toBeNull();
    const view = home(frame);
    points.forEach(([latitude, longitude], cell) => {
      expect(cellAt(at, view, frame, project(view, frame, longitude, latitude))).toBe(cell);
    });
  });

  it("of two by two, and at the pole, is one", () => {
    const grid = findGrid(Float64Array.of(80, 80, 90, 90), Float64Array.of(0, 10, 0, 10)) as Grid;
    expect(gridBounds(grid)).toEqual({ west: -5, east: 15, south: 75, north: 90 });
    expect(cellAtPoint(grid, 9, 90)).toBe(3);
    expect(windAt(grid, { u: new Float32Array(4), v: new Float32Array(4) }, 5, 90)).toEqual({ u: 0, v: 0 });
  });
});
