/** How many places have changed lately: changes that come soon after one another are told as one. */

const WINDOW_MS = 5_000;

export class Updates {
  #cells = new Set<number>();
  #atMs = Number.NEGATIVE_INFINITY;

  /** Takes in changed cells; answers how many have changed in this window. */
  add(cells: Iterable<number>, nowMs: number): number {
    if (nowMs - this.#atMs >= WINDOW_MS) {
      this.#cells = new Set();
      this.#atMs = nowMs;
    }
    for (const cell of cells) {
      this.#cells.add(cell);
    }
    return this.#cells.size;
  }

  get last(): { readonly count: number; readonly atMs: number } | null {
    return this.#cells.size === 0 ? null : { count: this.#cells.size, atMs: this.#atMs };
  }
}
