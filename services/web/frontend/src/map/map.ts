/** The map: Plotly's heatmap between a drawn land below and lines and marks above, all showing one view. */

import { Highlights } from "../highlight";
import type { LinkView } from "../permalink";
import type { Cells } from "../state/store";
import type { Shown } from "../time/shown";
import { drawBasemap } from "./basemap";
import { Field } from "./field";
import { listen } from "./gestures";
import type { Grid } from "./grid";
import type { Isotherms } from "./isotherm_paint";
import { isothermsOf } from "./isotherm_steps";
import { drawCoasts, drawWeatherLines, type WorldPaths, worldPaths } from "./lines";
import { drawMarks } from "./marks";
import { drawOverlay } from "./overlay";
import { cellAt, cellOf, extent, type Places, placesOf, WORLD_BOUNDS } from "./pick";
import { composePicture } from "./picture";
import { buildStack, type Canvases } from "./stack";
import type { Style } from "./style";
import { clamp, type Frame, home, leastScale, type Point, pan, type View, zoomAt } from "./view";
import type { World } from "./world";

export interface MapListener {
  /** The cell that is pointed at, or null, where to write about it, and whether it is pointed at by keys. */
  hover(cell: number | null, at: Point, byKeys: boolean): void;
  pick(cell: number): void;
  moved(): void;
}

/** What is drawn: for each cell the layer's value, and the weather that the lines show. */
export interface Values {
  readonly layer: Float32Array;
  readonly shown: Shown;
}

const NOWHERE: Places = { grid: null, latitude: new Float64Array(0), longitude: new Float64Array(0) };
const PULSES_PAUSE_MS = 500;

export class WorldMap {
  readonly #surface: HTMLElement;
  readonly #field: Field;
  readonly #canvases: Canvases;
  readonly #highlights = new Highlights();
  readonly #motion = window.matchMedia("(prefers-reduced-motion: reduce)");

  #places: Places = NOWHERE;
  #paths: WorldPaths | null = null;
  #style: Style;
  #values: Values | null = null;
  #isotherms: Isotherms | null = null;
  #frame: Frame = { width: 1, height: 1, bounds: WORLD_BOUNDS, wraps: true };
  #view: View = home(this.#frame);
  #atHome = true;
  /** A view that was asked for before there were places to show. */
  #wanted: LinkView | null = null;
  #selected = -1;
  #hovered = -1;
  #crosshair = false;

  #stillTimer: number | undefined;
  #scheduled = false;
  #dataDirty = true;
  #viewDirty = true;

