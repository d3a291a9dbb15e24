/**
 * Takes the shapes of the world out of Natural Earth (public domain, by way of the package world-atlas)
 * and writes them as one small file that the page loads from its own origin.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { feature, mesh } from "topojson-client";
import type { Plugin } from "vite";

const SCALE = 100;
const require = createRequire(import.meta.url);

type Ring = readonly (readonly number[])[];
type Topology = Parameters<typeof feature>[0];
type Collection = NonNullable<Parameters<typeof mesh>[1]>;

/** Writes `target` before anything is bundled or served. */
export function worldShapes(target: string): Plugin {
  return {
    name: "world-shapes",
    buildStart() {
      writeFileSync(target, JSON.stringify(worldFile()));
    },
  };
}

export function worldFile(): { scale: number; land: number[][]; borders: number[][] } {
  const land = read("world-atlas/land-110m.json");
  const countries = read("world-atlas/countries-110m.json");
  const shapes = feature(land, object(land, "land")) as unknown as {
    features: readonly { geometry: { type: string; coordinates: readonly (readonly Ring[])[] } }[];
  };
  const borders = mesh(countries, object(countries, "countries"), (a, b) => a !== b);
  return {
    scale: SCALE,
    land: shapes.features.flatMap(({ geometry }) => geometry.coordinates.flat().map(encode)),
    borders: (borders.coordinates as readonly Ring[]).map(encode),
  };
}

/** A line as lon, lat, then differences, in hundredths of a degree. */
function encode(line: Ring): number[] {
  const out: number[] = [];
  let lon = 0;
  let lat = 0;
  for (const [x = 0, y = 0] of line) {
    const nextLon = Math.round(x * SCALE);
    const nextLat = Math.round(y * SCALE);
    out.push(nextLon - lon, nextLat - lat);
    lon = nextLon;
    lat = nextLat;
  }
  return out;
}

function read(path: string): Topology {
  return JSON.parse(readFileSync(require.resolve(path), "utf8")) as Topology;
}

function object(topology: Topology, name: string): Collection {
  const found = topology.objects[name];
  if (found === undefined) {
    throw new Error(`The topology has no object "${name}".`);
  }
  return found as Collection;
}
