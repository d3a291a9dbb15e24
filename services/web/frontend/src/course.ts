/** The course of the chosen place: loaded when it is chosen, and again when its row has changed, with time, after a failure. */

import { loadCourse, type PlaceCourse } from "./api";

/** A place whose row changes again and again is not asked for more often than this. */
const LEAST_RELOAD_MS = 30_000;
/** A place whose row does not change is asked for again after this: its hours pass all the same. */
const AGAIN_AFTER_MS = 10 * 60_000;
const RETRY_MS = 20_000;

export type CourseState =
  | { readonly kind: "loading" | "none" | "failed" }
  | { readonly kind: "there"; readonly course: PlaceCourse };

export class CourseLoader {
  #id: number | null = null;
  #course: PlaceCourse | null = null;
  #loading: AbortController | null = null;
  #loadedMs = 0;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(private readonly changed: (state: CourseState) => void) {}

  /** The course that is to be shown; null while there is none. */
  get course(): PlaceCourse | null {
    return this.#course;
  }

  /** Another place was chosen; null for none. */
  choose(id: number | null): void {
    this.#loading?.abort();
    this.#loading = null;
    this.#id = id;
    this.#course = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (id !== null) {
      this.changed({ kind: "loading" });
      this.#load(id);
    }
  }

  /** The row of the place has changed: its course has too. */
  rowChanged(): void {
    this.#dueMs = Math.min(this.#dueMs, this.#loadedMs + LEAST_RELOAD_MS);
    this.tick();
  }

  /** To be called now and then: loads what is due. */
  tick(): void {
    if (this.#id !== null && this.#loading === null && performance.now() >= this.#dueMs) {
      this.#load(this.#id);
    }
  }

  #load(id: number): void {
    const loading = new AbortController();
    this.#loading = loading;
    this.#loadedMs = performance.now();
    this.#dueMs = Number.POSITIVE_INFINITY;
    loadCourse(id, loading.signal).then(
      (course) => {
        this.#loading = null;
        this.#take(course);
      },
      (error: unknown) => {
        if (!loading.signal.aborted) {
          console.warn(error);
          this.#loading = null;
          this.#fail();
        }
      },
    );
  }

  #take({ series, forecast, whole }: PlaceCourse): void {
    const before = whole ? null : this.#course;
    const course = { series: series ?? before?.series ?? null, forecast: forecast ?? before?.forecast ?? null, whole };
    const found = (course.series?.valid_at.length ?? 0) + (course.forecast?.valid_at.length ?? 0) > 0;
    if (!found && !whole) {
      this.#fail();
      return;
    }
    this.#course = found ? course : null;
    this.#next(whole ? AGAIN_AFTER_MS : RETRY_MS);
    this.changed(found ? { kind: "there", course } : { kind: "none" });
  }

  /** What is known already stays. */
  #fail(): void {
    this.#next(RETRY_MS);
    if (this.#course === null) {
      this.changed({ kind: "failed" });
    }
  }

  #next(afterMs: number): void {
    this.#dueMs = Math.min(this.#dueMs, performance.now() + afterMs);
  }
}
