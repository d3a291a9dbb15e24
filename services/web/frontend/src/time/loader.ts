/** Loads the frames: the few around now at once, the whole span soon after, and both again as time goes on. */

import { FIELD } from "../layers/layers";
import { AHEAD_SECONDS, BACK_SECONDS, HOUR_SECONDS } from "./axis";
import { decodeFrames, Frames } from "./frames";

const NEAR_BACK_SECONDS = 3 * HOUR_SECONDS;
const NEAR_AHEAD_SECONDS = HOUR_SECONDS;
const PREFETCH_AFTER_MS = 2_500;
const AGAIN_AFTER_MS = 10 * 60_000;
/** Sooner while the series are still arriving, as after a first start. */
const SOON_AFTER_MS = 30_000;
const WHOLE_COVERAGE = 0.97;
const RETRY_MS = 20_000;
/** After a failure even a reader who moves in time waits this long: moving asks with every picture. */
const LEAST_RETRY_MS = 5_000;

export type Reach = "near" | "whole";

export interface FrameListener {
  /** Answers whether they are of the places that the map has. */
  frames(frames: Frames, reach: Reach): boolean;
  /** They could not be loaded; another attempt follows. */
  failed(): void;
}

export class FrameLoader {
  #loading: AbortController | null = null;
  #timer: number | undefined;
  /** What is being loaded; null while nothing is. */
  #reach: Reach | null = null;
  #whole = false;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly nowSeconds: () => number,
    private readonly listener: FrameListener,
  ) {}

  /** Begins anew, for another set of places. */
  restart(): void {
    this.#whole = false;
    this.#load("near");
  }

  /** Somebody is about to move in time: loads the whole span now unless it is there, or under way. */
  want(): void {
    if (!this.#whole && this.#reach !== "whole" && performance.now() >= this.#notBeforeMs) {
      this.#load("whole");
    }
  }

  stop(): void {
    this.#loading?.abort();
    window.clearTimeout(this.#timer);
  }

  #load(reach: Reach): void {
    this.stop();
    const loading = new AbortController();
    this.#loading = loading;
    this.#reach = reach;
    loadFrames(this.nowSeconds(), reach, loading.signal).then(
      (frames) => {
        if (!loading.signal.aborted) {
          this.#loaded(frames, reach);
        }
      },
      () => {
        if (!loading.signal.aborted) {
          this.#failed(reach);
        }
      },
    );
  }

  #loaded(frames: Frames, reach: Reach): void {
    this.#reach = null;
    if (!this.listener.frames(frames, reach)) {
      // Of other places: this server has not heard of the change yet, or this page has not.
      this.#failed(reach);
      return;
    }
    this.#whole = reach === "whole";
    const againMs = frames.coverage(this.nowSeconds()) < WHOLE_COVERAGE ? SOON_AFTER_MS : AGAIN_AFTER_MS;
    this.#later(this.#whole ? againMs : PREFETCH_AFTER_MS, "whole");
  }

  #failed(reach: Reach): void {
    this.#reach = null;
    this.#notBeforeMs = performance.now() + LEAST_RETRY_MS;
    this.#later(RETRY_MS * (1 + Math.random()), reach);
    this.listener.failed();
  }

  #later(afterMs: number, reach: Reach): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#load(reach), afterMs);
  }
}

async function loadFrames(nowSeconds: number, reach: Reach, signal: AbortSignal): Promise<Frames> {
  const hour = Math.floor(nowSeconds / HOUR_SECONDS) * HOUR_SECONDS;
  const from = hour - (reach === "whole" ? BACK_SECONDS : NEAR_BACK_SECONDS);
  const to = hour + (reach === "whole" ? AHEAD_SECONDS : NEAR_AHEAD_SECONDS);
  const layer = async (name: string) => {
    const path = `/api/v1/frames?layer=${name}&from=${from}&to=${to}&step=${HOUR_SECONDS}`;
    const response = await fetch(path, { signal, headers: { Accept: "application/octet-stream" } });
    if (!response.ok) {
      throw new Error(`${path} answered with HTTP ${response.status}.`);
    }
    return decodeFrames(await response.arrayBuffer());
  };
  const [temperature, speed, direction] = await Promise.all([
    layer(FIELD.temperature),
    layer(FIELD.windSpeed),
    layer(FIELD.windDirection),
  ]);
  return new Frames(temperature, speed, direction);
}
