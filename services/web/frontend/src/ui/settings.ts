/** The display settings: units, appearance, what is drawn, whether letters are commands. */

import type { Fill, Prefs, ThemeChoice } from "../prefs";
import { TEXT } from "../text";
import type { TemperatureUnit, WindUnit } from "../units";
import { choice } from "./choice";
import { h, ICONS, iconButton } from "./dom";
import { Popover } from "./popover";

export class Settings {
  readonly button = iconButton(TEXT.settings, ICONS.settings, "settings");
  readonly element: HTMLElement;
  readonly #temperature;
  readonly #wind;
  readonly #fill;
  readonly #arrows = h("input", { type: "checkbox", class: "switch-input", role: "switch" });
  readonly #isotherms = h("input", { type: "checkbox", class: "switch-input", role: "switch" });
  readonly #shortcuts = h("input", { type: "checkbox", class: "switch-input", role: "switch" });

  constructor(prefs: Prefs, change: (part: Partial<Prefs>) => void) {
    this.#temperature = choice<TemperatureUnit>(
      "temperature-unit",
      TEXT.units.temperature,
      entries(TEXT.units.temperatureNames),
      prefs.temperature,
      (temperature) => change({ temperature }),
    );
    this.#wind = choice<WindUnit>("wind-unit", TEXT.units.wind, entries(TEXT.units.windNames), prefs.wind, (wind) =>
      change({ wind }),
    );
    const theme = choice<ThemeChoice>(
      "theme",
      TEXT.theme.label,
      entries({ system: TEXT.theme.system, light: TEXT.theme.light, dark: TEXT.theme.dark }),
      prefs.theme,
      (value) => change({ theme: value }),
    );
    this.#fill = choice<Fill>(
      "fill",
      TEXT.fill.label,
      entries({ smooth: TEXT.fill.smooth, cells: TEXT.fill.cells }),
      prefs.fill,
      (fill) => change({ fill }),
    );
    this.#arrows.addEventListener("change", () => change({ arrows: this.#arrows.checked }));
    this.#isotherms.addEventListener("change", () => change({ isotherms: this.#isotherms.checked }));
    this.#shortcuts.addEventListener("change", () => change({ shortcuts: this.#shortcuts.checked }));
    this.element = h(
      "div",
      { class: "settings popover card", id: "settings", role: "region", "aria-label": TEXT.settings, hidden: true },
      section(TEXT.units.temperature, this.#temperature.element),
      section(TEXT.units.wind, this.#wind.element),
      section(TEXT.theme.label, theme.element),
      section(TEXT.fill.label, this.#fill.element),
      h("label", { class: "switch", "data-testid": "isotherms" }, h("span", {}, TEXT.isotherms), this.#isotherms),
      h("label", { class: "switch", "data-testid": "arrows" }, h("span", {}, TEXT.arrows), this.#arrows),
      h("label", { class: "switch", "data-testid": "shortcuts" }, h("span", {}, TEXT.shortcuts), this.#shortcuts),
    );
    new Popover(this.button, this.element);
  }

  show(prefs: Prefs, arrows: boolean, isotherms: boolean): void {
    this.#temperature.set(prefs.temperature);
    this.#wind.set(prefs.wind);
    this.#fill.set(prefs.fill);
    this.#arrows.checked = arrows;
    this.#isotherms.checked = isotherms;
    this.#shortcuts.checked = prefs.shortcuts;
  }
}

function section(label: string, content: HTMLElement): HTMLElement {
  return h(
    "div",
    { class: "settings-row" },
    h("span", { class: "settings-label fine", "aria-hidden": "true" }, label),
    content,
  );
}

function entries<T extends string>(names: Readonly<Record<T, string>>): { value: T; label: string }[] {
  return (Object.keys(names) as T[]).map((value) => ({ value, label: names[value] }));
}
