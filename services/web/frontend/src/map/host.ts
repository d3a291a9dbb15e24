/** The map as the page holds it: its code arrives after the first words, and what is said to it before that is kept. */

import type { LinkView } from "../permalink";
import { backoffMs } from "../protocol/backoff";
import { CLOSE } from "../protocol/messages";
import type { Named } from "../search/search";
import type { Cells } from "../state/store";
import type { MapListener, Values, WorldMap } from "./map";
import type { Style } from "./style";
import type { World } from "./world";

export type Broken = "code" | "canvas";

export class MapHost {
  #map: WorldMap | null = null;
  #cells: Cells | null = null;
  #values: Values | null = null;
  #view: LinkView | null = null;
  #selected = -1;
  #countries: readonly Named[] = [];

  constructor(
    private readonly element: HTMLElement,
    private style: Style,
    private readonly listener: MapListener,
  ) {}

  /** Loads and starts the map; answers what keeps it from working, or null. */
  async start(): Promise<Broken | null> {
    if (!canDraw()) {
      return "canvas";
    }
    try {
      const [{ WorldMap }, { loadWorld }] = await Promise.all([import("./map"), import("./world")]);
      const map = new WorldMap(this.element, this.style, this.listener);
      this.#map = map;
      if (this.#view !== null) {
        map.look(this.#view);
      }
      if (this.#cells !== null) {
        map.setPlaces(this.#cells);
      }
      if (this.#values !== null) {
        map.setValues(this.#values);
      }
      map.select(this.#selected);
      this.#drawWorld(map, loadWorld);
      return null;
    } catch (error) {
      console.error(error);
      return "code";
    }
  }

  get countries(): readonly Named[] {
    return this.#countries;
  }

  get view(): LinkView | null {
    return this.#map === null ? this.#view : this.#map.view;
  }

  setPlaces(cells: Cells): void {
    this.#cells = cells;
    this.#values = null;
    this.#map?.setPlaces(cells);
  }

  setValues(values: Values): void {
    this.#values = values;
    this.#map?.setValues(values);
  }

  setStyle(style: Style): void {
    this.style = style;
    this.#map?.setStyle(style);
  }

  select(cell: number): void {
    this.#selected = cell;
    this.#map?.select(cell);
  }

  look(view: LinkView): void {
    this.#view = view;
    this.#map?.look(view);
  }

  pulse(cells: ArrayLike<number>): void {
    this.#map?.pulse(cells);
  }

  zoom(factor: number): void {
    this.#map?.zoom(factor);
  }

  reset(): void {
    this.#view = null;
    this.#map?.reset();
  }

  cellOf(latitude: number, longitude: number): number {
    return this.#map?.cellOf(latitude, longitude) ?? -1;
  }

  /** @throws when there is no map yet, or it cannot be drawn */
  async picture(title: string, credit: string): Promise<Blob> {
    if (this.#map === null) {
      throw new Error("There is no map to take a picture of.");
    }
    return this.#map.picture(title, credit);
  }

  /** The weather is shown without coastlines rather than not at all: they are asked for until they come. */
  #drawWorld(map: WorldMap, loadWorld: () => Promise<World>, attempt = 0): void {
    loadWorld().then(
      (world) => {
        this.#countries = world.countries;
        map.setWorld(world);
      },
      () => {
        const waitMs = backoffMs(attempt, CLOSE.goingAway, Math.random());
        setTimeout(() => this.#drawWorld(map, loadWorld, attempt + 1), waitMs);
      },
    );
  }
}

/** A browser may have no canvas, give none of its contexts, or throw when it is asked for one. */
function canDraw(): boolean {
  try {
    return document.createElement("canvas").getContext("2d") !== null;
  } catch {
    return false;
  }
}
