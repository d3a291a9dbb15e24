import { describe, expect, it } from "vitest";
import { Model, type Point } from "../dev/model";
import type { Cells } from "../src/state/store";
import { clampTo, kindOf, momentAt, placeOf, played, span, stepped } from "../src/time/axis";
import { decodeFrames, type FrameLayer, Frames } from "../src/time/frames";
import { Shown } from "../src/time/shown";

const HOUR = 3_600;
const NOON = 1_795_521_600;
const NULL = -32_768;

describe("the axis of time", () => {
  const now = NOON + 1_000;

  it("spans a day back and two ahead, from hour to hour", () => {
    expect(span(now)).toEqual({ from: NOON - 24 * HOUR, to: NOON + 48 * HOUR });
    expect(clampTo(span(now), 0)).toBe(NOON - 24 * HOUR);
  });

  it("says what a moment is", () => {
    expect([kindOf("now", now), kindOf(NOON, now), kindOf(NOON + HOUR, now)]).toEqual(["now", "past", "forecast"]);
  });

  it("steps along multiples, and stops at now when it passes", () => {
    expect(stepped("now", 1, HOUR, now)).toBe(NOON + HOUR);
    expect(stepped("now", -1, HOUR, now)).toBe(NOON);
    expect(stepped(NOON, 1, HOUR, now)).toBe("now");
    expect(stepped(NOON + HOUR, -1, HOUR, now)).toBe("now");
    expect(stepped(NOON + HOUR, 1, 3 * HOUR, now)).toBe(NOON + 3 * HOUR);
    expect(stepped(NOON + 48 * HOUR, 1, HOUR, now)).toBe(NOON + 48 * HOUR);
    expect(stepped(NOON + 47 * HOUR, 1, HOUR, now, NOON + 47 * HOUR)).toBe(NOON + 47 * HOUR);
    expect(stepped(NOON - 24 * HOUR, -1, HOUR, now)).toBe(NOON - 24 * HOUR);
  });

  it("plays on, and from the end to the beginning", () => {
    expect(played(NOON, 1_000, 3, now)).toBe(NOON + 3 * HOUR);
    expect(played(NOON + 48 * HOUR, 1_000, 3, now)).toBe(NOON - 24 * HOUR);
    expect(played(NOON + 45 * HOUR, 1_000, 3, now, NOON + 47 * HOUR)).toBe(NOON - 24 * HOUR);
  });

  it("has a place on the slider for each moment, and back", () => {
    expect(momentAt(Math.round(placeOf("now", now)), now)).toBe("now");
    expect(momentAt(placeOf(NOON + 5 * HOUR, now), now)).toBe(NOON + 5 * HOUR);
  });
});

function layer(values: readonly (readonly number[])[], first = NOON): FrameLayer {
  return {
    geometry: "g",
    times: values.map((_, index) => first + index * HOUR),
    count: values[0]?.length ?? 0,
    values: Int16Array.from(values.flat()),
  };
}

function frames(temperature: number[][], speed?: number[][], direction?: number[][]): Frames {
  const calm = temperature.map((row) => row.map(() => 40));
  return new Frames(
    layer(temperature),
    layer(speed ?? calm),
    layer(direction ?? calm.map((row) => row.map(() => 900))),
  );
}

function rows(temperature: number[], speed: number[], direction: number[], validAt: number): Cells {
  return {
    ids: temperature.map((_, index) => index + 1),
    latitude: new Float64Array(temperature.length),
    longitude: new Float64Array(temperature.length),
    name: temperature.map(() => null),
    validAt: new Uint32Array(temperature.length).fill(validAt),
    fetchedAt: new Uint32Array(temperature.length).fill(validAt),
    source: new Uint8Array(temperature.length).fill(1),
    layers: new Map([
      ["temperature_2m", Int16Array.from(temperature)],
      ["wind_speed_10m", Int16Array.from(speed)],
      ["wind_direction_10m", Int16Array.from(direction)],
    ]),
  };
}

