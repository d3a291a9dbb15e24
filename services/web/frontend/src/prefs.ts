/** What a reader has chosen, remembered in the browser. Where nothing can be stored, choices last as long as the page. */

import { LAYER_IDS, type LayerId } from "./layers/layers";
import { DEFAULT_UNITS, TEMPERATURE_UNITS, type TemperatureUnit, WIND_UNITS, type WindUnit } from "./units";

export type ThemeChoice = "system" | "light" | "dark";
export type Fill = "smooth" | "cells";

export interface Prefs {
  readonly layer: LayerId;
  readonly temperature: TemperatureUnit;
  readonly wind: WindUnit;
  readonly theme: ThemeChoice;
  readonly fill: Fill;
  /** Null: as fits the layer. */
  readonly arrows: boolean | null;
  readonly isotherms: boolean | null;
  /** Whether single letters are commands: who speaks to the computer may not want that. */
  readonly shortcuts: boolean;
}

export const DEFAULT_PREFS: Prefs = {
  layer: "temperature",
  ...DEFAULT_UNITS,
  theme: "system",
  fill: "smooth",
  arrows: null,
  isotherms: null,
  shortcuts: true,
};
const KEY = "isotherm.prefs";

export function loadPrefs(): Prefs {
  try {
    return readPrefs(localStorage.getItem(KEY));
  } catch {
    return DEFAULT_PREFS;
  }
}

export function savePrefs(prefs: Prefs): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // Storage may be full or forbidden; the choice still holds for this page.
  }
}

/** What was stored may be of any age and shape: each part that is not understood falls back to its default. */
export function readPrefs(stored: string | null): Prefs {
  let found: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(stored ?? "{}");
    found = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return DEFAULT_PREFS;
  }
  const oneOf = <T extends string>(key: keyof Prefs, allowed: readonly T[], otherwise: T): T =>
    allowed.find((value) => value === found[key]) ?? otherwise;
  const flag = (key: keyof Prefs): boolean | null => {
    const value = found[key];
    return typeof value === "boolean" ? value : null;
  };
  return {
    layer: oneOf("layer", LAYER_IDS, DEFAULT_PREFS.layer),
    temperature: oneOf("temperature", keys(TEMPERATURE_UNITS), DEFAULT_PREFS.temperature),
    wind: oneOf("wind", keys(WIND_UNITS), DEFAULT_PREFS.wind),
    theme: oneOf("theme", ["system", "light", "dark"], DEFAULT_PREFS.theme),
    fill: oneOf("fill", ["smooth", "cells"], DEFAULT_PREFS.fill),
    arrows: flag("arrows"),
    isotherms: flag("isotherms"),
    shortcuts: flag("shortcuts") ?? DEFAULT_PREFS.shortcuts,
  };
}

function keys<T extends string>(record: Readonly<Record<T, unknown>>): T[] {
  return Object.keys(record) as T[];
}
