import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadCourse } from "../src/api";
import { CourseLoader } from "../src/course";

const COURSE = { valid_at: [60], temperature_2m: [1], wind_speed_10m: [2], wind_direction_10m: [3] };

/** What was asked for, to be answered by the test. */
const asked = new Map<string, (response: Response) => void>();

function answer(path: string, body: unknown, status = 200): void {
  asked.get(path)?.(new Response(JSON.stringify(body), { status }));
}

beforeEach(() => {
  asked.clear();
  vi.stubGlobal("fetch", (path: string, { signal }: { signal: AbortSignal }) => {
    return new Promise<Response>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      asked.set(path, resolve);
    });
  });
});

afterEach(() => vi.unstubAllGlobals());

describe("the course of a place", () => {
  it("is not half there when it is not wanted any more: another place's would be drawn", async () => {
    const loading = new AbortController();
    const course = loadCourse(1, loading.signal);
    answer("/api/v1/locations/1/series", COURSE);
    await new Promise((done) => setTimeout(done));
    loading.abort();
    await expect(course).rejects.toThrow("abort");
  });

  it("tells what the server does not have from what could not be loaded", async () => {
    const course = loadCourse(2, new AbortController().signal);
    answer("/api/v1/locations/2/series", { error: "no such location" }, 404);
    answer("/api/v1/locations/2/forecast", {}, 503);
    expect(await course).toEqual({ series: null, forecast: null, whole: false });
    const other = loadCourse(3, new AbortController().signal);
    answer("/api/v1/locations/3/series", { ...COURSE, valid_at: [] });
    answer("/api/v1/locations/3/forecast", {}, 404);
    expect(await other).toMatchObject({ forecast: null, whole: true });
  });
});

describe("the course of the chosen place", () => {
  let told: string[];
  let loader: CourseLoader;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, "warn").mockImplementation(() => {});
    told = [];
    loader = new CourseLoader(({ kind }) => told.push(kind));
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** Answers what is asked for of a place, and forgets that it was asked for. */
  async function both(id: number, series: unknown, forecast: unknown, status = 200): Promise<void> {
    answer(`/api/v1/locations/${id}/series`, series, status);
    answer(`/api/v1/locations/${id}/forecast`, forecast, status);
    asked.clear();
    await vi.advanceTimersByTimeAsync(0);
  }

  async function askedAfter(seconds: number): Promise<number> {
    await vi.advanceTimersByTimeAsync(1000 * seconds);
    loader.tick();
    return asked.size;
  }

  it("is that of the last one that was chosen", async () => {
    loader.choose(1);
    answer("/api/v1/locations/1/series", COURSE);
    await vi.advanceTimersByTimeAsync(0);
    loader.choose(2);
    await vi.advanceTimersByTimeAsync(0);
    expect([told, loader.course]).toEqual([["loading", "loading"], null]);
    await both(2, COURSE, COURSE);
    expect(told.at(-1)).toBe("there");
    loader.choose(null);
    expect(loader.course).toBeNull();
  });

  it("is asked for again after a failure, until it comes", async () => {
    loader.choose(1);
    await both(1, {}, {}, 503);
    expect(told).toEqual(["loading", "failed"]);
    expect(await askedAfter(5)).toBe(0);
    expect(await askedAfter(20)).toBe(2);
    await both(1, COURSE, COURSE);
    expect(told.at(-1)).toBe("there");
  });

  it("is called unknown where there is none", async () => {
    loader.choose(1);
    await both(1, { ...COURSE, valid_at: [] }, { ...COURSE, valid_at: [] });
    expect(told.at(-1)).toBe("none");
  });

  it("follows its row, not more often than bearable, and the clock", async () => {
    loader.choose(1);
    await both(1, COURSE, COURSE);
    loader.rowChanged();
    expect(asked.size).toBe(0);
    expect(await askedAfter(31)).toBe(2);
    await both(1, COURSE, COURSE);
    expect(await askedAfter(300)).toBe(0);
    expect(await askedAfter(301)).toBe(2);
  });

  it("keeps what it has when it cannot be loaded again, or only a part of it", async () => {
    loader.choose(1);
    await both(1, COURSE, COURSE);
    expect(await askedAfter(601)).toBe(2);
    await both(1, {}, {}, 503);
    expect(await askedAfter(21)).toBe(2);
    answer("/api/v1/locations/1/series", {}, 503);
    answer("/api/v1/locations/1/forecast", { ...COURSE, valid_at: [120] });
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(["loading", "there", "there"]);
    expect(loader.course).toEqual({ series: COURSE, forecast: { ...COURSE, valid_at: [120] }, whole: false });
  });
});
