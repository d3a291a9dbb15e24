/** Weather that looks like weather, for the fake server: zonal means, land and sea, and waves that travel eastward. */

import { worldFile } from "../build/world.ts";

const RADIANS = Math.PI / 180;
const rings = decodeRings();

export interface Sample {
  readonly temperature: number;
  readonly windSpeed: number;
  readonly windDirection: number;
}

export function weatherAt(latitude: number, longitude: number, hours: number): Sample {
  const phi = latitude * RADIANS;
  const land = isLand(latitude, longitude);
  const equator = 27 - 46 * Math.sin(phi - 0.12) ** 2 - (latitude < -60 ? 12 : 0);
  const wave = eddies(latitude, longitude, hours);
  const continental = land ? (latitude > 25 ? -9 * Math.sin((latitude - 25) * 1.6 * RADIANS) : 4) : 0;
  const day = land ? 3 * Math.cos((hours + longitude / 15 - 14) * 15 * RADIANS) : 0;
  const step = 0.5;
  const dy = eddies(latitude + step, longitude, hours) - eddies(latitude - step, longitude, hours);
  const dx = eddies(latitude, longitude + step, hours) - eddies(latitude, longitude - step, hours);
  const jet = 8 * Math.sin(2 * phi) ** 2 * Math.sign(Math.abs(latitude) - 28);
  const drag = land ? 0.6 : 1.1;
  const u = drag * (jet - 6 * dy);
  const v = drag * 6 * dx;
  return {
    temperature: equator + 0.9 * wave + continental + day,
    windSpeed: Math.hypot(u, v),
    windDirection: (((Math.atan2(-u, -v) / RADIANS) % 360) + 360) % 360,
  };
}

function eddies(latitude: number, longitude: number, hours: number): number {
  const envelope = 0.25 + Math.sin(2 * latitude * RADIANS) ** 2;
  const lon = longitude * RADIANS;
  const lat = latitude * RADIANS;
  return (
    envelope *
    (4 * Math.sin(5 * lon - 0.05 * hours + 3 * Math.sin(2 * lat)) * Math.cos(4 * lat) +
      3 * Math.sin(8 * lon - 0.09 * hours + 1.7) * Math.sin(6 * lat + 0.4) +
      2 * Math.sin(3 * lon + 7 * lat - 0.03 * hours))
  );
}

const known = new Map<string, boolean>();

export function isLand(latitude: number, longitude: number): boolean {
  const key = `${latitude},${longitude}`;
  const land = known.get(key) ?? liesInside(latitude, longitude);
  known.set(key, land);
  return land;
}

function liesInside(latitude: number, longitude: number): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      const [xi, yi] = ring[i] as [number, number];
      const [xj, yj] = ring[j] as [number, number];
      if (yi > latitude !== yj > latitude && longitude < ((xj - xi) * (latitude - yi)) / (yj - yi) + xi) {
        inside = !inside;
      }
    }
  }
  return inside;
}

function decodeRings(): [number, number][][] {
  const { land, scale } = worldFile();
  return land.map((line) => {
    const ring: [number, number][] = [];
    let lon = 0;
    let lat = 0;
    for (let index = 0; index < line.length; index += 2) {
      lon += line[index] as number;
      lat += line[index + 1] as number;
      ring.push([lon / scale, lat / scale]);
    }
    return ring;
  });
}
