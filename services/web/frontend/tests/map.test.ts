import { describe, expect, it } from "vitest";
import { worldFile } from "../build/world";
import { globalGrid } from "../dev/model";
import { Highlights, PULSE_MS } from "../src/highlight";
import { cellAtPoint, findGrid, type Grid, gridBounds } from "../src/map/grid";
import { pictureOf, smooth, smoothingFactor } from "../src/map/smooth";
import {
  clamp,
  type Frame,
  home,
  leastScale,
  pan,
  project,
  turn,
  unproject,
  type View,
  visible,
  zoomAt,
} from "../src/map/view";
import { type WindField, windAt } from "../src/map/wind";
import { readWorld } from "../src/map/world";

const points = globalGrid(10);
const latitude = Float64Array.from(points, (point) => point.latitude);
const longitude = Float64Array.from(points, (point) => point.longitude);
const grid = findGrid(latitude, longitude) as Grid;

describe("the grid", () => {
  it("is found in a global grid, which goes around the world", () => {
    expect(grid).toMatchObject({ latitudeStep: 10, longitudeStep: 10, wraps: true });
    expect([grid.latitudes.length, grid.longitudes.length]).toEqual([17, 36]);
    expect(gridBounds(grid)).toEqual({ west: -185, east: 175, south: -85, north: 85 });
  });

  it("is found in a region, whatever the order of its points, with holes", () => {
    const region = points.filter((p) => p.latitude >= 30 && p.latitude <= 60 && Math.abs(p.longitude) <= 30).reverse();
    const kept = region.filter((p) => p.latitude !== 40 || p.longitude !== 0);
    const found = findGrid(
      Float64Array.from(kept, (p) => p.latitude),
      Float64Array.from(kept, (p) => p.longitude),
    ) as Grid;
    expect(found.wraps).toBe(false);
    expect(cellAtPoint(found, 1, 41)).toBe(-1);
    const cell = cellAtPoint(found, 11, 52);
    expect(kept[cell]).toMatchObject({ latitude: 50, longitude: 10 });
  });

  it("is not found among scattered places", () => {
    expect(findGrid(Float64Array.of(50, 51.3, 48.2), Float64Array.of(1, 7.7, 2.5))).toBeNull();
    expect(findGrid(Float64Array.of(50), Float64Array.of(1))).toBeNull();
  });

  it("gives the cell of a point, also across the antimeridian", () => {
    expect(points[cellAtPoint(grid, 178, 1)]).toMatchObject({ latitude: 0, longitude: -180 });
    expect(points[cellAtPoint(grid, 372, 51)]).toMatchObject({ latitude: 50, longitude: 10 });
    expect(cellAtPoint(grid, 0, 89)).toBe(-1);
  });
});

describe("smoothing", () => {
  const values = Float32Array.from(points, (p) => p.latitude + Math.cos((p.longitude * Math.PI) / 180));

  it("passes through every cell's own value", () => {
    const raster = smooth(grid, values, 3);
    points.forEach((point, cell) => {
      const row = Math.round((point.latitude - raster.y0) / raster.dy);
      const column = Math.round((point.longitude - raster.x0) / raster.dx);
      expect(raster.values[row * raster.columns + column]).toBeCloseTo(values[cell] as number, 4);
    });
  });

  it("leaves exactly the cells empty that have no value", () => {
    const some = values.slice();
    some[100] = Number.NaN;
    const raster = smooth(grid, some, 4);
    expect(raster.values.filter(Number.isNaN)).toHaveLength(16);
    expect(
      pictureOf(raster, 0)
        .rows.flat()
        .filter((value) => value === undefined).length,
    ).toBeGreaterThanOrEqual(16);
  });

  it.each([-170, 0, 30, 100, 179])(
    "reaches half a turn beyond what can be seen around %d degrees, without a seam",
    (around) => {
      const picture = pictureOf(smooth(grid, values, 4), around);
      const row = picture.rows[10] as number[];
      expect(picture.x0).toBeLessThanOrEqual(around - 180);
      expect(picture.x0 + picture.dx * (row.length - 1)).toBeGreaterThanOrEqual(around + 180);
      expect(row[5]).toBe(row[5 + 360 / picture.dx]);
      const column = Math.round((360 * Math.round(around / 360) - picture.x0) / picture.dx);
      expect(row[column]).toBeCloseTo(picture.y0 + 10 * picture.dy + 1, 1);
    },
  );

  it("shows cells as they are", () => {
    const raster = smooth(grid, values, 1);
    expect(raster.columns * raster.rows).toBe(points.length);
    expect(raster.values[0]).toBe(values[0]);
  });

  it("is as fine as the number of cells allows", () => {
    expect(smoothingFactor(grid, 24_000)).toBe(6);
    expect(smoothingFactor(findGrid(...dense()) as Grid, 24_000)).toBe(1);
  });

  function dense(): [Float64Array, Float64Array] {
    const many = globalGrid(1);
    return [Float64Array.from(many, (p) => p.latitude), Float64Array.from(many, (p) => p.longitude)];
  }
});

