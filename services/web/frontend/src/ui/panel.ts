/** The panel of one place: its values now, where they come from, and its course in time. */

import { loadCourse, type PlaceCourse } from "../api";
import { TEXT } from "../text";
import type { MapColors } from "../theme";
import { TEMPERATURE_UNITS, type Units, WIND_UNITS } from "../units";
import { h, ICONS, icon, setHidden, setText } from "./dom";
import type { CellFacts } from "./facts";

/** The course is loaded again when a place's value changed, but not more often than this. */
const LEAST_RELOAD_MS = 30_000;

export class Panel {
  readonly element: HTMLElement;
  readonly #place = h("h2", { class: "panel-place" });
  readonly #coordinates = h("p", { class: "panel-coordinates fine" });
  readonly #temperature = h("span", { class: "panel-value", "data-testid": "panel-temperature" });
  readonly #wind = h("span", { class: "panel-value", "data-testid": "panel-wind" });
  readonly #windFrom = h("span", { class: "fine" });
  readonly #facts = h("dl", { class: "panel-facts" });
  readonly #chart = h("div", { class: "panel-chart", role: "img" });
  readonly #message = h("p", { class: "panel-message" });
  readonly #keyTemperature = h("span", { class: "key key-temperature" });
  readonly #keyWind = h("span", { class: "key key-wind" });
  readonly #key = h(
    "p",
    { class: "panel-key fine", hidden: true },
    this.#keyTemperature,
    this.#keyWind,
    h("span", { class: "key key-past" }, TEXT.place.past),
    h("span", { class: "key key-forecast" }, TEXT.place.forecast),
  );
  readonly #moment = h("p", { class: "panel-moment fine", "data-testid": "panel-moment" });
  readonly #link = h("a", { class: "panel-link", "data-testid": "panel-link" }, TEXT.place.link);
  readonly #close = h(
    "button",
    { type: "button", class: "icon-button", "aria-label": TEXT.place.close, "data-testid": "panel-close" },
    icon(...ICONS.close),
  );
  #id: number | null = null;
  #course: PlaceCourse | null = null;
  #loading: AbortController | null = null;
  #loadedMs = 0;

  constructor(onClose: () => void) {
    this.element = h(
      "aside",
      { class: "panel card", "data-testid": "panel", "aria-label": TEXT.place.label, tabindex: -1, hidden: true },
      h("div", { class: "panel-head" }, h("div", {}, this.#place, this.#coordinates), this.#close),
      this.#moment,
      h(
        "div",
        { class: "panel-values" },
        h(
          "div",
          { class: "panel-block temperature" },
          h("span", { class: "fine" }, TEXT.place.temperature),
          this.#temperature,
        ),
        h(
          "div",
          { class: "panel-block wind" },
          h("span", { class: "fine" }, TEXT.place.wind),
          this.#wind,
          this.#windFrom,
        ),
      ),
      this.#facts,
      this.#chart,
      this.#message,
      this.#key,
      this.#link,
    );
    this.#close.addEventListener("click", onClose);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        onClose();
      }
    });
  }

  get open(): boolean {
    return this.#id !== null;
  }

  show(id: number, facts: CellFacts, units: Units, colors: MapColors, nowMs: number): void {
    const changed = this.#id !== id;
    this.#id = id;
    setHidden(this.element, false);
    this.update(facts);
    if (changed) {
      this.#course = null;
      setHidden(this.#chart, true);
      setHidden(this.#key, true);
      this.element.focus({ preventScroll: true });
      this.#load(id, units, colors, nowMs);
    }
  }

  /** The place's value changed: its course has too. */
  refresh(units: Units, colors: MapColors, nowMs: number): void {
    if (this.#id !== null && nowMs - this.#loadedMs >= LEAST_RELOAD_MS) {
      this.#load(this.#id, units, colors, nowMs);
    }
  }

  redraw(units: Units, colors: MapColors, nowMs: number): void {
    const course = this.#course;
    if (course !== null) {
      setHidden(this.#chart, false);
      setText(this.#keyTemperature, `${TEXT.place.temperature}, ${TEMPERATURE_UNITS[units.temperature].symbol}`);
      setText(this.#keyWind, `${TEXT.place.wind}, ${WIND_UNITS[units.wind].symbol}`);
      // Together with Plotly, which the map has loaded already.
      import("./chart").then(
        ({ drawChart }) => drawChart(this.#chart, course, units, colors, nowMs / 1000),
        (error: unknown) => console.error(error),
      );
    }
  }

  /** Says for which moment the values are, and where a link to it all leads. */
  describe(moment: string, link: string): void {
    setText(this.#moment, moment);
    this.#link.href = link;
  }

  update(facts: CellFacts): void {
    setText(this.#place, facts.place);
    setText(this.#coordinates, facts.place === facts.coordinates ? "" : facts.coordinates);
    setText(this.#temperature, facts.temperature);
    setText(this.#wind, facts.wind);
    setText(this.#windFrom, facts.windFrom);
    const age = facts.stale ? `${facts.age} (${TEXT.place.stale})` : facts.age;
    const rows: [string, string][] = facts.filled
      ? [
          [TEXT.place.latest, facts.latest],
          [TEXT.place.valid, facts.validAt],
          [TEXT.place.age, age],
          [TEXT.place.fetched, facts.fetchedAt],
          [TEXT.place.source, facts.source],
        ]
      : [[TEXT.place.age, TEXT.place.noValueYet]];
    const signature = rows.flat().join("|");
    if (this.#facts.dataset["signature"] !== signature) {
      this.#facts.dataset["signature"] = signature;
      this.#facts.replaceChildren(...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    }
    this.#chart.setAttribute("aria-label", TEXT.place.chart(facts.place));
  }

  close(): void {
    this.#loading?.abort();
    this.#id = null;
    this.#course = null;
    setHidden(this.element, true);
  }

  #load(id: number, units: Units, colors: MapColors, nowMs: number): void {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#loadedMs = nowMs;
    if (this.#course === null) {
      this.#say(TEXT.place.loading);
    }
    loadCourse(id, loading.signal).then(
      (course) => {
        const found = (course.series?.valid_at.length ?? 0) + (course.forecast?.valid_at.length ?? 0) > 0;
        this.#course = found ? course : null;
        this.#say(found ? "" : TEXT.place.noSeries);
        setHidden(this.#chart, !found);
        setHidden(this.#key, !found);
        this.redraw(units, colors, nowMs);
      },
      (error: unknown) => {
        if (!loading.signal.aborted) {
          console.warn(error);
          this.#say(this.#course === null ? TEXT.place.noSeries : "");
        }
      },
    );
  }

  #say(text: string): void {
    setText(this.#message, text);
    setHidden(this.#message, text === "");
  }
}
