/** The place that is pointed at and the one that is chosen: tooltip and panel follow them. */

import type { Point } from "../map/view";
import type { Store } from "../state/store";
import { TEXT } from "../text";
import { type CellFacts, valuesText } from "./facts";
import { Panel, type PanelStyle } from "./panel";
import { Tooltip } from "./tooltip";

export interface PlaceContext extends PanelStyle {
  facts(cell: number): CellFacts | null;
  /** The moment that values are shown for, in words. */
  momentText(): string;
  /** The address of what is looked at. */
  url(): string;
  /** Whether this page is a part of another one, which a link has to leave. */
  embedded(): boolean;
  /** Another place was chosen, or the chosen one is another cell now; null for none. */
  chosen(cell: number | null): void;
  /** Tells those who do not see it. */
  say(text: string): void;
  /** The reader was in what has just been closed. */
  left(): void;
}

export class Places {
  readonly tooltip = new Tooltip();
  readonly panel: Panel;
  #hovered: { cell: number; at: Point } | null = null;
  #chosen: { readonly id: number; readonly cell: number } | null = null;
  #wantedId: number | null = null;

  constructor(
    private readonly store: Store,
    private readonly context: PlaceContext,
  ) {
    this.panel = new Panel(context, () => this.close());
  }

  /** The id of the chosen location, or of the one that is waited for. */
  get id(): number | undefined {
    return this.#chosen?.id ?? this.#wantedId ?? undefined;
  }

  /** @param byKeys whether the reader moves the map below its middle by keys, and maybe does not see it */
  hover(cell: number | null, at: Point, byKeys: boolean): void {
    const isNew = cell !== this.#hovered?.cell;
    this.#hovered = cell === null ? null : { cell, at };
    this.show();
    const facts = byKeys && isNew && cell !== null ? this.context.facts(cell) : null;
    if (facts !== null) {
      this.context.say(TEXT.place.said(facts.place, valuesText(facts)));
    }
  }

  pick(cell: number, focus = true): void {
    const facts = this.context.facts(cell);
    const id = this.store.cells?.ids[cell];
    if (facts === null || id === undefined) {
      return;
    }
    this.#wantedId = null;
    this.#chosen = { id, cell };
    this.#hovered = null;
    this.panel.show(id, facts, focus);
    this.show();
    this.context.chosen(cell);
  }

  close(): void {
    this.#wantedId = null;
    if (this.#chosen !== null) {
      const within = this.panel.element.contains(document.activeElement);
      this.#chosen = null;
      this.panel.close();
      this.context.chosen(null);
      if (within) {
        this.context.left();
      }
    }
  }

  /** The map has other places: the chosen one may be another cell now, or gone. Their values are yet to come. */
  placesChanged(): void {
    this.#hovered = null;
    if (this.#chosen !== null) {
      const { id } = this.#chosen;
      const cell = this.#cellOf(id);
      if (cell < 0) {
        this.close();
      } else {
        this.#chosen = { id, cell };
        this.context.chosen(cell);
      }
    }
  }

  /** Chooses a location by its id, as soon as the places are known; null for none. */
  want(id: number | null): void {
    if (id !== this.#chosen?.id) {
      this.close();
      this.#wantedId = id;
      this.pickWanted();
    }
  }

  /** Leaves the focus where it is: an address is followed when a page opens, maybe within another page. */
  pickWanted(): void {
    const cell = this.#wantedId === null ? -1 : this.#cellOf(this.#wantedId);
    if (cell >= 0) {
      this.pick(cell, false);
    }
  }

  /** Rows have changed: the course of a chosen one has too. */
  changed(cells: Uint32Array): void {
    if (this.#chosen !== null && cells.includes(this.#chosen.cell)) {
      this.panel.rowChanged();
    }
  }

  redraw(): void {
    this.panel.redraw();
  }

  show(): void {
    const { context } = this;
    const hovered = this.#hovered === null ? null : context.facts(this.#hovered.cell);
    if (this.#hovered !== null && hovered !== null) {
      this.tooltip.show(hovered, this.#hovered.at);
    } else {
      this.tooltip.hide();
    }
    const chosen = this.#chosen === null ? null : context.facts(this.#chosen.cell);
    if (chosen !== null) {
      this.panel.update(chosen);
      this.panel.describe(context.momentText(), context.url(), context.embedded());
    }
  }

  /** To be called now and then. */
  tick(): void {
    this.show();
    this.panel.tick();
  }

  #cellOf(id: number): number {
    return this.store.cells?.ids.indexOf(id) ?? -1;
  }
}
