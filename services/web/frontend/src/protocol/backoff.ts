/** Exponential backoff with full jitter: many pages that lose one server do not come back all at once. */

import { CLOSE } from "./messages";

export const BACKOFF = {
  firstMs: 1_000,
  crowdedFirstMs: 8_000,
  longestMs: 30_000,
  /** Shorter than this, a countdown would only flicker. */
  shortestMs: 300,
} as const;

/**
 * How long to wait before connecting again.
 *
 * @param attempt how many attempts failed in a row before this wait, from 0
 * @param closeCode the code that the last connection was closed with
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, closeCode: number, random: number): number {
  const crowded = closeCode === CLOSE.tooManyConnections || closeCode === CLOSE.tooManyMessages;
  const first = crowded ? BACKOFF.crowdedFirstMs : BACKOFF.firstMs;
  const ceiling = Math.min(BACKOFF.longestMs, first * 2 ** Math.min(attempt, 16));
  return Math.max(BACKOFF.shortestMs, Math.round(random * ceiling));
}