describe("frames", () => {
  it("are read as the server writes them", () => {
    const points: Point[] = [1, 2, 3].map((id) => ({ id, latitude: 10 * id, longitude: 0, name: null }));
    const model = new Model(points);
    const buffer = model.frames(0, [NOON, NOON + HOUR]);
    const whole = buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) as ArrayBuffer;
    const found = decodeFrames(whole);
    expect(found).toMatchObject({ geometry: model.geometry, times: [NOON, NOON + HOUR], count: 3 });
    expect(found.values).toHaveLength(6);
    expect(() => decodeFrames(whole.slice(0, 50))).toThrow(/bytes/);
    expect(() => decodeFrames(new ArrayBuffer(3))).toThrow(/kind/);
  });

  it("must fit one another", () => {
    expect(() => new Frames(layer([[1]]), layer([[1]], 0), layer([[1]]))).toThrow(/fit/);
  });

  it("know how much of the map they cover", () => {
    expect(frames([[0, NULL]]).coverage(NOON)).toBe(0.5);
    expect(frames([[0, NULL]]).coverage(0)).toBe(0);
  });

  it("reach as far as half of the places that have a value now", () => {
    const some = [
      [0, 0],
      [0, 0],
      [0, NULL],
      [NULL, NULL],
    ];
    expect(frames(some).reach(NOON)).toBe(NOON + 2 * HOUR);
    expect(frames([[0], [NULL], [NULL]]).reach(NOON)).toBe(NOON);
    expect(frames([[NULL], [NULL]]).reach(NOON)).toBe(NOON);
    expect(frames([[0], [0]]).reach(NOON - HOUR)).toBe(NOON + HOUR);
  });

  it("know where a time lies, and nothing beyond their ends", () => {
    const found = frames([[0], [10], [20]]);
    expect(found.place(NOON)).toEqual({ low: 0, high: 0, share: 0 });
    expect(found.place(NOON + 1.5 * HOUR)).toEqual({ low: 1, high: 2, share: 0.5 });
    expect(found.place(NOON + 2 * HOUR)).toEqual({ low: 2, high: 2, share: 0 });
    expect([found.place(NOON - 1), found.place(NOON + 2 * HOUR + 1)]).toEqual([null, null]);
  });
});

describe("what is shown", () => {
  it("is at another time the series, between two hours in proportion", () => {
    const shown = new Shown(2);
    shown.showAt(
      frames([
        [100, NULL],
        [200, 50],
      ]),
      NOON + HOUR / 4,
    );
    expect(shown.temperature[0]).toBeCloseTo(12.5);
    expect(shown.temperature[1]).toBeNaN();
    shown.showAt(
      frames([
        [100, 50],
        [200, NULL],
      ]),
      NOON,
    );
    expect(shown.temperature[1]).toBeCloseTo(5);
    shown.showAt(frames([[100, 50]]), NOON + 1);
    expect(shown.temperature[0]).toBeNaN();
  });

  it("turns the wind the short way", () => {
    const shown = new Shown(1);
    shown.showAt(frames([[0], [0]], [[100], [100]], [[3_500], [100]]), NOON + HOUR / 2);
    expect((shown.direction(0) + 180) % 360).toBeCloseTo(180, 1);
    expect(shown.speed[0]).toBeCloseTo(10 * Math.cos(Math.PI / 18), 3);
  });

  it("is now the row's value moved on by what the series says has changed since", () => {
    const shown = new Shown(1);
    shown.showNow(rows([150], [40], [900], NOON), frames([[100], [130]]), NOON + HOUR);
    expect(shown.temperature[0]).toBeCloseTo(18);
    expect(shown.moved[0]).toBe(1);
    expect(shown.speed[0]).toBeCloseTo(4);
    expect(shown.direction(0)).toBeCloseTo(90, 3);
  });

  it("moves the wind through its components", () => {
    const shown = new Shown(1);
    const turning = frames([[0], [0]], [[40], [40]], [[2_700], [0]]);
    shown.showNow(rows([0], [40], [2_700], NOON), turning, NOON + HOUR);
    expect(shown.speed[0]).toBeCloseTo(4, 4);
    expect(shown.direction(0) % 360).toBeCloseTo(0, 3);
  });

  it("is the row itself where the series does not reach: never made up", () => {
    const shown = new Shown(1);
    const cells = rows([150], [40], [900], NOON);
    for (const [series, now] of [
      [null, NOON],
      [frames([[100], [130]]), NOON + 5 * HOUR],
      [frames([[NULL], [130]]), NOON + HOUR],
    ] as const) {
      shown.showNow(cells, series, now);
      expect(shown.temperature[0]).toBeCloseTo(15);
      expect(shown.moved[0]).toBe(0);
    }
    shown.showNow(rows([150], [40], [900], NOON - 9 * HOUR), frames([[100], [130]]), NOON + HOUR);
    expect(shown.temperature[0]).toBeCloseTo(15);
  });
});
