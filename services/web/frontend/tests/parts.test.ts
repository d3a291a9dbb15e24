import { describe, expect, it } from "vitest";
import type { Course } from "../src/api";
import { partsOf } from "../src/ui/parts";

const HOUR = 3_600;
const NOON = 1_795_521_600;
const NOW = NOON + 600;

/** A course whose temperatures are the hours from noon. */
function course(from: number, to: number, step: number): Course {
  const valid_at = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
  const hours = valid_at.map((time) => (time - NOON) / HOUR);
  return { valid_at, temperature_2m: hours, wind_speed_10m: hours, wind_direction_10m: hours };
}

const hourly = course(NOON - 24 * HOUR, NOON + 48 * HOUR, HOUR);

describe("the course of a place", () => {
  it("is what was fetched, before it the hours of the series, after it the forecast", () => {
    const fetched = course(NOON - 2 * HOUR, NOON, 900);
    const { past, coming } = partsOf({ series: fetched, forecast: hourly, whole: true }, NOW);
    expect(past.valid_at[0]).toBe(NOON - 23 * HOUR);
    expect(past.valid_at.slice(-9)).toEqual(fetched.valid_at);
    expect(new Set(past.valid_at).size).toBe(past.valid_at.length);
    expect(coming.valid_at.at(-1)).toBe(NOON + 48 * HOUR);
  });

  it("calls no hour that has passed a forecast, also where nothing was fetched for long", () => {
    const fetched = course(NOON - 12 * HOUR, NOON - 9 * HOUR, 900);
    const { past, coming } = partsOf({ series: fetched, forecast: hourly, whole: true }, NOW);
    expect(past.valid_at.at(-1)).toBe(NOON);
    expect(coming.valid_at.slice(1).every((time) => time > NOW)).toBe(true);
  });

  it("is one line: the forecast begins where the past ends", () => {
    const fetched = course(NOON - 2 * HOUR, NOON + 450, 450);
    const { past, coming } = partsOf({ series: fetched, forecast: hourly, whole: true }, NOW);
    expect(coming.valid_at.slice(0, 2)).toEqual([past.valid_at.at(-1), NOON + HOUR]);
    expect(coming.temperature_2m[0]).toBe(past.temperature_2m.at(-1));
  });

  it("is whole with one half of it, and empty with none", () => {
    const { past, coming } = partsOf({ series: null, forecast: hourly, whole: false }, NOW);
    expect([past.valid_at.at(-1), coming.valid_at[0]]).toEqual([NOON, NOON]);
    const only = partsOf({ series: course(NOON - HOUR, NOON, 900), forecast: null, whole: false }, NOW);
    expect([only.past.valid_at.length, only.coming.valid_at.length]).toEqual([5, 0]);
    const empty = partsOf({ series: null, forecast: null, whole: false }, NOW);
    expect([empty.past.valid_at, empty.coming.valid_at]).toEqual([[], []]);
  });

  it("has what was fetched ahead of the clock, as a simulator does, in its past", () => {
    const fetched = course(NOON - HOUR, NOON + 900, 900);
    const { past, coming } = partsOf({ series: fetched, forecast: hourly, whole: true }, NOW);
    expect(past.valid_at.at(-1)).toBe(NOON + 900);
    expect(coming.valid_at[1]).toBe(NOON + HOUR);
  });
});
