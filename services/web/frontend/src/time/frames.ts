/** Whole maps at many times, as the server sends them (contract H8). */

import { NULL_VALUE, ProtocolError, SCALE } from "../protocol/messages";

const HEADER_BYTES = 40;
const KIND = 3;
const VERSION = 1;
const RADIANS = Math.PI / 180;

/** One layer: int16 values, frame after frame, in each one for every cell. */
export interface FrameLayer {
  readonly geometry: string;
  readonly times: readonly number[];
  readonly count: number;
  readonly values: Int16Array;
}

export function decodeFrames(buffer: ArrayBuffer): FrameLayer {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEADER_BYTES || view.getUint8(0) !== KIND || view.getUint8(1) !== VERSION) {
    throw new ProtocolError("The server's frames are of a kind that this page does not know.");
  }
  const frames = view.getUint16(2, true);
  const count = view.getUint32(4, true);
  const size = HEADER_BYTES + 4 * frames + 2 * frames * count;
  if (buffer.byteLength !== size) {
    throw new ProtocolError(`${frames} frames of ${count} cells have ${buffer.byteLength} bytes, not ${size}.`);
  }
  const hex = Array.from(new Uint8Array(buffer, 32, 8), (byte) => byte.toString(16).padStart(2, "0"));
  const times = Array.from({ length: frames }, (_, index) => view.getUint32(HEADER_BYTES + 4 * index, true));
  const values = new Int16Array(frames * count);
  const start = HEADER_BYTES + 4 * frames;
  for (let index = 0; index < values.length; index += 1) {
    values[index] = view.getInt16(start + 2 * index, true);
  }
  return { geometry: hex.join(""), times, count, values };
}

/** Values of every cell; NaN where there is none. Wind as eastward and northward components. */
export interface Field {
  readonly temperature: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
}

/** Between which frames a time lies, and how far it is from the first to the second. */
export interface Place {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

/** The course of temperature and wind of the whole map. */
export class Frames {
  readonly #fields = new Map<number, Field>();
  readonly #filledCells = new Map<number, number>();

  constructor(
    private readonly temperature: FrameLayer,
    private readonly speed: FrameLayer,
    private readonly direction: FrameLayer,
  ) {
    for (const other of [speed, direction]) {
      if (other.geometry !== temperature.geometry || String(other.times) !== String(temperature.times)) {
        throw new ProtocolError("The layers' frames do not fit one another.");
      }
    }
  }

  get geometry(): string {
    return this.temperature.geometry;
  }

  get count(): number {
    return this.temperature.count;
  }

  get first(): number {
    return this.temperature.times[0] ?? Number.POSITIVE_INFINITY;
  }

  get last(): number {
    return this.temperature.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  covers(time: number): boolean {
    return time >= this.first && time <= this.last;
  }

  /** Null beyond both ends: nothing is made up. */
  place(time: number): Place | null {
    const { times } = this.temperature;
    if (!this.covers(time)) {
      return null;
    }
    let high = times.findIndex((candidate) => candidate >= time);
    high = high < 0 ? times.length - 1 : high;
    const low = times[high] === time ? high : high - 1;
    const [from = 0, to = 0] = [times[low], times[high]];
    return { low, high, share: low === high ? 0 : (time - from) / (to - from) };
  }

  /**
   * The last time at which at least half of the cells that have a value now still have one: series end with the sweep
   * that brought them, so that the last frames may hold little or nothing.
   */
  reach(nowSeconds: number): number {
    const now = this.place(nowSeconds);
    const { times } = this.temperature;
    if (now === null) {
      return this.last;
    }
    const enough = Math.max(1, this.#filled(now.low) / 2);
    let frame = times.length - 1;
    while (frame > now.high && this.#filled(frame) < enough) {
      frame -= 1;
    }
    return times[frame] ?? this.last;
  }

  /** The share of the cells that have a value at a time. */
  coverage(time: number): number {
    const place = this.place(time);
    if (place === null || this.count === 0) {
      return 0;
    }
    return this.#filled(place.low) / this.count;
  }

  /** One frame, turned into numbers when it is first asked for. */
  field(frame: number): Field {
    let field = this.#fields.get(frame);
    if (field === undefined) {
      field = this.#decode(frame);
      this.#fields.set(frame, field);
    }
    return field;
  }

  /** How many cells have a value in a frame, counted when it is first asked for: playing asks with every picture. */
  #filled(frame: number): number {
    let filled = this.#filledCells.get(frame);
    if (filled === undefined) {
      const values = this.temperature.values.subarray(frame * this.count, (frame + 1) * this.count);
      filled = values.reduce((sum, value) => sum + (value === NULL_VALUE ? 0 : 1), 0);
      this.#filledCells.set(frame, filled);
    }
    return filled;
  }

  #decode(frame: number): Field {
    const { count } = this;
    const start = frame * count;
    const temperature = new Float32Array(count);
    const u = new Float32Array(count);
    const v = new Float32Array(count);
    for (let cell = 0; cell < count; cell += 1) {
      temperature[cell] = plain(this.temperature.values[start + cell] as number);
      const speed = plain(this.speed.values[start + cell] as number);
      const angle = plain(this.direction.values[start + cell] as number) * RADIANS;
      u[cell] = -speed * Math.sin(angle);
      v[cell] = -speed * Math.cos(angle);
    }
    return { temperature, u, v };
  }
}

function plain(value: number): number {
  return value === NULL_VALUE ? Number.NaN : value / SCALE;
}
