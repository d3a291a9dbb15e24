/** Decodes the JSON text messages of both subprotocols and checks their shape (contracts W2 to W5, W9). */

import {
  type CellArrays,
  type Delta,
  type Geometry,
  type Hello,
  type Ping,
  ProtocolError,
  type ServerMessage,
  type Snapshot,
} from "./messages";

type Fields = Readonly<Record<string, unknown>>;

export function decodeJson(text: string, layerNames: readonly string[]): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError("The server sent text that is not JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProtocolError("The server sent JSON that is not an object.");
  }
  const fields = value as Fields;
  switch (fields["type"]) {
    case "hello":
      return decodeHello(fields);
    case "geometry":
      return decodeGeometry(fields);
    case "snapshot":
      return decodeSnapshot(fields, layerNames);
    case "delta":
      return decodeDelta(fields, layerNames);
    case "ping":
      return decodePing(fields);
    default:
      // A later server may send more kinds: what this page does not know is not for it.
      return null;
  }
}

function decodeHello(fields: Fields): Hello {
  const mode = text(fields, "mode");
  if (mode !== "resumed" && mode !== "snapshot") {
    throw new ProtocolError(`hello.mode is "${mode}", not resumed or snapshot.`);
  }
  const layers = list(fields, "layers");
  if (!layers.every((layer): layer is string => typeof layer === "string")) {
    throw new ProtocolError("hello.layers holds something that is not a name.");
  }
  return {
    type: "hello",
    protocol: number(fields, "protocol"),
    stream: text(fields, "stream"),
    seq: number(fields, "seq"),
    mode,
    geometry: text(fields, "geometry"),
    layers,
    serverTimeSeconds: number(fields, "server_time"),
    staleAfterSeconds: number(fields, "stale_after_seconds"),
    version: text(fields, "version"),
  };
}

function decodeGeometry(fields: Fields): Geometry {
  const ids = numbers(fields, "ids");
  const latitude = Float64Array.from(numbers(fields, "latitude", ids.length));
  const longitude = Float64Array.from(numbers(fields, "longitude", ids.length));
  const names = list(fields, "name");
  if (names.length !== ids.length) {
    throw new ProtocolError(`geometry.name has ${names.length} entries, not ${ids.length}.`);
  }
  return {
    type: "geometry",
    geometry: text(fields, "geometry"),
    ids,
    latitude,
    longitude,
    name: names.map((name) => (typeof name === "string" && name !== "" ? name : null)),
  };
}

function decodeSnapshot(fields: Fields, layerNames: readonly string[]): Snapshot {
  return {
    type: "snapshot",
    stream: text(fields, "stream"),
    seq: number(fields, "seq"),
    geometry: text(fields, "geometry"),
    ...cellArrays(fields, layerNames, list(fields, "valid_at").length),
  };
}

function decodeDelta(fields: Fields, layerNames: readonly string[]): Delta {
  const cells = numbers(fields, "cells");
  return {
    type: "delta",
    stream: text(fields, "stream"),
    fromSeq: number(fields, "from_seq"),
    seq: number(fields, "seq"),
    geometry: text(fields, "geometry"),
    cells: Uint32Array.from(cells),
    ...cellArrays(fields, layerNames, cells.length),
  };
}

function decodePing(fields: Fields): Ping {
  return { type: "ping", seq: number(fields, "seq"), serverTimeSeconds: number(fields, "server_time") };
}

function cellArrays(fields: Fields, layerNames: readonly string[], count: number): CellArrays {
  const layers = fields["layers"];
  if (typeof layers !== "object" || layers === null) {
    throw new ProtocolError("layers is not an object.");
  }
  return {
    validAt: Uint32Array.from(numbers(fields, "valid_at", count)),
    fetchedAt: Uint32Array.from(numbers(fields, "fetched_at", count)),
    source: Uint8Array.from(numbers(fields, "source", count)),
    layers: layerNames.map((name) => Int16Array.from(numbers(layers as Fields, name, count))),
  };
}

function text(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== "string") {
    throw new ProtocolError(`${key} is not a string.`);
  }
  return value;
}

function number(fields: Fields, key: string): number {
  const value = fields[key];
  if (typeof value !== "number") {
    throw new ProtocolError(`${key} is not a number.`);
  }
  return value;
}

function list(fields: Fields, key: string): readonly unknown[] {
  const value = fields[key];
  if (!Array.isArray(value)) {
    throw new ProtocolError(`${key} is not a list.`);
  }
  return value;
}

function numbers(fields: Fields, key: string, length?: number): readonly number[] {
  const values = list(fields, key);
  if (length !== undefined && values.length !== length) {
    throw new ProtocolError(`${key} has ${values.length} entries, not ${length}.`);
  }
  if (!values.every((value): value is number => typeof value === "number")) {
    throw new ProtocolError(`${key} holds something that is not a number.`);
  }
  return values;
}
