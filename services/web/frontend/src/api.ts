/** The HTTP interface of the server (contracts H3, H4). */

export interface Course {
  /** Unix seconds, ascending. */
  readonly valid_at: readonly number[];
  readonly temperature_2m: readonly (number | null)[];
  readonly wind_speed_10m: readonly (number | null)[];
  readonly wind_direction_10m: readonly (number | null)[];
}

export interface PlaceCourse {
  readonly series: Course | null;
  readonly forecast: Course | null;
  /** Whether the server has answered for both: what is null is then not there. */
  readonly whole: boolean;
}

/**
 * The past and the forecast of a location; each is null where the server has none of it, or does not answer for it alone.
 * @throws when the server answers for neither, and when the signal was aborted, whatever had come by then.
 */
export async function loadCourse(id: number, signal: AbortSignal): Promise<PlaceCourse> {
  const [series, forecast] = await Promise.allSettled([
    load(`/api/v1/locations/${id}/series`, signal),
    load(`/api/v1/locations/${id}/forecast`, signal),
  ]);
  signal.throwIfAborted();
  if (series.status === "rejected" && forecast.status === "rejected") {
    throw series.reason;
  }
  const whole = series.status === "fulfilled" && forecast.status === "fulfilled";
  return { series: settled(series), forecast: settled(forecast), whole };
}

function settled(result: PromiseSettledResult<Course | null>): Course | null {
  return result.status === "fulfilled" ? result.value : null;
}

async function load(path: string, signal: AbortSignal): Promise<Course | null> {
  const response = await fetch(path, { signal, headers: { Accept: "application/json" } });
  if (response.status === 404) {
    return null;
  }
  if (!response.ok) {
    throw new Error(`${path} answered with HTTP ${response.status}.`);
  }
  return (await response.json()) as Course;
}
