/** Keeps the shown values true: to the rows as they change, to the frames as they come, to the chosen moment. */

import type { Store } from "../state/store";
import { TEXT } from "../text";
import { clampTo, type Kind, kindOf, type Moment, seconds, span, stepped, wholeMinute } from "./axis";
import type { Frames } from "./frames";
import { FrameLoader, type Reach } from "./loader";
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
/** How often the map is moved on with the clock: now, and how old everything is. */
const CLOCK_PAUSE_MS = 30_000;

export class TimeControl {
  #moment: Moment = "now";
  /** What a link asks for, until the server has told what time it is. */
  #wanted: Moment | null = null;
  #stepSeconds = 3_600;
  #frames: Frames | null = null;
  /** Whether the frames are those of the whole axis, as of when they were loaded. */
  #whole = false;
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
      frames: (frames, reach) => this.#take(frames, reach),
      failed: () => {
        this.#failed = true;
        target.moved();
      },
    });
  }

  get moment(): Moment {
    return this.#moment;
  }

  /** The moment that a link to what is shown names. */
  get linked(): Moment {
    return this.#wanted ?? this.#moment;
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

  /** All values have come anew, maybe of other places; before the first ones the server has told the time. */
  placesChanged(): void {
    if (this.#usable === null) {
      this.#frames = null;
      this.#loader.restart();
    }
    if (this.#wanted !== null) {
      this.want(this.#wanted);
    }
    this.#compute();
  }

  rowsChanged(): void {
    this.#later(ROWS_PAUSE_MS);
  }

  tick(): void {
    const { from } = span(this.target.nowSeconds());
    if (this.#moment !== "now" && this.#moment < from) {
      this.#show(from, 0);
    } else if (performance.now() - this.#computedMs >= CLOCK_PAUSE_MS) {
      this.#compute();
    }
  }

  /** Asks for all frames, once there is a map: before that it may not even be known what time it is. */
  prefetch(): void {
    if (this.store.cells !== null) {
      this.#loader.want();
    }
  }

  go(moment: Moment): void {
    this.#wanted = null;
    this.#player.stop();
    this.#show(moment, 0);
  }

  /** Goes where a link asks: what lies beyond the axis, as in an old link, is its end. */
  want(moment: Moment): void {
    this.go(moment === "now" ? moment : clampTo(span(this.target.nowSeconds()), moment));
    this.#wanted = this.store.cells === null ? moment : null;
  }

  step(direction: 1 | -1): void {
    this.go(stepped(this.#moment, direction, this.#stepSeconds, this.target.nowSeconds(), this.#end));
  }

  togglePlay(): void {
    if (this.#player.playing) {
      this.go(wholeMinute(this.#moment));
    } else {
      this.#wanted = null;
      this.prefetch();
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
    return this.#frames !== null && this.#fits(this.#frames) ? this.#frames : null;
  }

  #fits(frames: Frames): boolean {
    return frames.geometry === this.store.geometry && frames.count === this.store.count;
  }

  /** The last time that there is something to show of: the axis' end until all frames are there. */
  get #end(): number {
    const now = this.target.nowSeconds();
    const { to } = span(now);
    const frames = this.#whole ? this.#usable : null;
    return frames === null ? to : Math.min(to, frames.reach(now));
  }

  /** Beyond the end of the series the map would be empty: there its end is shown. */
  #within(moment: Moment): Moment {
    return moment === "now" ? moment : Math.min(moment, this.#end);
  }

  #take(frames: Frames, reach: Reach): boolean {
    if (!this.#fits(frames)) {
      return false;
    }
    this.#frames = frames;
    this.#whole = reach === "whole";
    this.#failed = false;
    this.#moment = this.#within(this.#moment);
    this.#later(0);
    this.target.moved();
    return true;
  }

  #show(moment: Moment, pauseMs: number): void {
    this.#moment = this.#within(moment);
    if (moment !== "now" && this.#usable?.covers(moment) !== true) {
      this.prefetch();
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
