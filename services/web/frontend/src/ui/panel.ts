/** The panel of one place: its values now, where they come from, and its course in time. */

import { CourseLoader, type CourseState } from "../course";
import { TEXT } from "../text";
import type { MapColors } from "../theme";
import { TEMPERATURE_UNITS, type Units, WIND_UNITS } from "../units";
import { h, ICONS, icon, setHidden, setText } from "./dom";
import type { CellFacts } from "./facts";

/** How its course is drawn, at the time of drawing. */
export interface PanelStyle {
  units(): Units;
  colors(): MapColors;
  nowMs(): number;
}

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
  readonly #courses = new CourseLoader((state) => this.#showCourse(state));

  constructor(
    private readonly style: PanelStyle,
    onClose: () => void,
  ) {
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
  }

  show(id: number, facts: CellFacts, focus: boolean): void {
    setHidden(this.element, false);
    this.update(facts);
    if (this.#id !== id) {
      this.#id = id;
      this.#courses.choose(id);
    }
    if (focus) {
      this.element.focus({ preventScroll: true });
    }
  }

  /** The place's row has changed. */
  rowChanged(): void {
    this.#courses.rowChanged();
  }

  /** Draws the course anew: in other units or colours, or because time has passed. */
  redraw(): void {
    const { course } = this.#courses;
    if (course === null) {
      return;
    }
    const { style } = this;
    const units = style.units();
    setText(this.#keyTemperature, `${TEXT.place.temperature}, ${TEMPERATURE_UNITS[units.temperature].symbol}`);
    setText(this.#keyWind, `${TEXT.place.wind}, ${WIND_UNITS[units.wind].symbol}`);
    // Together with Plotly, which the map has loaded already.
    import("./chart").then(
      ({ drawChart }) => {
        if (course === this.#courses.course) {
          drawChart(this.#chart, course, style.units(), style.colors(), style.nowMs() / 1000);
        }
      },
      (error: unknown) => console.error(error),
    );
  }

  /** Says for which moment the values are, and where a link to it all leads. */
  describe(moment: string, link: string, embedded: boolean): void {
    setText(this.#moment, moment);
    this.#link.href = link;
    this.#link.target = embedded ? "_blank" : "";
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

  /** To be called now and then: its course is kept up. */
  tick(): void {
    this.#courses.tick();
  }

  close(): void {
    this.#id = null;
    this.#courses.choose(null);
    setHidden(this.element, true);
  }

  #showCourse(state: CourseState): void {
    const isThere = state.kind === "there";
    const words = {
      loading: TEXT.place.loading,
      none: TEXT.place.noSeries,
      failed: TEXT.place.seriesFailed,
      there: "",
    };
    this.#say(words[state.kind]);
    setHidden(this.#chart, !isThere);
    setHidden(this.#key, !isThere);
    this.redraw();
  }

  #say(text: string): void {
    setText(this.#message, text);
    setHidden(this.#message, text === "");
  }
}
