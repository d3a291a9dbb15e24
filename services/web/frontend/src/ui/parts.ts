/** The two parts of a place's course: what has been, and what is to come. Pure. */

import type { Course, PlaceCourse } from "../api";
import { BACK_SECONDS } from "../time/axis";

export interface CourseParts {
  readonly past: Course;
  /** Begins with the last point of the past, so that both are one line. */
  readonly coming: Course;
}

const NOTHING: Course = { valid_at: [], temperature_2m: [], wind_speed_10m: [], wind_direction_10m: [] };

/**
 * What was fetched begins with the first sweep and ends with the last one: the hourly series knows the day before it, and
 * the hours since.
 */
export function partsOf({ series, forecast }: PlaceCourse, nowSeconds: number): CourseParts {
  const from = nowSeconds - BACK_SECONDS;
  const hours = forecast ?? NOTHING;
  const fetched = within(series ?? NOTHING, (time) => time >= from);
  const [first = nowSeconds + 1] = fetched.valid_at;
  const last = fetched.valid_at.at(-1) ?? nowSeconds;
  const before = within(hours, (time) => time >= from && time < first);
  const since = within(hours, (time) => time > last && time <= nowSeconds);
  const past = joined(before, fetched, since);
  const end = past.valid_at.at(-1) ?? from;
  const coming = within(hours, (time) => time > end);
  const isLast = (time: number): boolean => time === end;
  return { past, coming: coming.valid_at.length === 0 ? coming : joined(within(past, isLast), coming) };
}

function within(course: Course, keep: (time: number) => boolean): Course {
  const kept = [...course.valid_at.keys()].filter((index) => keep(course.valid_at[index] as number));
  const pick = <T>(values: readonly T[]): T[] => kept.map((index) => values[index] as T);
  return {
    valid_at: pick(course.valid_at),
    temperature_2m: pick(course.temperature_2m),
    wind_speed_10m: pick(course.wind_speed_10m),
    wind_direction_10m: pick(course.wind_direction_10m),
  };
}

function joined(...courses: Course[]): Course {
  return {
    valid_at: courses.flatMap(({ valid_at }) => valid_at),
    temperature_2m: courses.flatMap(({ temperature_2m }) => temperature_2m),
    wind_speed_10m: courses.flatMap(({ wind_speed_10m }) => wind_speed_10m),
    wind_direction_10m: courses.flatMap(({ wind_direction_10m }) => wind_direction_10m),
  };
}