describe("the view", () => {
  const frame: Frame = { width: 1440, height: 900, bounds: gridBounds(grid), wraps: true };
  const phone: Frame = { ...frame, width: 390, height: 844 };
  const region: Frame = { ...frame, bounds: { west: -10, east: 30, south: 35, north: 60 }, wraps: false };

  it("fills the screen with the world and shows a region whole", () => {
    for (const size of [frame, phone]) {
      const seen = visible(home(size), size);
      expect(seen.north - seen.south).toBeLessThanOrEqual(170 + 1e-9);
      expect(seen.east - seen.west).toBeLessThanOrEqual(360 + 1e-9);
    }
    const seen = visible(home(region), region);
    expect(seen.west).toBeLessThan(-10);
    expect(seen.north).toBeGreaterThan(60);
  });

  it("projects and unprojects to the same place", () => {
    const view = home(frame);
    const place = unproject(view, frame, { x: 300, y: 200 });
    const at = project(view, frame, place.longitude, place.latitude);
    expect(at.x).toBeCloseTo(300);
    expect(at.y).toBeCloseTo(200);
  });

  it("keeps the place under the pointer when it zooms", () => {
    const view = zoomAt(home(frame), frame, 2, { x: 900, y: 500 });
    const before = unproject(home(frame), frame, { x: 900, y: 500 });
    const after = unproject(view, frame, { x: 900, y: 500 });
    expect(after.longitude).toBeCloseTo(before.longitude);
    expect(after.latitude).toBeCloseTo(before.latitude);
  });

  it("goes around the world without end, but never beyond its poles", () => {
    let view: View = home(frame);
    for (let moves = 0; moves < 100; moves += 1) {
      view = pan(view, frame, -300, 200);
    }
    expect(Math.abs(view.longitude)).toBeLessThanOrEqual(180);
    expect(visible(view, frame).north).toBeLessThanOrEqual(85 + 1e-9);
  });

  it("stays between the whole map and the closest look", () => {
    expect(clamp({ ...home(frame), scale: 0 }, frame).scale).toBe(leastScale(frame));
    expect(clamp({ ...home(frame), scale: 1e9 }, frame).scale).toBeLessThan(1e3);
  });

  it("turns longitudes into -180 to 180", () => {
    expect([turn(190), turn(-190), turn(180), turn(720)]).toEqual([-170, 170, -180, 0]);
  });
});

describe("wind", () => {
  const field = (speed: Float32Array, direction: Float32Array): WindField => ({
    u: speed.map((value, cell) => -value * Math.sin(((direction[cell] as number) * Math.PI) / 180)),
    v: speed.map((value, cell) => -value * Math.cos(((direction[cell] as number) * Math.PI) / 180)),
  });

  it("between cells is averaged as a vector: 350° and 10° make north, not south", () => {
    const direction = Float32Array.from(points, (p) => (p.longitude % 20 === 0 ? 350 : 10));
    const wind = windAt(grid, field(new Float32Array(points.length).fill(8), direction), 5, 0);
    expect(wind?.u).toBeCloseTo(0);
    expect(wind?.v).toBeLessThan(-7);
  });

  it("is not made up where a neighbour has no value", () => {
    const speed = new Float32Array(points.length).fill(5);
    speed[cellAtPoint(grid, 10, 0)] = Number.NaN;
    expect(windAt(grid, field(speed, speed), 5, 0)).toBeNull();
    expect(windAt(grid, field(speed, speed), 175, 80)).not.toBeNull();
  });
});

describe("marks of recent changes", () => {
  it("run from 0 to 1 and are then forgotten", () => {
    const marks = new Highlights();
    marks.add([3, 4], 1_000);
    const seen: number[] = [];
    marks.each(1_000 + PULSE_MS / 2, PULSE_MS, (_, progress) => seen.push(progress));
    expect(seen).toEqual([0.5, 0.5]);
    marks.each(1_000 + PULSE_MS, PULSE_MS, () => expect.unreachable());
    expect(marks.size).toBe(0);
  });

  it("begin anew when a cell changes again, and are limited in number", () => {
    const marks = new Highlights();
    marks.add([3], 0);
    marks.add([3], 1_000);
    marks.each(1_000, PULSE_MS, (_, progress) => expect(progress).toBe(0));
    marks.add(
      Array.from({ length: 20_000 }, (_, cell) => cell),
      0,
    );
    expect(marks.size).toBeLessThanOrEqual(1_002);
  });
});

describe("the shapes of the world", () => {
  const world = readWorld(worldFile());

  it("have coasts and borders with no line across the map", () => {
    for (const line of [...world.coast, ...world.borders]) {
      for (let index = 2; index < line.length; index += 2) {
        expect(Math.abs((line[index] as number) - (line[index - 2] as number))).toBeLessThan(30);
      }
    }
    expect(world.coast.length).toBeGreaterThan(100);
    expect(world.borders.length).toBeGreaterThan(100);
  });

  it("have land that crosses the antimeridian in one piece", () => {
    const wide = world.land.filter((ring) => {
      const across = ring.filter((_, index) => index % 2 === 0);
      return Math.max(...across) > 180 || Math.min(...across) < -180;
    });
    expect(wide.length).toBeGreaterThan(0);
  });
});
