import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LAYERS, Model, type Point } from "../dev/model";
import { Store } from "../src/state/store";
import { TimeControl } from "../src/time/control";
import { bytes, open } from "./opened";

const HOUR = 3_600;
const NOON = 1_795_521_600;
const POINTS: Point[] = [1, 2].map((id) => ({ id, latitude: 10 * id, longitude: 0, name: null }));

/** The frames that were asked for, to be answered by the test. */
class Frames {
  readonly asked: { readonly url: URL; readonly signal: AbortSignal; answer(response: Response): void }[] = [];

  fetch(path: string, { signal }: { signal: AbortSignal }): Promise<Response> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      this.asked.push({ url: new URL(path, "http://localhost"), signal, answer: resolve });
    });
  }

  get open(): number {
    return this.asked.filter(({ signal }) => !signal.aborted).length;
  }

  /** Answers everything that was asked for and not given up. */
  async answer(model: Model | null): Promise<void> {
    for (const { url, signal, answer } of this.asked.splice(0)) {
      if (!signal.aborted) {
        answer(model === null ? new Response(null, { status: 503 }) : new Response(framesOf(model, url)));
      }
    }
    await vi.advanceTimersByTimeAsync(0);
  }
}

function framesOf(model: Model, { searchParams }: URL): ArrayBuffer {
  const [from, to] = ["from", "to"].map((name) => Number(searchParams.get(name))) as [number, number];
  const times = Array.from({ length: (to - from) / HOUR + 1 }, (_, index) => from + index * HOUR);
  return bytes(model.frames(LAYERS.map(String).indexOf(searchParams.get("layer") ?? ""), times));
}

describe("moving in time", () => {
  let frames: Frames;
  let model: Model;
  let time: TimeControl;
  let store: Store;
  /** How far the page's clock is from the one that counts. */
  let clockSeconds: number;
  const now = (): number => Date.now() / 1000 + clockSeconds;

  beforeEach(() => {
    vi.useFakeTimers({ now: 1000 * (NOON + 600) });
    frames = new Frames();
    vi.stubGlobal("fetch", frames.fetch.bind(frames));
    vi.stubGlobal("window", Object.assign(globalThis, { matchMedia: () => ({ matches: false }) }));
    vi.stubGlobal("requestAnimationFrame", (draw: (ms: number) => void) =>
      setTimeout(() => draw(performance.now()), 16),
    );
    vi.stubGlobal("cancelAnimationFrame", clearTimeout);
    model = new Model(POINTS);
    model.fetch([0, 1], 1);
    store = new Store();
    clockSeconds = 0;
    time = new TimeControl(store, { nowSeconds: now, changed: () => {}, moved: () => {} });
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  /** The map is there, and all frames are. */
  async function opened(): Promise<void> {
    open(model, store);
    time.placesChanged();
    await frames.answer(model);
    time.prefetch();
    await frames.answer(model);
  }

  it("asks once for the frames, however often it moves before they are there", async () => {
    open(model, store);
    time.togglePlay();
    await vi.advanceTimersByTimeAsync(500);
    expect(frames.asked).toHaveLength(3);
    await frames.answer(model);
    expect(time.message).toBe("");
  });

  it("does not ask again at once for what could not be loaded", async () => {
    open(model, store);
    time.togglePlay();
    await frames.answer(null);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(frames.asked).toHaveLength(0);
    expect(time.message).toContain("could not be loaded");
    await vi.advanceTimersByTimeAsync(40_000);
    expect(frames.open).toBe(3);
  });

  it("asks again soon for frames that are of other places than the map", async () => {
    open(model, store);
    time.placesChanged();
    const other = new Model(POINTS.slice(1));
    await frames.answer(other);
    time.prefetch();
    await vi.advanceTimersByTimeAsync(5_000);
    time.prefetch();
    await frames.answer(other);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(frames.open).toBe(3);
    await frames.answer(model);
    time.go(NOON);
    expect(time.message).toBe("");
  });

  it("ends where the frames end, also after the hour has turned", async () => {
    await opened();
    await vi.advanceTimersByTimeAsync(1000 * HOUR - 601_000);
    await frames.answer(model);
    await vi.advanceTimersByTimeAsync(2_000);
    time.go(NOON + 49 * HOUR);
    expect([time.moment, time.message]).toEqual([NOON + 48 * HOUR, ""]);
  });

  it("does not stay at a time that has left the axis", async () => {
    await opened();
    time.go(NOON - 23 * HOUR);
    await vi.advanceTimersByTimeAsync(1000 * 2 * HOUR);
    await frames.answer(model);
    time.tick();
    expect([time.moment, time.message]).toEqual([NOON - 22 * HOUR, ""]);
  });

  it("goes where a link asks although the clock is wrong until the server tells the time", async () => {
    clockSeconds = -10 * 24 * HOUR;
    time.want(NOON + 5 * HOUR);
    expect(time.linked).toBe(NOON + 5 * HOUR);
    time.prefetch();
    expect(frames.asked).toEqual([]);
    clockSeconds = 0;
    await opened();
    expect([time.moment, time.linked, time.message]).toEqual([NOON + 5 * HOUR, NOON + 5 * HOUR, ""]);
  });

  it("keeps to the axis where a link asks for an old time, and to what was chosen since", async () => {
    time.want(NOON - 99 * HOUR);
    time.go(NOON + HOUR);
    await opened();
    expect(time.moment).toBe(NOON + HOUR);
    time.want(NOON - 99 * HOUR);
    expect(time.moment).toBe(NOON - 24 * HOUR);
  });

  it("pauses at a whole minute, which is what a link and the clock on the page say", async () => {
    await opened();
    time.togglePlay();
    await vi.advanceTimersByTimeAsync(1_234);
    time.togglePlay();
    expect(Number(time.moment) % 60).toBe(0);
    expect(time.playing).toBe(false);
  });

  it("grows old with time also where another moment is shown", async () => {
    await opened();
    time.go(NOON);
    const before = time.shown;
    const changed = vi.fn();
    const other = new TimeControl(store, { nowSeconds: now, changed, moved: () => {} });
    other.go(NOON);
    changed.mockClear();
    await vi.advanceTimersByTimeAsync(31_000);
    other.tick();
    expect(changed).toHaveBeenCalledTimes(1);
    expect(before).not.toBeNull();
  });
});
