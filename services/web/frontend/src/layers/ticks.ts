/** Round values along a colour scale, for everything that explains the colours. */

import { formatNumber, type Unit } from "../units";
import type { Scale } from "./scales";

const MOST_TICKS = 7;

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
