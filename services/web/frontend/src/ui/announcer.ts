/** Tells screen readers what changed, seldom enough to be bearable. */

import { h } from "./dom";

const LEAST_PAUSE_MS = 20_000;

export class Announcer {
  readonly element = h("div", { class: "visually-hidden", "aria-live": "polite", "data-testid": "announcer" });
  #lastMs = Number.NEGATIVE_INFINITY;

  /** Something that a reader waits for or should know of: at once. */
  say(text: string): void {
    this.element.textContent = text;
    this.#lastMs = performance.now();
  }

  /** Something that happens again and again: only after a pause. Answers whether it was said. */
  mention(text: string): boolean {
    if (performance.now() - this.#lastMs < LEAST_PAUSE_MS) {
      return false;
    }
    this.say(text);
    return true;
  }
}
