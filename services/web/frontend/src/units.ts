/** Units that readers choose from. Values come in SI units and are turned into a reader's unit only to be shown. */

import { TEXT } from "./text";

export type TemperatureUnit = "celsius" | "fahrenheit";
export type WindUnit = "mps" | "kmh" | "mph" | "knots" | "beaufort";

export interface Units {
  readonly temperature: TemperatureUnit;
  readonly wind: WindUnit;
}

export interface Unit {
  readonly symbol: string;
  readonly digits: number;
  fromSi(value: number): number;
  toSi(value: number): number;
}

export const TEMPERATURE_UNITS: Readonly<Record<TemperatureUnit, Unit>> = {
  celsius: { symbol: "°C", digits: 1, fromSi: (value) => value, toSi: (value) => value },
  fahrenheit: {
    symbol: "°F",
    digits: 0,
    fromSi: (value) => value * 1.8 + 32,
    toSi: (value) => (value - 32) / 1.8,
  },
};

/** Speeds in m/s at which each Beaufort force from 1 to 12 begins. */
export const BEAUFORT_FROM = [0.3, 1.6, 3.4, 5.5, 8.0, 10.8, 13.9, 17.2, 20.8, 24.5, 28.5, 32.7] as const;

export const WIND_UNITS: Readonly<Record<WindUnit, Unit>> = {
  mps: linear("m/s", 1, 1),
  kmh: linear("km/h", 3.6, 0),
  mph: linear("mph", 3600 / 1609.344, 0),
  knots: linear("kn", 3600 / 1852, 0),
  beaufort: {
    symbol: "Bft",
    digits: 0,
    // The scale is defined in tenths; in the map's 32 bits 13.9 lies a little below 13.9.
    fromSi: (value) => BEAUFORT_FROM.filter((from) => Math.round(value * 10) / 10 >= from).length,
    toSi: (value) => (value <= 0 ? 0 : (BEAUFORT_FROM[Math.min(12, Math.round(value)) - 1] as number)),
  },
};

/** Of the age layer, whose values are hours. */
export const AGE_UNIT: Unit = { symbol: "h", digits: 1, fromSi: (value) => value, toSi: (value) => value };

export const DEFAULT_UNITS: Units = { temperature: "celsius", wind: "mps" };

/** A value in SI units, as a reader sees it: "11.3 °C". */
export function format(value: number, unit: Unit): string {
  return unit.symbol === "Bft" ? `${unit.symbol} ${unit.fromSi(value)}` : `${formatNumber(value, unit)} ${unit.symbol}`;
}

export function formatNumber(value: number, unit: Unit): string {
  const text = unit.fromSi(value).toFixed(unit.digits);
  return text.replace(/^-(0(?:\.0+)?)$/, "$1").replace("-", "−");
}

/** The point of the compass that a wind comes from. */
export function compass(degrees: number): string {
  return TEXT.compass[Math.round((((degrees % 360) + 360) % 360) / 45) % 8] as string;
}

/** The next unit of a layer's values, in the order in which they are offered; none for a layer that has one only. */
export function nextUnit(layer: string, { temperature, wind }: Units): Partial<Units> {
  if (layer === "temperature") {
    return { temperature: following(TEMPERATURE_UNITS, temperature) };
  }
  return layer === "wind" ? { wind: following(WIND_UNITS, wind) } : {};
}

function following<T extends string>(units: Readonly<Record<T, Unit>>, unit: T): T {
  const names = Object.keys(units) as T[];
  return names[(names.indexOf(unit) + 1) % names.length] as T;
}

function linear(symbol: string, factor: number, digits: number): Unit {
  return { symbol, digits, fromSi: (value) => value * factor, toSi: (value) => value / factor };
}
