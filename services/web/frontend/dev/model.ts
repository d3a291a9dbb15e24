/** The fake server's data and its messages, in both wire formats (contracts W2 to W9). */

import { createHash } from "node:crypto";
import { weatherAt } from "./weather.ts";

export const LAYERS = ["temperature_2m", "wind_speed_10m", "wind_direction_10m"] as const;
const NULL_VALUE = -32768;

export interface Point {
  readonly id: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly name: string | null;
}

export function globalGrid(step = 10): Point[] {
  const points: Point[] = [];
  for (let latitude = -80; latitude <= 80; latitude += step) {
    for (let longitude = -180; longitude < 180; longitude += step) {
      points.push({ id: points.length + 1, latitude, longitude, name: null });
    }
  }
  return points;
}

const CITIES: readonly (readonly [string, number, number])[] = [
  ["Lisbon", 38.72, -9.14],
  ["Madrid", 40.42, -3.7],
  ["Paris", 48.86, 2.35],
  ["London", 51.51, -0.13],
  ["Dublin", 53.35, -6.26],
  ["Oslo", 59.91, 10.75],
  ["Stockholm", 59.33, 18.07],
  ["Helsinki", 60.17, 24.94],
  ["Berlin", 52.52, 13.4],
  ["Warsaw", 52.23, 21.01],
  ["Vienna", 48.21, 16.37],
  ["Rome", 41.9, 12.5],
  ["Athens", 37.98, 23.73],
  ["Istanbul", 41.01, 28.98],
  ["Kyiv", 50.45, 30.52],
  ["Reykjavik", 64.15, -21.94],
];

export function cities(): Point[] {
  return CITIES.map(([name, latitude, longitude], index) => ({ id: index + 1, latitude, longitude, name }));
}

export class Model {
  readonly stream = createHash("md5").update("fake").digest("hex");
  readonly geometry: string;
  readonly values: Int16Array[];
  readonly validAt: Uint32Array;
  readonly fetchedAt: Uint32Array;
  readonly source: Uint8Array;
  seq = 1;

  constructor(readonly points: readonly Point[]) {
    const lines = points.map((p) => `${p.id},${p.latitude.toFixed(5)},${p.longitude.toFixed(5)}`).join("\n");
    this.geometry = createHash("sha256").update(lines).digest("hex").slice(0, 16);
    this.values = LAYERS.map(() => new Int16Array(points.length).fill(NULL_VALUE));
    this.validAt = new Uint32Array(points.length);
    this.fetchedAt = new Uint32Array(points.length);
    this.source = new Uint8Array(points.length);
  }

  fetch(cells: readonly number[], source: number, ageSeconds = 0): void {
    const now = Math.floor(Date.now() / 1000) - ageSeconds;
    for (const cell of cells) {
      const point = this.points[cell] as Point;
      const sample = weatherAt(point.latitude, point.longitude, now / 600);
      [sample.temperature, sample.windSpeed, sample.windDirection].forEach((value, layer) => {
        (this.values[layer] as Int16Array)[cell] = Math.round(10 * value);
      });
      this.validAt[cell] = now - (now % 900);
      this.fetchedAt[cell] = now;
      this.source[cell] = source;
    }
    this.seq += 1;
  }

  hello(mode: "resumed" | "snapshot"): string {
    return JSON.stringify({
      type: "hello",
      protocol: 1,
      stream: this.stream,
      seq: this.seq,
      mode,
      geometry: this.geometry,
      layers: LAYERS,
      server_time: Date.now() / 1000,
      stale_after_seconds: 7200,
      version: "0.1.0-fake",
    });
  }

  geometryMessage(): string {
    const pick = <K extends keyof Point>(key: K): Point[K][] => this.points.map((point) => point[key]);
    return JSON.stringify({
      type: "geometry",
      geometry: this.geometry,
      ids: pick("id"),
      latitude: pick("latitude"),
      longitude: pick("longitude"),
      name: pick("name"),
    });
  }

  snapshot(binary: boolean): string | Buffer {
    return this.#cells(null, 0, binary);
  }

  delta(cells: readonly number[], fromSeq: number, binary: boolean): string | Buffer {
    return this.#cells(cells, fromSeq, binary);
  }

  /** Whole maps of one layer at many times (contract H8). */
  frames(layer: number, times: readonly number[]): Buffer {
    const header = Buffer.alloc(16);
    header.writeUInt8(3, 0);
    header.writeUInt8(1, 1);
    header.writeUInt16LE(times.length, 2);
    header.writeUInt32LE(this.points.length, 4);
    header.writeBigUInt64LE(BigInt(this.seq), 8);
    const values = times.flatMap((time) =>
      this.points.map((point) => {
        const sample = weatherAt(point.latitude, point.longitude, time / 3_600);
        return Math.round(10 * ([sample.temperature, sample.windSpeed, sample.windDirection][layer] as number));
      }),
    );
    return Buffer.concat([
      header,
      Buffer.from(this.stream, "hex"),
      Buffer.from(this.geometry, "hex"),
      Buffer.from(Uint32Array.from(times).buffer),
      Buffer.from(Int16Array.from(values).buffer),
    ]);
  }

  #cells(cells: readonly number[] | null, fromSeq: number, binary: boolean): string | Buffer {
    const all = cells ?? this.points.map((_, index) => index);
    const pick = (array: ArrayLike<number>): number[] => all.map((cell) => array[cell] as number);
    if (!binary) {
      return JSON.stringify({
        type: cells === null ? "snapshot" : "delta",
        stream: this.stream,
        seq: this.seq,
        geometry: this.geometry,
        ...(cells === null ? {} : { from_seq: fromSeq, cells }),
        valid_at: pick(this.validAt),
        fetched_at: pick(this.fetchedAt),
        source: pick(this.source),
        layers: Object.fromEntries(LAYERS.map((name, layer) => [name, pick(this.values[layer] as Int16Array)])),
      });
    }
    const header = Buffer.alloc(24);
    header.writeUInt8(cells === null ? 1 : 2, 0);
    header.writeUInt8(1, 1);
    header.writeUInt16LE(LAYERS.length, 2);
    header.writeUInt32LE(all.length, 4);
    header.writeBigUInt64LE(BigInt(fromSeq), 8);
    header.writeBigUInt64LE(BigInt(this.seq), 16);
    const bytes = (array: Uint32Array | Int16Array | Uint8Array): Buffer => Buffer.from(array.buffer);
    return Buffer.concat([
      header,
      Buffer.from(this.stream, "hex"),
      Buffer.from(this.geometry, "hex"),
      ...(cells === null ? [] : [bytes(Uint32Array.from(cells))]),
      bytes(Uint32Array.from(pick(this.validAt))),
      bytes(Uint32Array.from(pick(this.fetchedAt))),
      ...this.values.map((values) => bytes(Int16Array.from(pick(values)))),
      bytes(Uint8Array.from(pick(this.source))),
    ]);
  }
}
