/** A few words about the cell that is pointed at. */

import type { Point } from "../map/view";
import { TEXT } from "../text";
import { h, setHidden, setText } from "./dom";
import type { CellFacts } from "./facts";

const OFFSET_PX = 18;
const MARGIN_PX = 8;

export class Tooltip {
  readonly element: HTMLElement;
  readonly #place = h("strong", { class: "tip-place fine" });
  readonly #temperature = h("span", { class: "tip-value" });
  readonly #wind = h("span", { class: "tip-value" });
  readonly #valid = h("span", { class: "tip-line fine" });
  readonly #age = h("span", { class: "tip-line fine" });

  constructor() {
    this.element = h(
      "div",
      { class: "tip card", role: "tooltip", "data-testid": "tooltip", hidden: true },
      this.#place,
      h("div", { class: "tip-values" }, this.#temperature, this.#wind),
      this.#valid,
      this.#age,
    );
  }

  show(facts: CellFacts, at: Point): void {
    setText(this.#place, facts.place);
    setText(this.#temperature, facts.filled ? facts.temperature : "");
    setText(this.#wind, facts.filled ? `${facts.wind} ${facts.windFrom}` : "");
    const latest = `${TEXT.place.latest} ${facts.latest}, ${facts.validAt}`;
    setText(this.#valid, facts.filled ? latest : TEXT.place.noValueYet);
    const parts = [TEXT.age.old(facts.age), facts.source, ...(facts.stale ? [TEXT.place.stale] : [])];
    setText(this.#age, facts.filled ? parts.join(" · ") : "");
    this.element.dataset["stale"] = String(facts.stale);
    setHidden(this.element, false);
    this.#move(at);
  }

  hide(): void {
    setHidden(this.element, true);
  }

  #move(at: Point): void {
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const room = this.element.parentElement ?? document.body;
    const right = at.x + OFFSET_PX + width + MARGIN_PX <= room.clientWidth;
    const below = at.y + OFFSET_PX + height + MARGIN_PX <= room.clientHeight;
    const x = right ? at.x + OFFSET_PX : Math.max(MARGIN_PX, at.x - OFFSET_PX - width);
    const y = below ? at.y + OFFSET_PX : Math.max(MARGIN_PX, at.y - OFFSET_PX - height);
    this.element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }
}
