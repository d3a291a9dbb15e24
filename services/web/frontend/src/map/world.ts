/** The shapes of the world: land to fill, coastlines and borders to draw as lines with gaps. */

import worldUrl from "./world.generated.json?url";

export interface World {
  /** Closed rings of land, as lon, lat pairs in degrees. */
  readonly land: readonly Float32Array[];
  readonly coast: Line;
  readonly borders: Line;
}

/** Many polylines as one: NaN in both arrays separates them. */
export interface Line {
  readonly lon: Float32Array;
  readonly lat: Float32Array;
}

export interface WorldFile {
  readonly scale: number;
  readonly land: readonly (readonly number[])[];
  readonly borders: readonly (readonly number[])[];
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
  const land = file.land.map((line) => decode(line, file.scale));
  const borders = file.borders.map((line) => decode(line, file.scale));
  return { land, coast: join(land.flatMap(cutAtEdges)), borders: join(borders) };
}

/** Repeats a line to the east and west, so that it covers all longitudes from -360 to 360. */
export function twoTurnsOf(line: Line): Line {
  const parts = split(line).flatMap((part) => [-360, 0, 360].map((degrees) => shifted(part, degrees)));
  return join(parts.filter(isInReach).map((part) => Float32Array.from(part)));
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

function cutAtEdges(ring: Float32Array): Float32Array[] {
  const parts: number[][] = [[]];
  for (let index = 0; index < ring.length; index += 2) {
    const lon = ring[index] as number;
    const lat = ring[index + 1] as number;
    if (Math.abs(lon) > EDGE_LONGITUDE || lat < EDGE_LATITUDE) {
      parts.push([]);
    } else {
      (parts.at(-1) as number[]).push(lon, lat);
    }
  }
  return parts.filter((part) => part.length > 2).map((part) => Float32Array.from(part));
}

function join(parts: readonly Float32Array[]): Line {
  const count = parts.reduce((sum, part) => sum + part.length / 2 + 1, 0);
  const lon = new Float32Array(count);
  const lat = new Float32Array(count);
  let at = 0;
  for (const part of parts) {
    for (let index = 0; index < part.length; index += 2) {
      lon[at] = part[index] as number;
      lat[at] = part[index + 1] as number;
      at += 1;
    }
    lon[at] = Number.NaN;
    lat[at] = Number.NaN;
    at += 1;
  }
  return { lon, lat };
}

function split(line: Line): number[][] {
  const parts: number[][] = [[]];
  for (let index = 0; index < line.lon.length; index += 1) {
    const lon = line.lon[index] as number;
    if (Number.isNaN(lon)) {
      parts.push([]);
    } else {
      (parts.at(-1) as number[]).push(lon, line.lat[index] as number);
    }
  }
  return parts.filter((part) => part.length > 0);
}

function shifted(part: readonly number[], degrees: number): number[] {
  return part.map((value, index) => (index % 2 === 0 ? value + degrees : value));
}

function isInReach(part: readonly number[]): boolean {
  return part.some((value, index) => index % 2 === 0 && Math.abs(value) < 360);
}
