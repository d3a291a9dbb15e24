/** The legend: what the colours mean, in the reader's unit, which a press on it changes. */

import type { Layer, LayerId } from "../layers/layers";
import type { Scale } from "../layers/scales";
import { TEXT } from "../text";
import type { Moment } from "../time/axis";
import { formatNumber, type Unit, type Units } from "../units";
import { h, setText } from "./dom";

const MOST_TICKS = 7;

export class Legend {
  readonly element: HTMLElement;
  readonly #title = h("h2", { class: "legend-title" });
  readonly #unit = h("button", { type: "button", class: "legend-unit", "data-testid": "legend-unit" });
  readonly #bar = h("canvas", { class: "legend-bar", width: 256, height: 1, "aria-hidden": "true" });
  readonly #ticks = h("div", { class: "legend-ticks", "aria-hidden": "true" });

  constructor(age: HTMLElement, onUnit: () => void) {
    this.#unit.addEventListener("click", onUnit);
    this.element = h(
      "section",
      { class: "legend card", "data-testid": "legend" },
      h("div", { class: "legend-head" }, this.#title, this.#unit),
      h("div", { class: "legend-scale" }, this.#bar, this.#ticks),
      age,
    );
  }

  title(layer: LayerId, moment: Moment): void {
    setText(this.#title, legendTitle(layer, moment));
  }

  show(layer: Layer, units: Units, opacity: number): void {
    const unit = layer.unit(units);
    setText(this.#unit, unit.symbol);
    this.#unit.setAttribute("aria-label", TEXT.units.change(unit.symbol));
    this.#bar.style.opacity = String(opacity);
    paint(this.#bar, layer.scale);
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

export interface Tick {
  readonly text: string;
  /** Its place along the scale, from 0 to 1. */
  readonly share: number;
}

/** Round values in the reader's unit, at most MOST_TICKS of them. */
export function ticks(scale: Scale, unit: Unit): Tick[] {
  const low = unit.fromSi(scale.low);
  const high = unit.fromSi(scale.high);
  const step = roundStep((high - low) / (MOST_TICKS - 1));
  const found: Tick[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) {
    const si = unit.toSi(value);
    const share = (si - scale.low) / (scale.high - scale.low);
    if (share <= 1) {
      found.push({ text: formatNumber(unit.toSi(value), { ...unit, digits: 0, fromSi: () => value }), share });
    }
  }
  return found;
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= least - 1e-9) ?? 10;
  return Math.max(1, Math.round(step * power));
}

function paint(canvas: HTMLCanvasElement, scale: Scale): void {
  const context = canvas.getContext("2d");
  if (context === null) {
    return;
  }
  const gradient = context.createLinearGradient(0, 0, canvas.width, 0);
  for (const [index, color] of scale.colors.entries()) {
    gradient.addColorStop(index / (scale.colors.length - 1), color);
  }
  context.clearRect(0, 0, canvas.width, 1);
  context.fillStyle = gradient;
  context.fillRect(0, 0, canvas.width, 1);
}
