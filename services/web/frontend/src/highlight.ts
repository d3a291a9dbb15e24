/** Cells that changed a moment ago, and how strongly each is still to be shown. Pure: time is passed in. */

export const PULSE_MS = 2_600;
/** With reduced motion a mark stays as it is, then goes. */
export const STILL_MS = 4_000;
/** More marks than this would be a flicker of the whole map. */
const MOST_AT_ONCE = 150;

export class Highlights {
  readonly #since = new Map<number, number>();

  add(cells: ArrayLike<number>, nowMs: number): void {
    const stride = Math.max(1, Math.ceil(cells.length / MOST_AT_ONCE));
    for (let index = 0; index < cells.length; index += stride) {
      this.#since.set(cells[index] as number, nowMs);
    }
  }

  clear(): void {
    this.#since.clear();
  }

  get size(): number {
    return this.#since.size;
  }

  /** Calls `draw` for each mark with its progress from 0 to 1, and forgets those that have ended. */
  each(nowMs: number, durationMs: number, draw: (cell: number, progress: number) => void): void {
    for (const [cell, since] of this.#since) {
      const progress = (nowMs - since) / durationMs;
      if (progress >= 1) {
        this.#since.delete(cell);
      } else {
        draw(cell, Math.max(0, progress));
      }
    }
  }
}
