/** The place that is pointed at and the one that is chosen: tooltip and panel follow them. */

import type { Point } from "../map/view";
import type { Store } from "../state/store";
import type { MapColors } from "../theme";
import type { Units } from "../units";
import type { CellFacts } from "./facts";
import { Panel } from "./panel";
import { Tooltip } from "./tooltip";

export interface PlaceContext {
  facts(cell: number): CellFacts | null;
  units(): Units;
  colors(): MapColors;
  nowMs(): number;
  /** The moment that values are shown for, in words. */
  momentText(): string;
  /** The address of what is looked at. */
  url(): string;
  /** Another place was chosen; null for none. */
  chosen(cell: number | null): void;
}

export class Places {
  readonly tooltip = new Tooltip();
  readonly panel = new Panel(() => this.close());
  #hovered: { cell: number; at: Point } | null = null;
  #selected: number | null = null;
  #wantedId: number | null = null;

  constructor(
    private readonly store: Store,
    private readonly context: PlaceContext,
  ) {}

  /** The id of the chosen location. */
  get id(): number | undefined {
    return this.#selected === null ? undefined : this.store.cells?.ids[this.#selected];
  }

  hover(cell: number | null, at: Point): void {
    this.#hovered = cell === null ? null : { cell, at };
    this.show();
  }

  pick(cell: number): void {
    const { context } = this;
    const facts = context.facts(cell);
    const id = this.store.cells?.ids[cell];
    if (facts === null || id === undefined) {
      return;
    }
    this.#selected = cell;
    this.#hovered = null;
    this.panel.show(id, facts, context.units(), context.colors(), context.nowMs());
    this.show();
    context.chosen(cell);
  }

  close(): void {
    if (this.#selected !== null) {
      this.#selected = null;
      this.panel.close();
      this.context.chosen(null);
    }
  }

  /** Chooses a location by its id, as soon as the places are known. */
  want(id: number | null): void {
    this.#wantedId = id;
    this.pickWanted();
  }

  pickWanted(): void {
    const cell = this.#wantedId === null ? -1 : (this.store.cells?.ids.indexOf(this.#wantedId) ?? -1);
    if (cell >= 0) {
      this.#wantedId = null;
      this.pick(cell);
    }
  }

  /** Rows have changed: the course of a chosen one has too. */
  changed(cells: Uint32Array): void {
    if (this.#selected !== null && cells.includes(this.#selected)) {
      this.panel.refresh(this.context.units(), this.context.colors(), this.context.nowMs());
    }
  }

  redraw(): void {
    this.panel.redraw(this.context.units(), this.context.colors(), this.context.nowMs());
  }

  show(): void {
    const { context } = this;
    const hovered = this.#hovered === null ? null : context.facts(this.#hovered.cell);
    if (this.#hovered !== null && hovered !== null) {
      this.tooltip.show(hovered, this.#hovered.at);
    } else {
      this.tooltip.hide();
    }
    const chosen = this.#selected === null ? null : context.facts(this.#selected);
    if (chosen !== null) {
      this.panel.update(chosen);
      this.panel.describe(context.momentText(), context.url());
    }
  }
}
