/** Keeps the shown values true: to the rows as they change, to the frames as they come, to the chosen moment. */

import type { Store } from "../state/store";
import { TEXT } from "../text";
import { type Kind, kindOf, type Moment, seconds, span, stepped } from "./axis";
import type { Frames } from "./frames";
import { FrameLoader } from "./loader";
import { Player } from "./player";
import { Shown } from "./shown";

export interface TimeTarget {
  nowSeconds(): number;
  /** Other values are shown. */
  changed(shown: Shown): void;
  /** Another moment is shown, or the controls are to be drawn anew. */
  moved(): void;
}

/** Many small deltas in a row become a few drawings. */
const ROWS_PAUSE_MS = 200;
const PLAYING_PAUSE_MS = 45;
/** How often the map of now is moved on. */
const NOW_PAUSE_MS = 30_000;

export class TimeControl {
  #moment: Moment = "now";
  #stepSeconds = 3_600;
  #frames: Frames | null = null;
  #failed = false;
  #shown: Shown | null = null;
  #computedMs = Number.NEGATIVE_INFINITY;
  #waiting: number | undefined;
  readonly #motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  readonly #player: Player;
  readonly #loader: FrameLoader;

  constructor(
    private readonly store: Store,
    private readonly target: TimeTarget,
  ) {
    this.#player = new Player({
      moment: () => this.#moment,
      nowSeconds: () => target.nowSeconds(),
      stepSeconds: () => this.#stepSeconds,
      endSeconds: () => this.#end,
      show: (moment) => this.#show(moment, PLAYING_PAUSE_MS),
    });
    this.#loader = new FrameLoader(() => target.nowSeconds(), {
      frames: (frames) => {
        this.#frames = frames;
        this.#failed = false;
        this.#moment = this.#within(this.#moment);
        this.#later(0);
        target.moved();
      },
      failed: () => {
        this.#failed = true;
        target.moved();
      },
    });
  }

  get moment(): Moment {
    return this.#moment;
  }

  get kind(): Kind {
    return kindOf(this.#moment, this.target.nowSeconds());
  }

  get seconds(): number {
    return seconds(this.#moment, this.target.nowSeconds());
  }

  get playing(): boolean {
    return this.#player.playing;
  }

  get shown(): Shown | null {
    return this.#shown;
  }

  /** What a reader is told about the frames; empty when they are there. */
  get message(): string {
    if (this.#moment === "now" || this.#usable?.covers(this.seconds) === true) {
      return "";
    }
    return this.#failed ? TEXT.time.missing : TEXT.time.loading;
  }

  /** The map is about other places. */
  placesChanged(): void {
    if (this.#usable === null) {
      this.#frames = null;
      this.#loader.restart();
    }
    this.#compute();
  }

  rowsChanged(): void {
    this.#later(ROWS_PAUSE_MS);
  }

  tick(): void {
    if (this.#moment === "now" && performance.now() - this.#computedMs >= NOW_PAUSE_MS) {
      this.#compute();
    }
  }

  prefetch(): void {
    this.#loader.want();
  }

  go(moment: Moment): void {
    this.#player.stop();
    this.#show(moment, 0);
  }

  step(direction: 1 | -1): void {
    this.go(stepped(this.#moment, direction, this.#stepSeconds, this.target.nowSeconds(), this.#end));
  }

  togglePlay(): void {
    if (this.#player.playing) {
      this.#player.stop();
    } else {
      this.#loader.want();
      this.#player.play(this.#motion.matches);
    }
    this.target.moved();
  }

  set stepSize(stepSeconds: number) {
    this.#stepSeconds = stepSeconds;
  }

  set speed(hoursPerSecond: number) {
    this.#player.hoursPerSecond = hoursPerSecond;
  }

  get #usable(): Frames | null {
    const { geometry, count } = this.store;
    return this.#frames !== null && this.#frames.geometry === geometry && this.#frames.count === count
      ? this.#frames
      : null;
  }

  /** The last time that there is something to show of: the axis' end until all frames are there. */
  get #end(): number {
    const now = this.target.nowSeconds();
    const { to } = span(now);
    const frames = this.#usable;
    return frames === null || frames.last < to ? to : frames.reach(now);
  }

  /** Beyond the end of the series the map would be empty: there its end is shown. */
  #within(moment: Moment): Moment {
    return moment === "now" ? moment : Math.min(moment, this.#end);
  }

  #show(moment: Moment, pauseMs: number): void {
    this.#moment = this.#within(moment);
    if (moment !== "now" && this.#usable?.covers(moment) !== true) {
      this.#loader.want();
    }
    this.#later(pauseMs);
    this.target.moved();
  }

  #later(pauseMs: number): void {
    const waitMs = this.#computedMs + pauseMs - performance.now();
    if (waitMs <= 0) {
      this.#compute();
    } else if (this.#waiting === undefined) {
      this.#waiting = window.setTimeout(() => this.#compute(), waitMs);
    }
  }

  #compute(): void {
    window.clearTimeout(this.#waiting);
    this.#waiting = undefined;
    this.#computedMs = performance.now();
    const { cells } = this.store;
    if (cells === null) {
      return;
    }
    if (this.#shown?.count !== cells.ids.length) {
      this.#shown = new Shown(cells.ids.length);
    }
    const frames = this.#usable;
    if (this.#moment === "now") {
      this.#shown.showNow(cells, frames, this.target.nowSeconds());
    } else if (frames !== null) {
      this.#shown.showAt(frames, this.#moment);
    } else {
      this.#shown = new Shown(cells.ids.length);
    }
    this.target.changed(this.#shown);
  }
}
