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

type Country = readonly [name: string, latitude: number, longitude: number];

export function worldFile(): { scale: number; land: number[][]; borders: number[][]; countries: Country[] } {
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
    countries: countryNames(countries),
  };
}

/** Each country's name with the middle of its largest part, so that it can be found. */
function countryNames(topology: Topology): Country[] {
  const { features } = feature(topology, object(topology, "countries")) as unknown as {
    features: readonly {
      properties: { name: string };
      geometry: { type: string; coordinates: readonly Ring[] | readonly (readonly Ring[])[] };
    }[];
  };
  return features.map(({ properties, geometry }) => {
    const parts = geometry.type === "Polygon" ? [geometry.coordinates[0]] : geometry.coordinates.map((part) => part[0]);
    const [longitude, latitude] = middle(parts as Ring[]);
    return [properties.name, latitude, longitude] as const;
  });
}

function middle(rings: readonly Ring[]): [number, number] {
  let best: [number, number] = [0, 0];
  let largest = -1;
  for (const ring of rings) {
    let [area, x, y] = [0, 0, 0];
    ring.forEach(([lon = 0, lat = 0], index) => {
      const [nextLon = 0, nextLat = 0] = ring[(index + 1) % ring.length] ?? [];
      const cross = lon * nextLat - nextLon * lat;
      area += cross / 2;
      x += (lon + nextLon) * cross;
      y += (lat + nextLat) * cross;
    });
    if (Math.abs(area) > largest) {
      largest = Math.abs(area);
      best = [Math.round((x / (6 * area)) * 10) / 10, Math.round((y / (6 * area)) * 10) / 10];
    }
  }
  return best;
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
