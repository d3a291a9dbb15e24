/** Plays the weather: moves on with the clock of the screen, or step by step for readers who want little motion. */

import { HOUR_SECONDS, type Moment, played, stepped } from "./axis";

const STILL_STEP_MS = 1_000;

export interface PlayerTarget {
  moment(): Moment;
  nowSeconds(): number;
  stepSeconds(): number;
  /** The last time that there is something to show of. */
  endSeconds(): number;
  show(moment: Moment): void;
}

export class Player {
  #hoursPerSecond = 3;
  #frame = 0;
  #timer: number | undefined;
  #lastMs = 0;
  #playing = false;

  constructor(private readonly target: PlayerTarget) {}

  get playing(): boolean {
    return this.#playing;
  }

  set hoursPerSecond(value: number) {
    this.#hoursPerSecond = value;
  }

  play(still: boolean): void {
    this.stop();
    this.#playing = true;
    if (still) {
      this.#timer = window.setInterval(() => this.#jump(), STILL_STEP_MS);
    } else {
      this.#lastMs = performance.now();
      this.#frame = requestAnimationFrame((nowMs) => this.#move(nowMs));
    }
  }

  stop(): void {
    this.#playing = false;
    cancelAnimationFrame(this.#frame);
    window.clearInterval(this.#timer);
  }

  #move(nowMs: number): void {
    const { target } = this;
    const elapsedMs = Math.max(0, Math.min(250, nowMs - this.#lastMs));
    this.#lastMs = nowMs;
    target.show(played(target.moment(), elapsedMs, this.#hoursPerSecond, target.nowSeconds(), target.endSeconds()));
    if (this.#playing) {
      this.#frame = requestAnimationFrame((nextMs) => this.#move(nextMs));
    }
  }

  #jump(): void {
    const { target } = this;
    const before = target.moment();
    const next = stepped(
      before,
      1,
      Math.max(HOUR_SECONDS, target.stepSeconds()),
      target.nowSeconds(),
      target.endSeconds(),
    );
    const atEnd = next !== "now" && next === before;
    target.show(atEnd ? played(next, 60_000, HOUR_SECONDS, target.nowSeconds(), target.endSeconds()) : next);
  }
}
