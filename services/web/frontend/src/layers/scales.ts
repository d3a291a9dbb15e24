/**
 * The colour scales. Each is evenly spaced in OKLab, and tells its values apart by lightness and by the
 * blue to yellow axis, which the common forms of colour blindness leave intact.
 */

import { evenPath, type Lab, lch, toHex } from "./oklab";

export interface Scale {
  readonly colors: readonly string[];
  /** The values, in SI units, at both ends; fixed, so that a colour always means the same. */
  readonly low: number;
  readonly high: number;
}

const STEPS = 65;

/** Frost in blues, warmth in ambers and reds, both darker the further they are from 0 °C. */
const COLD: readonly Lab[] = [
  lch(0.3, 0.13, 300),
  lch(0.42, 0.15, 278),
  lch(0.58, 0.14, 255),
  lch(0.74, 0.1, 232),
  lch(0.88, 0.05, 205),
  lch(0.94, 0.025, 140),
];
const WARM: readonly Lab[] = [
  lch(0.94, 0.025, 140),
  lch(0.91, 0.085, 98),
  lch(0.82, 0.13, 80),
  lch(0.7, 0.155, 55),
  lch(0.55, 0.175, 33),
  lch(0.38, 0.135, 20),
];

/** From a still, dark sea to white water. */
const WIND: readonly Lab[] = [
  lch(0.27, 0.06, 262),
  lch(0.4, 0.085, 245),
  lch(0.53, 0.095, 215),
  lch(0.67, 0.115, 175),
  lch(0.81, 0.14, 128),
  lch(0.91, 0.13, 102),
  lch(0.98, 0.03, 95),
];

/** From fresh and light to old and dark. */
const AGE: readonly Lab[] = [
  lch(0.97, 0.02, 150),
  lch(0.88, 0.07, 165),
  lch(0.76, 0.1, 190),
  lch(0.62, 0.11, 230),
  lch(0.48, 0.13, 275),
  lch(0.34, 0.14, 310),
];

function diverging(low: readonly Lab[], high: readonly Lab[]): string[] {
  const half = (STEPS + 1) / 2;
  return [...evenPath(low, half), ...evenPath(high, half).slice(1)].map(toHex);
}

export const TEMPERATURE_SCALE: Scale = { colors: diverging(COLD, WARM), low: -40, high: 40 };
export const WIND_SCALE: Scale = { colors: evenPath(WIND, STEPS).map(toHex), low: 0, high: 25 };
/** In hours. */
export const AGE_SCALE: Scale = { colors: evenPath(AGE, STEPS).map(toHex), low: 0, high: 6 };

/** The scale as Plotly takes it. */
export function plotlyScale({ colors }: Scale): [number, string][] {
  return colors.map((color, index) => [index / (colors.length - 1), color]);
}

/** The scale's colour for a value; values beyond its ends take the colour of the end. */
export function colorOf(scale: Scale, value: number): string {
  const share = (value - scale.low) / (scale.high - scale.low);
  const index = Math.round(Math.min(1, Math.max(0, share)) * (scale.colors.length - 1));
  return scale.colors[index] as string;
}
