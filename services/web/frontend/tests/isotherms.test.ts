import { describe, expect, it } from "vitest";
import { globalGrid } from "../dev/model";
import { findGrid, type Grid } from "../src/map/grid";
import { isothermsOf } from "../src/map/isotherm_steps";
import { isotherms, levels } from "../src/map/isotherms";
import { smooth } from "../src/map/smooth";
import { TEMPERATURE_UNITS } from "../src/units";

const points = globalGrid(10);
const grid = findGrid(
  Float64Array.from(points, (p) => p.latitude),
  Float64Array.from(points, (p) => p.longitude),
) as Grid;
const by = (value: (latitude: number, longitude: number) => number): Float32Array =>
  Float32Array.from(points, (p) => value(p.latitude, p.longitude));

describe("isotherms", () => {
  it("go around the world as one line where the value depends on latitude", () => {
    const raster = smooth(
      grid,
      by((latitude) => latitude),
      1,
    );
    const lines = isotherms(raster, [25]);
    expect(lines).toHaveLength(1);
    const [line] = lines;
    expect((line?.east ?? 0) - (line?.west ?? 0)).toBeCloseTo(360);
    const latitudes = line?.points.filter((_, index) => index % 2 === 1) ?? [];
    for (const latitude of latitudes) {
      expect(latitude).toBeCloseTo(25, 3);
    }
  });

  it("close around a peak", () => {
    const raster = smooth(
      grid,
      by((latitude, longitude) => -Math.hypot(latitude, longitude)),
      2,
    );
    const [line, ...others] = isotherms(raster, [-30]);
    expect(others).toEqual([]);
    const at = line?.points ?? new Float32Array(0);
    expect([at[0], at[1]]).toEqual([at[at.length - 2], at[at.length - 1]]);
  });

  it("end where there is no value", () => {
    const values = by((latitude) => latitude);
    points.forEach((point, cell) => {
      values[cell] = point.longitude > 0 && point.longitude < 60 ? Number.NaN : (values[cell] as number);
    });
    const [line] = isotherms(smooth(grid, values, 1), [25]);
    expect((line?.east ?? 0) - (line?.west ?? 0)).toBeLessThan(310);
  });

  it("are drawn wherever there are values, also while the map is filling", () => {
    const values = by((latitude) => latitude / 2);
    values[100] = Number.NaN;
    expect(levels(smooth(grid, values, 1), 20)).toEqual([-40, -20, 0, 20, 40]);
    expect(levels(smooth(grid, values.fill(Number.NaN), 1), 20)).toEqual([]);
  });

  it("are at the round values of the reader's unit", () => {
    const values = by((latitude) => latitude / 2);
    expect(levels(smooth(grid, values, 1), 20)).toEqual([-40, -20, 0, 20, 40]);
    const labels = (unit: keyof typeof TEMPERATURE_UNITS): string[] => {
      const found = isothermsOf(grid, values, TEMPERATURE_UNITS[unit]);
      return [...new Set(found.lines.map(({ level }) => found.label(level)))];
    };
    expect(labels("celsius")).toContain("−35°");
    expect(labels("celsius")).toContain("0°");
    expect(labels("fahrenheit")).toContain("100°");
    expect(labels("fahrenheit").every((label) => label.endsWith("0°"))).toBe(true);
  });
});
