/** The map: Plotly's heatmap between a drawn land below and lines and marks above, all showing one view. */

import { Highlights } from "../highlight";
import { FIELD, type Layer } from "../layers/layers";
import type { Cells } from "../state/store";
import type { MapColors } from "../theme";
import { drawBasemap } from "./basemap";
import { Field, valuesOf } from "./field";
import { listen } from "./gestures";
import { type Bounds, cellAtPoint, findGrid, type Grid, gridBounds } from "./grid";
import { drawLines, type WorldPaths, worldPaths } from "./lines";
import { drawOverlay } from "./overlay";
import { clamp, type Frame, home, type Point, pan, project, unproject, type View, zoomAt } from "./view";
import { type WindField, windField } from "./wind";
import type { World } from "./world";

export interface MapListener {
  /** The cell that is pointed at, or null, and where to write about it. */
  hover(cell: number | null, at: Point): void;
  pick(cell: number): void;
}

const WORLD_BOUNDS: Bounds = { west: -180, east: 180, south: -85, north: 85 };
const POINT_REACH_PX = 24;
const LEAST_PAUSE_MS = 200;

export class WorldMap {
  readonly #surface: HTMLElement;
  readonly #field: Field;
  readonly #base: HTMLCanvasElement;
  readonly #lines: HTMLCanvasElement;
  readonly #overlay: HTMLCanvasElement;
  readonly #highlights = new Highlights();
  readonly #motion = window.matchMedia("(prefers-reduced-motion: reduce)");

  #cells: Cells | null = null;
  #grid: Grid | null = null;
  #paths: WorldPaths | null = null;
  #layer: Layer;
  #colors: MapColors;
  #arrows = false;
  #wind: WindField | null = null;
  #frame: Frame = { width: 1, height: 1, bounds: WORLD_BOUNDS, wraps: true };
  #view: View = home(this.#frame);
  #atHome = true;
  #selected = -1;
  #hovered = -1;
  #crosshair = false;

  #plottedMs = 0;
  #waiting: number | null = null;
  #scheduled = false;
  #dataDirty = true;
  #viewDirty = true;

  constructor(
    root: HTMLElement,
    layer: Layer,
    colors: MapColors,
    private readonly listener: MapListener,
  ) {
    this.#layer = layer;
    this.#colors = colors;
    this.#base = child(root, "canvas", "map-base");
    this.#field = new Field(child(root, "div", "map-plot"));
    this.#lines = child(root, "canvas", "map-lines");
    this.#overlay = child(root, "canvas", "map-overlay");
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
    this.#changed();
  }

