import { describe, expect, it } from "vitest";
import { Model } from "../dev/model";
import { BACKOFF, backoffMs } from "../src/protocol/backoff";
import { decodeBinary } from "../src/protocol/binary";
import { decodeJson } from "../src/protocol/json";
import { CLOSE, NULL_VALUE, ProtocolError } from "../src/protocol/messages";

const LAYERS = ["temperature_2m", "wind_speed_10m", "wind_direction_10m"];

function model(): Model {
  const points = [
    { id: 3, latitude: 50, longitude: 10, name: "Here" },
    { id: 4, latitude: -20, longitude: 30, name: null },
    { id: 9, latitude: 0, longitude: 179, name: null },
  ];
  const made = new Model(points);
  made.fetch([0, 2], 2);
  return made;
}

function buffer(data: string | Buffer): ArrayBuffer {
  return Uint8Array.from(data as Buffer).buffer as ArrayBuffer;
}

describe("binary messages (W7)", () => {
  it("hold the same snapshot as JSON does", () => {
    const made = model();
    const binary = decodeBinary(buffer(made.snapshot(true)));
    expect(binary).toEqual(decodeJson(made.snapshot(false) as string, LAYERS));
    expect(binary.type).toBe("snapshot");
    expect(binary.layers[0]?.[1]).toBe(NULL_VALUE);
  });

  it("hold the same delta as JSON does, whatever the alignment of its parts", () => {
    const made = model();
    for (const cells of [[], [2], [0, 2], [0, 1, 2]]) {
      const binary = decodeBinary(buffer(made.delta(cells, 1, true)));
      expect(binary).toEqual(decodeJson(made.delta(cells, 1, false) as string, LAYERS));
    }
  });

  it("are refused when they are cut off, of another version or of an unknown kind", () => {
    const whole = new Uint8Array(buffer(model().snapshot(true)));
    const changed = (at: number, byte: number): ArrayBuffer => {
      const copy = whole.slice();
      copy[at] = byte;
      return copy.buffer;
    };
    expect(() => decodeBinary(whole.slice(0, 20).buffer)).toThrow("has no whole header");
    expect(() => decodeBinary(whole.slice(0, -1).buffer)).toThrow(ProtocolError);
    expect(() => decodeBinary(changed(1, 9))).toThrow("Binary format 9");
    expect(() => decodeBinary(changed(0, 7))).toThrow("kind 7");
  });
});

describe("JSON messages", () => {
  it("are read with their units made plain", () => {
    const hello = decodeJson(model().hello("snapshot"), []);
    expect(hello).toMatchObject({ type: "hello", mode: "snapshot", staleAfterSeconds: 7200, layers: LAYERS });
    const geometry = decodeJson(model().geometryMessage(), []);
    expect(geometry).toMatchObject({ ids: [3, 4, 9], name: ["Here", null, null] });
    const ping = decodeJson('{"type":"ping","seq":7,"server_time":12.5}', []);
    expect(ping).toEqual({ type: "ping", seq: 7, serverTimeSeconds: 12.5 });
  });

  it("of a kind that this page does not know are passed over", () => {
    expect(decodeJson('{"type":"news"}', [])).toBeNull();
  });

  it.each([
    ["not json", "not JSON"],
    ["[]", "not an object"],
    ['{"type":"ping","seq":"7","server_time":1}', "seq is not a number"],
    ['{"type":"hello","mode":"sideways"}', "sideways"],
    [
      '{"type":"geometry","geometry":"g","ids":[1,2],"latitude":[0],"longitude":[0,0],"name":[null,null]}',
      "latitude has 1",
    ],
    [
      '{"type":"snapshot","stream":"s","seq":1,"geometry":"g","valid_at":[1],"fetched_at":[1],"source":[1],"layers":{}}',
      "temperature_2m is not a list",
    ],
  ])("that break the contract are refused: %s", (text, sentence) => {
    expect(() => decodeJson(text, LAYERS)).toThrow(sentence);
  });
});

describe("backoff", () => {
  it("doubles its ceiling up to the longest wait and spreads evenly below it", () => {
    expect(backoffMs(0, CLOSE.restarting, 1)).toBe(BACKOFF.firstMs);
    expect(backoffMs(3, CLOSE.restarting, 1)).toBe(8 * BACKOFF.firstMs);
    expect(backoffMs(3, CLOSE.restarting, 0.5)).toBe(4 * BACKOFF.firstMs);
    expect(backoffMs(50, CLOSE.restarting, 1)).toBe(BACKOFF.longestMs);
  });

  it("never waits so short that a countdown would flicker", () => {
    expect(backoffMs(0, CLOSE.restarting, 0)).toBe(BACKOFF.shortestMs);
  });

  it("waits longer where the server is crowded", () => {
    expect(backoffMs(0, CLOSE.tooManyConnections, 1)).toBe(BACKOFF.crowdedFirstMs);
  });
});
