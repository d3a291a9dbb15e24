/** The legend: what the colours mean, in the reader's unit, which a press on it changes. */

import type { Layer, LayerId } from "../layers/layers";
import { ticks } from "../layers/ticks";
import { TEXT } from "../text";
import type { Moment } from "../time/axis";
import { nextUnit, type Units } from "../units";
import { h, setText } from "./dom";

export class Legend {
  readonly element: HTMLElement;
  readonly #title = h("h2", { class: "legend-title" });
  readonly #unit = h("button", { type: "button", class: "legend-unit", "data-testid": "legend-unit" });
  readonly #bar = h("div", { class: "legend-bar", "aria-hidden": "true" });
  readonly #ticks = h("div", { class: "legend-ticks fine", "aria-hidden": "true" });

  constructor(age: HTMLElement, onUnit: () => void) {
    this.#unit.addEventListener("click", onUnit);
    this.element = h(
      "section",
      { class: "legend card", "data-testid": "legend" },
      h("div", { class: "legend-head" }, this.#title, this.#unit),
      this.#bar,
      this.#ticks,
      age,
    );
  }

  title(layer: LayerId, moment: Moment): void {
    setText(this.#title, legendTitle(layer, moment));
  }

  show(layer: Layer, units: Units, opacity: number): void {
    const unit = layer.unit(units);
    setText(this.#unit, unit.symbol);
    // A layer that has one unit only offers no change.
    const only = Object.keys(nextUnit(layer.id, units)).length === 0;
    this.#unit.disabled = only;
    this.#unit.setAttribute("aria-label", only ? TEXT.units.only(unit.symbol) : TEXT.units.change(unit.symbol));
    this.#bar.style.opacity = String(opacity);
    this.#bar.style.backgroundImage = `linear-gradient(90deg, ${layer.scale.colors.join()})`;
    this.#ticks.replaceChildren(
      ...ticks(layer.scale, unit).map(({ text, share }) => {
        const tick = h("span", { class: "legend-tick" }, text);
        tick.style.left = `${100 * share}%`;
        return tick;
      }),
    );
  }
}

/** What the colours mean at a moment: of whatever time the weather is, ages are as of now. */
export function legendTitle(layer: LayerId, moment: Moment): string {
  return layer === "age" && moment !== "now" ? TEXT.agesElsewhen : TEXT.layer[layer].legend;
}