  constructor(
    root: HTMLElement,
    style: Style,
    private readonly listener: MapListener,
  ) {
    this.#style = style;
    const { plot, canvases } = buildStack(root);
    this.#field = new Field(plot);
    this.#canvases = canvases;
    this.#surface = root;
    new ResizeObserver(() => this.#resize()).observe(root);
    document.addEventListener("visibilitychange", () => this.#schedule());
    this.#motion.addEventListener("change", () => this.#schedule());
    listen(root, {
      pan: (dx, dy) => this.#look(pan(this.#view, this.#frame, dx, dy)),
      zoom: (factor, at) => this.#look(zoomAt(this.#view, this.#frame, factor, at)),
      reset: () => this.reset(),
      hover: (at) => this.#hover(at, false),
      pick: (at) => this.#pick(at),
      focusCentre: () => this.#hover(this.#centre(), true),
      pickCentre: () => this.#pick(this.#centre()),
    });
    this.#resize();
  }

  setWorld(world: World): void {
    this.#paths = worldPaths(world);
    this.#viewChanged();
  }

  setPlaces(cells: Cells): void {
    const { latitude, longitude } = cells;
    this.#places = placesOf(latitude, longitude);
    this.#values = null;
    this.#highlights.clear();
    this.#selected = -1;
    this.#hovered = -1;
    this.#frame = { ...this.#frame, ...extent(this.#places) };
    this.#view = this.#atHome ? home(this.#frame) : clamp(this.#view, this.#frame);
    if (this.#wanted !== null) {
      this.look(this.#wanted);
      this.#wanted = null;
    }
    this.#viewChanged();
  }

  setValues(values: Values): void {
    this.#values = values;
    this.#dataDirty = true;
    this.#schedule();
  }

  setStyle(style: Style): void {
    this.#style = style;
    this.#viewChanged();
  }

  /** Marks cells that have just changed. */
  pulse(cells: ArrayLike<number>): void {
    if (!document.hidden) {
      this.#highlights.add(cells, performance.now());
      this.#schedule();
    }
  }

  select(cell: number): void {
    this.#selected = cell;
    this.#schedule();
  }

  zoom(factor: number): void {
    this.#look(zoomAt(this.#view, this.#frame, factor, this.#centre()));
  }

  reset(): void {
    this.#wanted = null;
    this.#look(home(this.#frame));
    this.#atHome = true;
  }

  /** What a link names; null for the whole map. */
  get view(): LinkView | null {
    if (this.#wanted !== null) {
      return this.#wanted;
    }
    const { latitude, longitude, scale } = this.#view;
    return this.#atHome ? null : { latitude, longitude, zoom: scale / leastScale(this.#frame) };
  }

  look({ latitude, longitude, zoom }: LinkView): void {
    if (this.#places === NOWHERE) {
      this.#wanted = { latitude, longitude, zoom };
      return;
    }
    this.#look(clamp({ latitude, longitude, scale: zoom * leastScale(this.#frame) }, this.#frame));
  }

  /** The cell of a place, or -1. */
  cellOf(latitude: number, longitude: number): number {
    return cellOf(this.#places, latitude, longitude);
  }

  /** What is on the screen, with words below it, as a PNG file. */
  async picture(title: string, credit: string): Promise<Blob> {
    this.#draw(performance.now());
    return composePicture(this.#canvases, this.#field.image(), this.#frame, { ...this.#style, title, credit });
  }

  #centre(): Point {
    return { x: this.#frame.width / 2, y: this.#frame.height / 2 };
  }

  #look(view: View): void {
    this.#view = view;
    this.#atHome = false;
    this.#viewDirty = true;
    this.#schedule();
    this.listener.moved();
  }

  #viewChanged(): void {
    this.#viewDirty = true;
    this.#dataDirty = true;
    this.#schedule();
  }

  #resize(): void {
    const width = this.#surface.clientWidth || 1;
    const height = this.#surface.clientHeight || 1;
    this.#frame = { ...this.#frame, width, height };
    this.#view = this.#atHome ? home(this.#frame) : clamp(this.#view, this.#frame);
    this.#viewChanged();
  }

  /** Many changes, one drawing; none while nobody looks. */
  #schedule(): void {
    if (!this.#scheduled && !document.hidden) {
      this.#scheduled = true;
      requestAnimationFrame((nowMs) => {
        this.#scheduled = false;
        this.#draw(nowMs);
      });
    }
  }

  #draw(nowMs: number): void {
    const { colors, layer } = this.#style;
    const ink = colors.ink[layer.id];
    if (this.#dataDirty) {
      this.#drawField();
    } else if (this.#viewDirty) {
      this.#field.look(this.#view, this.#frame);
    }
    if (this.#viewDirty) {
      drawBasemap(this.#canvases.base, this.#paths, this.#view, this.#frame, colors);
      drawCoasts(this.#canvases.coasts, this.#paths, this.#view, this.#frame, ink);
    }
    if (this.#dataDirty || this.#viewDirty) {
      const values = this.#values?.layer ?? null;
      drawMarks(this.#canvases.marks, { ...this.#scene(), ...this.#style, values });
      const wind = this.#style.arrows && this.#values !== null ? this.#values.shown : null;
      const lines = { ...this.#scene(), wind, isotherms: this.#isotherms, ink };
      drawWeatherLines(this.#canvases.lines, lines);
    }
    this.#dataDirty = false;
    this.#viewDirty = false;
    this.#drawOverlay(nowMs);
    if (this.#highlights.size > 0) {
      if (this.#motion.matches) {
        // One timer, however often the map is drawn meanwhile.
        window.clearTimeout(this.#stillTimer);
        this.#stillTimer = window.setTimeout(() => this.#schedule(), PULSES_PAUSE_MS);
      } else {
        this.#schedule();
      }
    }
  }

  #drawField(): void {
    const values = this.#values;
    if (values === null) {
      return;
    }
    const { grid } = this.#places;
    const { layer, fill, colors, isotherms } = this.#style;
    if (grid === null) {
      this.#field.clear();
    } else {
      this.#field.draw({ values: values.layer, grid, layer, fill, colors, view: this.#view, frame: this.#frame });
    }
    this.#isotherms =
      isotherms === null || grid === null ? null : isothermsOf(grid, values.shown.temperature, isotherms);
    this.#surface.dataset["drawn"] = "true";
  }

  #scene(): { grid: Grid | null; latitude: Float64Array; longitude: Float64Array; view: View; frame: Frame } {
    return { ...this.#places, view: this.#view, frame: this.#frame };
  }

  #drawOverlay(nowMs: number): void {
    const { mark, markEdge } = this.#style.colors;
    const scene = {
      ...this.#scene(),
      mark,
      markEdge,
      selected: this.#selected,
      hovered: this.#hovered,
      crosshair: this.#crosshair,
      reducedMotion: this.#motion.matches,
    };
    drawOverlay(this.#canvases.overlay, scene, this.#highlights, nowMs);
  }

  #hover(at: Point | null, crosshair: boolean): void {
    const cell = at === null ? -1 : cellAt(this.#places, this.#view, this.#frame, at);
    this.#hovered = cell;
    this.#crosshair = crosshair;
    this.listener.hover(cell < 0 ? null : cell, at ?? { x: 0, y: 0 }, crosshair);
    this.#schedule();
  }

  #pick(at: Point): void {
    const cell = cellAt(this.#places, this.#view, this.#frame, at);
    if (cell >= 0) {
      this.listener.pick(cell);
    }
  }
}
