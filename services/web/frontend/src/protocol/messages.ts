/** The messages of the websocket (contracts W1 to W10), as the page sees them. */

export const PROTOCOL_VERSION = 1;
export const NULL_VALUE = -32768;
export const SCALE = 10;
export const SUBPROTOCOLS = { binary: "isotherm.v1.bin", json: "isotherm.v1.json" } as const;

export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  restarting: 1012,
  protocolError: 4000,
  noResume: 4001,
  tooSlow: 4002,
  tooManyConnections: 4003,
  tooManyMessages: 4004,
  silent: 4005,
} as const;

/** Where a value comes from: 0 none, 1 Open-Meteo, 2 the simulator. */
export const SOURCE = { none: 0, openMeteo: 1, simulator: 2 } as const;

export interface Hello {
  readonly type: "hello";
  readonly protocol: number;
  readonly stream: string;
  readonly seq: number;
  readonly mode: "resumed" | "snapshot";
  readonly geometry: string;
  readonly layers: readonly string[];
  readonly serverTimeSeconds: number;
  readonly staleAfterSeconds: number;
  readonly version: string;
}

export interface Geometry {
  readonly type: "geometry";
  readonly geometry: string;
  readonly ids: readonly number[];
  readonly latitude: Float64Array;
  readonly longitude: Float64Array;
  readonly name: readonly (string | null)[];
}

/** The arrays that a snapshot and a delta have in common, one entry a cell. */
export interface CellArrays {
  readonly validAt: Uint32Array;
  readonly fetchedAt: Uint32Array;
  readonly source: Uint8Array;
  /** int16 values scaled by 10, in the order of `hello.layers`. */
  readonly layers: readonly Int16Array[];
}

export interface Snapshot extends CellArrays {
  readonly type: "snapshot";
  readonly stream: string;
  readonly seq: number;
  readonly geometry: string;
}

export interface Delta extends CellArrays {
  readonly type: "delta";
  readonly stream: string;
  readonly fromSeq: number;
  readonly seq: number;
  readonly geometry: string;
  readonly cells: Uint32Array;
}

export interface Ping {
  readonly type: "ping";
  readonly seq: number;
  readonly serverTimeSeconds: number;
}

export type ServerMessage = Hello | Geometry | Snapshot | Delta | Ping;

/** What the client has, and sends to resume from. */
export interface Position {
  readonly stream: string | null;
  readonly seq: number;
  readonly geometry: string | null;
}

/** Which layers, and which part of the world; the page itself takes all of it. */
export interface Subscription {
  readonly layers: "all" | "temperature" | "wind";
  /** `world`, `west`, `east`, or one of 18 tiles: `n0` to `n5`, `m0` to `m5`, `s0` to `s5`. */
  readonly tile: string;
}

export const LAYERS_OF: Readonly<Record<Subscription["layers"], readonly string[]>> = {
  all: ["temperature_2m", "wind_speed_10m", "wind_direction_10m"],
  temperature: ["temperature_2m"],
  wind: ["wind_speed_10m", "wind_direction_10m"],
};

export const EVERYTHING: Subscription = { layers: "all", tile: "world" };

export const NOWHERE: Position = { stream: null, seq: 0, geometry: null };

/** A message that breaks the contract. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

export function encodeResume(position: Position, subscription: Subscription = EVERYTHING): string {
  return JSON.stringify({ type: "resume", ...position, ...(subscription === EVERYTHING ? {} : subscription) });
}

export function encodeSubscribe(subscription: Subscription): string {
  return JSON.stringify({ type: "subscribe", ...subscription });
}

export const PONG = JSON.stringify({ type: "pong" });
