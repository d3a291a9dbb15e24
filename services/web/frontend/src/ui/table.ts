/** Every value as text: for screen readers, for who prefers numbers, and where the map cannot be drawn. */

import { TEXT } from "../text";
import { h, ICONS, iconButton, setHidden, setText } from "./dom";
import type { CellFacts } from "./facts";

export interface TableSource {
  count(): number;
  name(cell: number): string;
  facts(cell: number): CellFacts | null;
  caption(): string;
}

const ROWS = 50;

export class Table {
  readonly element: HTMLDialogElement;
  readonly #caption = h("caption", { class: "table-caption fine" });
  readonly #body = h("tbody");
  readonly #scroll = h("div", {
    class: "table-scroll",
    tabindex: 0,
    role: "region",
    "aria-labelledby": "table-title",
  });
  readonly #range = h("span", { class: "table-range", role: "status", "data-testid": "table-range" });
  readonly #filter = h("input", {
    type: "text",
    class: "table-filter field",
    placeholder: TEXT.table.filter,
    "aria-label": TEXT.table.filter,
    "data-testid": "table-filter",
  });
  readonly #previous = h("button", { type: "button", class: "button" }, TEXT.table.previous);
  readonly #next = h("button", { type: "button", class: "button", "data-testid": "table-next" }, TEXT.table.next);
  #source: TableSource | null = null;
  #cells: readonly number[] = [];
  #count = 0;
  #first = 0;

  constructor() {
    const close = iconButton(TEXT.table.close, ICONS.close, "table-close");
    close.addEventListener("click", () => this.element.close());
    this.#filter.addEventListener("input", () => this.#look());
    this.#previous.addEventListener("click", () => this.#turn(-ROWS));
    this.#next.addEventListener("click", () => this.#turn(ROWS));
    const texts = TEXT.table;
    const heads = [texts.place, texts.temperature, texts.wind, texts.from, texts.latest, texts.age, texts.source];
    this.#scroll.append(
      h(
        "table",
        {},
        this.#caption,
        h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { class: "fine", scope: "col" }, head)))),
        this.#body,
      ),
    );
    this.element = h(
      "dialog",
      { class: "table card", "aria-labelledby": "table-title", "data-testid": "table" },
      h("div", { class: "table-head" }, h("h2", { id: "table-title" }, texts.title), this.#filter, close),
      this.#scroll,
      h("div", { class: "table-foot" }, this.#range, this.#previous, this.#next),
    );
  }

  open(source: TableSource): void {
    this.#source = source;
    this.#filter.value = "";
    this.#look();
    this.element.showModal();
  }

  /** The values have changed. */
  refresh(): void {
    if (this.element.open && this.#source?.count() !== this.#count) {
      this.#look();
    } else if (this.element.open) {
      this.#show();
    }
  }

  #look(): void {
    const wanted = this.#filter.value.trim().toLowerCase();
    const count = this.#source?.count() ?? 0;
    this.#count = count;
    const all = Array.from({ length: count }, (_, cell) => cell);
    this.#cells =
      wanted === "" ? all : all.filter((cell) => this.#source?.name(cell).toLowerCase().includes(wanted) ?? false);
    this.#first = 0;
    this.#show();
  }

  #turn(by: number): void {
    const [pressed, other] = by < 0 ? [this.#previous, this.#next] : [this.#next, this.#previous];
    this.#first = Math.max(0, Math.min(this.#cells.length - 1, this.#first + by));
    this.#show();
    this.#scroll.scrollTop = 0;
    if (pressed.hidden) {
      // At the end: the focus would be lost with the button.
      other.focus();
    }
  }

  #show(): void {
    const source = this.#source;
    if (source === null) {
      return;
    }
    const shown = this.#cells.slice(this.#first, this.#first + ROWS);
    setText(this.#caption, source.caption());
    this.#body.replaceChildren(
      ...shown.flatMap((cell) => {
        const facts = source.facts(cell);
        return facts === null ? [] : [row(facts)];
      }),
    );
    const last = this.#first + shown.length;
    setText(
      this.#range,
      shown.length === 0 ? TEXT.table.none : TEXT.table.range(this.#first + 1, last, this.#cells.length),
    );
    setHidden(this.#previous, this.#first === 0);
    setHidden(this.#next, last >= this.#cells.length);
  }
}

function row(facts: CellFacts): HTMLTableRowElement {
  const values = [facts.temperature, facts.wind, facts.windPoint, facts.validAt, facts.age, facts.source];
  return h("tr", {}, h("th", { scope: "row" }, facts.place), ...values.map((value) => h("td", {}, value)));
}