  setCells(cells: Cells, moved: boolean): void {
    this.#cells = cells;
    if (moved) {
      this.#grid = findGrid(cells.latitude, cells.longitude);
      this.#highlights.clear();
      this.#selected = -1;
      this.#hovered = -1;
      this.#frame = { ...this.#frame, ...extent(cells, this.#grid) };
      this.#view = this.#atHome ? home(this.#frame) : clamp(this.#view, this.#frame);
      this.#changed();
    } else if (this.#waiting === null) {
      // Many small deltas in a row become a few drawings of the field.
      const pauseMs = Math.max(0, this.#plottedMs + LEAST_PAUSE_MS - performance.now());
      this.#waiting = window.setTimeout(() => {
        this.#waiting = null;
        this.#changed();
      }, pauseMs);
    }
  }

  setLayer(layer: Layer): void {
    this.#layer = layer;
    this.#changed();
  }

  setColors(colors: MapColors): void {
    this.#colors = colors;
    this.#changed();
  }

  setArrows(shown: boolean): void {
    this.#arrows = shown;
    this.#changed();
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
    this.#look(home(this.#frame));
    this.#atHome = true;
  }

  #centre(): Point {
    return { x: this.#frame.width / 2, y: this.#frame.height / 2 };
  }

  #look(view: View): void {
    this.#view = view;
    this.#atHome = false;
    this.#viewDirty = true;
    this.#schedule();
  }

  #changed(): void {
    this.#dataDirty = true;
    this.#schedule();
  }

  #resize(): void {
    const width = this.#surface.clientWidth || 1;
    const height = this.#surface.clientHeight || 1;
    this.#frame = { ...this.#frame, width, height };
    this.#view = this.#atHome ? home(this.#frame) : clamp(this.#view, this.#frame);
    this.#changed();
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
    if (this.#dataDirty) {
      this.#drawField();
    } else if (this.#viewDirty) {
      this.#field.look(this.#view, this.#frame);
    }
    if (this.#dataDirty || this.#viewDirty) {
      drawBasemap(this.#base, this.#paths, this.#view, this.#frame, this.#colors);
      this.#drawLines();
    }
    this.#dataDirty = false;
    this.#viewDirty = false;
    this.#drawOverlay(nowMs);
    if (this.#highlights.size > 0) {
      if (this.#motion.matches) {
        window.setTimeout(() => this.#schedule(), 500);
      } else {
        this.#schedule();
      }
    }
  }

  #drawField(): void {
    const cells = this.#cells;
    this.#wind = this.#arrows
      ? windField(valuesOf(cells, FIELD.windSpeed), valuesOf(cells, FIELD.windDirection))
      : null;
    this.#field.draw({
      cells,
      grid: this.#grid,
      layer: this.#layer,
      colors: this.#colors,
      view: this.#view,
      frame: this.#frame,
    });
    this.#plottedMs = performance.now();
  }

  #places(): { grid: Grid | null; latitude: Float64Array; longitude: Float64Array; view: View; frame: Frame } {
    const none = new Float64Array(0);
    return {
      view: this.#view,
      frame: this.#frame,
      grid: this.#grid,
      latitude: this.#cells?.latitude ?? none,
      longitude: this.#cells?.longitude ?? none,
    };
  }

  #drawLines(): void {
    const ink = this.#colors.ink[this.#layer.id];
    drawLines(this.#lines, this.#paths, { ...this.#places(), wind: this.#wind, ink });
  }

  #drawOverlay(nowMs: number): void {
    const { mark, markEdge } = this.#colors;
    const scene = {
      ...this.#places(),
      mark,
      markEdge,
      selected: this.#selected,
      hovered: this.#hovered,
      crosshair: this.#crosshair,
      reducedMotion: this.#motion.matches,
    };
    drawOverlay(this.#overlay, scene, this.#highlights, nowMs);
  }

  #cellAt(at: Point): number {
    const cells = this.#cells;
    if (cells === null) {
      return -1;
    }
    if (this.#grid !== null) {
      const { longitude, latitude } = unproject(this.#view, this.#frame, at);
      return cellAtPoint(this.#grid, longitude, latitude);
    }
    let nearest = -1;
    let reach = POINT_REACH_PX;
    for (let cell = 0; cell < cells.ids.length; cell += 1) {
      const { x, y } = project(
        this.#view,
        this.#frame,
        cells.longitude[cell] as number,
        cells.latitude[cell] as number,
      );
      const away = Math.hypot(x - at.x, y - at.y);
      if (away < reach) {
        reach = away;
        nearest = cell;
      }
    }
    return nearest;
  }

  #hover(at: Point | null, crosshair: boolean): void {
    const cell = at === null ? -1 : this.#cellAt(at);
    this.#hovered = cell;
    this.#crosshair = crosshair;
    this.listener.hover(cell < 0 ? null : cell, at ?? { x: 0, y: 0 });
    this.#schedule();
  }

  #pick(at: Point): void {
    const cell = this.#cellAt(at);
    if (cell >= 0) {
      this.listener.pick(cell);
    }
  }
}

function extent(cells: Cells, grid: Grid | null): Pick<Frame, "bounds" | "wraps"> {
  if (grid !== null) {
    return { bounds: gridBounds(grid), wraps: grid.wraps };
  }
  const west = Math.min(...cells.longitude);
  const east = Math.max(...cells.longitude);
  const south = Math.min(...cells.latitude);
  const north = Math.max(...cells.latitude);
  if (east - west > 200) {
    return { bounds: WORLD_BOUNDS, wraps: true };
  }
  const margin = Math.max(2, 0.06 * Math.max(east - west, north - south));
  return {
    wraps: false,
    bounds: { west: west - margin, east: east + margin, south: south - margin, north: north + margin },
  };
}

function child<K extends "canvas" | "div">(parent: HTMLElement, tag: K, className: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.setAttribute("aria-hidden", "true");
  parent.append(element);
  return element;
}
