/** The shapes of the world: land to fill, coastlines and borders to draw as lines. */

import type { Named } from "../search/search";
import worldUrl from "./world.generated.json?url";

/** Each shape is lon, lat pairs in degrees. */
export interface World {
  /** Closed rings. */
  readonly land: readonly Float32Array[];
  readonly coast: readonly Float32Array[];
  readonly borders: readonly Float32Array[];
  readonly countries: readonly Named[];
}

export interface WorldFile {
  readonly scale: number;
  readonly land: readonly (readonly number[])[];
  readonly borders: readonly (readonly number[])[];
  readonly countries: readonly (readonly [name: string, latitude: number, longitude: number])[];
}

/** Rings are cut where they run along the edge of the world: that is no coast. */
const EDGE_LONGITUDE = 179.9;
const EDGE_LATITUDE = -89.9;

export async function loadWorld(): Promise<World> {
  const response = await fetch(worldUrl);
  if (!response.ok) {
    throw new Error(`The shapes of the world could not be loaded: HTTP ${response.status}.`);
  }
  return readWorld((await response.json()) as WorldFile);
}

export function readWorld(file: WorldFile): World {
  const land = file.land.map((line) => unroll(decode(line, file.scale)));
  const borders = file.borders.map((line) => decode(line, file.scale));
  const countries = file.countries.map(([name, latitude, longitude]) => ({ name, latitude, longitude }));
  return { land, coast: land.flatMap(cutAtEdges), borders, countries };
}

function decode(line: readonly number[], scale: number): Float32Array {
  const out = new Float32Array(line.length);
  let lon = 0;
  let lat = 0;
  for (let index = 0; index < line.length; index += 2) {
    lon += line[index] as number;
    lat += line[index + 1] as number;
    out[index] = lon / scale;
    out[index + 1] = lat / scale;
  }
  return out;
}

/** Lets a ring that crosses the antimeridian run on beyond 180 degrees; the one around the pole may jump along it. */
function unroll(ring: Float32Array): Float32Array {
  let turns = 0;
  let last = ring[0] as number;
  for (let index = 2; index < ring.length; index += 2) {
    const lon = ring[index] as number;
    if (Math.abs(lon - last) > 180 && (ring[index + 1] as number) > EDGE_LATITUDE) {
      turns -= Math.sign(lon - last);
    }
    last = lon;
    ring[index] = lon + 360 * turns;
  }
  return ring;
}

function cutAtEdges(ring: Float32Array): Float32Array[] {
  const parts: number[][] = [[]];
  for (let index = 0; index < ring.length; index += 2) {
    const lon = ring[index] as number;
    const lat = ring[index + 1] as number;
    if (Math.abs(Math.abs(lon) - 180) < 180 - EDGE_LONGITUDE || lat < EDGE_LATITUDE) {
      parts.push([]);
    } else {
      (parts.at(-1) as number[]).push(lon, lat);
    }
  }
  return parts.filter((part) => part.length > 2).map((part) => Float32Array.from(part));
}
