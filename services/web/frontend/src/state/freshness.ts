/** How old the map is, how full, and whether any of it is simulated. */

import { SOURCE } from "../protocol/messages";
import { type Cells, isFilled } from "./store";

export interface Freshness {
  readonly count: number;
  readonly filled: number;
  readonly simulated: number;
  /** Of the filled cells; null while there are none. */
  readonly typicalSeconds: number | null;
  readonly oldestSeconds: number | null;
  readonly newestSeconds: number | null;
  /** More than half of the map is older than the server's promise. */
  readonly stale: boolean;
  readonly staleCells: number;
}

/**
 * The age of a cell: the time since the moment that its value stands for, or since it was fetched if that was earlier
 * (a simulator may run ahead of the clock).
 */
export function ageSeconds(cells: Cells, cell: number, nowSeconds: number): number {
  const since = Math.min(cells.validAt[cell] as number, cells.fetchedAt[cell] as number);
  return Math.max(0, nowSeconds - since);
}

export function freshness(cells: Cells, nowSeconds: number, staleAfterSeconds: number): Freshness {
  const count = cells.ids.length;
  const ages = new Float64Array(count);
  let filled = 0;
  let simulated = 0;
  let staleCells = 0;
  for (let cell = 0; cell < count; cell += 1) {
    if (!isFilled(cells, cell)) {
      continue;
    }
    const age = ageSeconds(cells, cell, nowSeconds);
    ages[filled] = age;
    filled += 1;
    simulated += cells.source[cell] === SOURCE.simulator ? 1 : 0;
    staleCells += age > staleAfterSeconds ? 1 : 0;
  }
  if (filled === 0) {
    return {
      count,
      filled,
      simulated,
      staleCells,
      stale: false,
      typicalSeconds: null,
      oldestSeconds: null,
      newestSeconds: null,
    };
  }
  const sorted = ages.subarray(0, filled).sort();
  const typicalSeconds = sorted[filled >> 1] as number;
  return {
    count,
    filled,
    simulated,
    staleCells,
    typicalSeconds,
    oldestSeconds: sorted[filled - 1] as number,
    newestSeconds: sorted[0] as number,
    stale: typicalSeconds > staleAfterSeconds,
  };
}
