/** The latest value of every cell, in typed arrays, kept up by snapshots and deltas. */

import {
  type Delta,
  type Geometry,
  type Hello,
  NULL_VALUE,
  ProtocolError,
  SCALE,
  type Snapshot,
  SOURCE,
} from "../protocol/messages";

export interface Cells {
  readonly ids: readonly number[];
  readonly latitude: Float64Array;
  readonly longitude: Float64Array;
  readonly name: readonly (string | null)[];
  readonly validAt: Uint32Array;
  readonly fetchedAt: Uint32Array;
  readonly source: Uint8Array;
  readonly layers: ReadonlyMap<string, Int16Array>;
}

export type Change =
  | { readonly kind: "geometry" }
  | { readonly kind: "snapshot" }
  | { readonly kind: "delta"; readonly cells: Uint32Array };

export class Store {
  #hello: Hello | null = null;
  #geometry: Geometry | null = null;
  #cells: Cells | null = null;
  #stream: string | null = null;
  #seq = 0;

  get hello(): Hello | null {
    return this.#hello;
  }

  get cells(): Cells | null {
    return this.#cells;
  }

  get stream(): string | null {
    return this.#stream;
  }

  get seq(): number {
    return this.#seq;
  }

  /** The name of the set of places that the cells stand for. */
  get geometry(): string | null {
    return this.#cells === null ? null : (this.#geometry?.geometry ?? null);
  }

  get count(): number {
    return this.#cells?.ids.length ?? 0;
  }

  apply(message: Hello | Geometry | Snapshot | Delta): Change | null {
    switch (message.type) {
      case "hello":
        this.#hello = message;
        return null;
      case "geometry":
        this.#geometry = message;
        return null;
      case "snapshot":
        return this.#replace(message);
      case "delta":
        return this.#merge(message);
    }
  }

  /** A cell's value in SI units, or null. */
  value(cell: number, layer: string): number | null {
    return unscale(this.#cells?.layers.get(layer)?.[cell] ?? NULL_VALUE);
  }

  #replace(message: Snapshot): Change {
    const geometry = this.#geometry;
    const hello = this.#hello;
    const count = message.source.length;
    if (
      hello === null ||
      geometry === null ||
      geometry.geometry !== message.geometry ||
      geometry.ids.length !== count
    ) {
      throw new ProtocolError(`A snapshot of ${count} cells came without its geometry.`);
    }
    const moved = this.#cells?.ids !== geometry.ids;
    const layers = new Map(hello.layers.map((name, index) => [name, layerOf(message.layers, index, name).slice()]));
    this.#cells = {
      ids: geometry.ids,
      latitude: geometry.latitude,
      longitude: geometry.longitude,
      name: geometry.name,
      validAt: message.validAt.slice(),
      fetchedAt: message.fetchedAt.slice(),
      source: message.source.slice(),
      layers,
    };
    this.#stream = message.stream;
    this.#seq = message.seq;
    return { kind: moved ? "geometry" : "snapshot" };
  }

  #merge(delta: Delta): Change | null {
    const cells = this.#cells;
    if (cells === null || delta.seq <= this.#seq) {
      return null;
    }
    const targets = [...cells.layers.values()];
    for (let index = 0; index < delta.cells.length; index += 1) {
      const cell = delta.cells[index] as number;
      if (cell >= cells.source.length) {
        throw new ProtocolError(`A delta names cell ${cell} of ${cells.source.length}.`);
      }
      cells.validAt[cell] = delta.validAt[index] as number;
      cells.fetchedAt[cell] = delta.fetchedAt[index] as number;
      cells.source[cell] = delta.source[index] as number;
      for (let layer = 0; layer < targets.length; layer += 1) {
        (targets[layer] as Int16Array)[cell] = delta.layers[layer]?.[index] ?? NULL_VALUE;
      }
    }
    this.#seq = delta.seq;
    return { kind: "delta", cells: delta.cells };
  }
}

export function unscale(value: number): number | null {
  return value === NULL_VALUE ? null : value / SCALE;
}

export function isFilled(cells: Cells, cell: number): boolean {
  return cells.source[cell] !== SOURCE.none;
}

function layerOf(layers: readonly Int16Array[], index: number, name: string): Int16Array {
  const layer = layers[index];
  if (layer === undefined) {
    throw new ProtocolError(`The snapshot has no layer ${name}.`);
  }
  return layer;
}
