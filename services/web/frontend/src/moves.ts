/** What a reader does in time by keys and buttons, and is told where it led: the eyes may be elsewhere. */

import type { TimeControl } from "./time/control";

export interface Moves {
  step(direction: 1 | -1): void;
  play(): void;
  now(): void;
  stepSize(stepSeconds: number): void;
  speed(hoursPerSecond: number): void;
  /** Somebody is about to move in time. */
  near(): void;
}

/** @param say tells the moment that is shown */
export function movesOf(time: TimeControl, say: () => void): Moves {
  return {
    step: (direction) => {
      time.step(direction);
      say();
    },
    play: () => {
      time.togglePlay();
      if (!time.playing) {
        say();
      }
    },
    now: () => {
      time.go("now");
      say();
    },
    stepSize: (stepSeconds) => {
      time.stepSize = stepSeconds;
    },
    speed: (hoursPerSecond) => {
      time.speed = hoursPerSecond;
    },
    near: () => time.prefetch(),
  };
}
