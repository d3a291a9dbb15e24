/**
 * What the map shows at a moment. Pure.
 *
 * Now is the page's own work: the row's value, moved on by what the hourly series says has changed since the row's time:
 * current + H(now) - H(valid_at), wind through its components. Beyond the series' ends nothing is added: the row's own
 * value stays. At any other time it is the series itself, and nothing where the series says nothing.
 */

import { FIELD } from "../layers/layers";
import { NULL_VALUE, SCALE } from "../protocol/messages";
import type { Cells } from "../state/store";
import type { Frames, Place } from "./frames";

const RADIANS = Math.PI / 180;

export class Shown {
  readonly temperature: Float32Array;
  readonly speed: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
  /** Whether the series has moved the cell's value to now. */
  readonly moved: Uint8Array;

  constructor(readonly count: number) {
    this.temperature = new Float32Array(count).fill(Number.NaN);
    this.speed = new Float32Array(count).fill(Number.NaN);
    this.u = new Float32Array(count).fill(Number.NaN);
    this.v = new Float32Array(count).fill(Number.NaN);
    this.moved = new Uint8Array(count);
  }

  /** Where the wind comes from, in degrees; NaN when that is not known. */
  direction(cell: number): number {
    const angle = Math.atan2(-(this.u[cell] as number), -(this.v[cell] as number)) / RADIANS;
    return (angle + 360) % 360;
  }

  showNow(cells: Cells, frames: Frames | null, nowSeconds: number): void {
    const temperatures = cells.layers.get(FIELD.temperature) as Int16Array;
    const speeds = cells.layers.get(FIELD.windSpeed) as Int16Array;
    const directions = cells.layers.get(FIELD.windDirection) as Int16Array;
    const now = frames?.place(nowSeconds) ?? null;
    let lastValidAt = -1;
    let then: Place | null = null;
    for (let cell = 0; cell < this.count; cell += 1) {
      const speed = plain(speeds[cell] as number);
      const angle = plain(directions[cell] as number) * RADIANS;
      this.temperature[cell] = plain(temperatures[cell] as number);
      this.speed[cell] = speed;
      this.u[cell] = -speed * Math.sin(angle);
      this.v[cell] = -speed * Math.cos(angle);
      this.moved[cell] = 0;
      const validAt = cells.validAt[cell] as number;
      if (frames !== null && now !== null && cells.source[cell] !== 0) {
        if (validAt !== lastValidAt) {
          lastValidAt = validAt;
          then = frames.place(validAt);
        }
        if (then !== null) {
          this.#move(frames, cell, then, now);
        }
      }
    }
  }

  showAt(frames: Frames, time: number): void {
    const place = frames.place(time);
    if (place === null) {
      this.#clear();
      return;
    }
    const low = frames.field(place.low);
    const high = frames.field(place.high);
    const { share } = place;
    for (let cell = 0; cell < this.count; cell += 1) {
      const u = between(low.u[cell] as number, high.u[cell] as number, share);
      const v = between(low.v[cell] as number, high.v[cell] as number, share);
      this.temperature[cell] = between(low.temperature[cell] as number, high.temperature[cell] as number, share);
      this.u[cell] = u;
      this.v[cell] = v;
      this.speed[cell] = Math.sqrt(u * u + v * v);
    }
    this.moved.fill(0);
  }

  #clear(): void {
    for (const values of [this.temperature, this.speed, this.u, this.v]) {
      values.fill(Number.NaN);
    }
    this.moved.fill(0);
  }

  #move(frames: Frames, cell: number, then: Place, now: Place): void {
    const before = frames.field(then.low);
    const beforeNext = frames.field(then.high);
    const after = frames.field(now.low);
    const afterNext = frames.field(now.high);
    const change = (one: Float32Array, other: Float32Array, from: Float32Array, to: Float32Array): number =>
      between(from[cell] as number, to[cell] as number, now.share) -
      between(one[cell] as number, other[cell] as number, then.share);
    const warmer = change(before.temperature, beforeNext.temperature, after.temperature, afterNext.temperature);
    if (!Number.isNaN(warmer)) {
      this.temperature[cell] = (this.temperature[cell] as number) + warmer;
      this.moved[cell] = 1;
    }
    const u = (this.u[cell] as number) + change(before.u, beforeNext.u, after.u, afterNext.u);
    const v = (this.v[cell] as number) + change(before.v, beforeNext.v, after.v, afterNext.v);
    if (!Number.isNaN(u + v)) {
      this.u[cell] = u;
      this.v[cell] = v;
      this.speed[cell] = Math.sqrt(u * u + v * v);
    }
  }
}

/** At a frame itself its own value, whatever the next one has. */
function between(low: number, high: number, share: number): number {
  return share === 0 ? low : low + (high - low) * share;
}

function plain(value: number): number {
  return value === NULL_VALUE ? Number.NaN : value / SCALE;
}
