import { describe, expect, it } from "vitest";
import { Model } from "../dev/model";
import { decodeJson } from "../src/protocol/json";
import type { Delta, Geometry } from "../src/protocol/messages";
import { ageSeconds, freshness } from "../src/state/freshness";
import type { Cells, Store } from "../src/state/store";
import { Shown } from "../src/time/shown";
import { type CellFacts, cellFacts, valuesText } from "../src/ui/facts";
import type { Units } from "../src/units";
import { open, read } from "./opened";

const POINTS = [1, 2, 3, 4].map((id) => ({ id, latitude: 10 * id, longitude: 5 * id, name: id === 2 ? "Two" : null }));

describe("the store", () => {
  it("holds a snapshot's values in SI units, null where there is none", () => {
    const model = new Model(POINTS);
    model.fetch([0], 1);
    const store = open(model);
    expect(store.value(0, "temperature_2m")).toBe((model.values[0]?.[0] as number) / 10);
    expect(store.value(1, "temperature_2m")).toBeNull();
    expect([store.count, store.seq, store.stream]).toEqual([4, model.seq, model.stream]);
  });

  it("changes just the cells of a delta, and copies what it keeps of a message", () => {
    const model = new Model(POINTS);
    model.fetch([0, 1, 2, 3], 1);
    const store = open(model);
    const before = [0, 1, 2, 3].map((cell) => store.value(cell, "wind_speed_10m"));
    const from = model.seq;
    (model.values[1] as Int16Array)[2] = 123;
    model.seq += 1;
    const message = read(model.delta([2], from, true)) as Delta;
    expect(store.apply(message)).toEqual({ kind: "delta", cells: Uint32Array.of(2) });
    message.layers[1]?.fill(0);
    expect([0, 1, 2, 3].map((cell) => store.value(cell, "wind_speed_10m"))).toEqual([
      before[0],
      before[1],
      12.3,
      before[3],
    ]);
    expect(store.seq).toBe(from + 1);
  });

  it("empties a deleted cell", () => {
    const model = new Model(POINTS);
    model.fetch([0, 1], 1);
    const store = open(model);
    for (const values of model.values) {
      values[1] = -32768;
    }
    model.source[1] = 0;
    model.seq += 1;
    store.apply(read(model.delta([1], model.seq - 1, true)));
    expect(store.value(1, "temperature_2m")).toBeNull();
    expect(freshness(store.cells as NonNullable<Store["cells"]>, 0, 1).filled).toBe(1);
  });

  it("refuses a cell that is not on the map, and a snapshot of another geometry", () => {
    const model = new Model(POINTS);
    const store = open(model);
    model.seq += 1;
    const delta = { ...(read(model.delta([3], 0, true)) as Delta), cells: Uint32Array.of(9) };
    expect(() => store.apply(delta)).toThrow("cell 9 of 4");
    const other = new Model(POINTS.slice(1));
    expect(() => store.apply(read(other.snapshot(true)))).toThrow("without its geometry");
  });

  it("tells a new geometry from new values", () => {
    const model = new Model(POINTS);
    const store = open(model);
    expect(store.apply(read(model.snapshot(true)))).toEqual({ kind: "snapshot" });
    store.apply(decodeJson(model.geometryMessage(), []) as Geometry);
    expect(store.apply(read(model.snapshot(true)))).toEqual({ kind: "geometry" });
  });
});

describe("freshness", () => {
  const store = (ages: readonly number[], source = 1): NonNullable<Store["cells"]> => {
    const model = new Model(POINTS.slice(0, ages.length));
    const opened = open(model);
    const cells = opened.cells as NonNullable<Store["cells"]>;
    ages.forEach((age, cell) => {
      cells.validAt[cell] = 10_000 - age;
      cells.fetchedAt[cell] = 10_000 - age + 5;
      cells.source[cell] = source;
    });
    return cells;
  };

  it("tells the oldest and the typical age, and counts what is filled and simulated", () => {
    const fresh = freshness(store([100, 300, 200], 2), 10_000, 1_000);
    expect(fresh).toMatchObject({
      count: 3,
      filled: 3,
      simulated: 3,
      typicalSeconds: 200,
      oldestSeconds: 300,
      newestSeconds: 100,
    });
  });

  it("is stale when more than half of the map is older than was promised", () => {
    expect(freshness(store([100, 100, 2_000]), 10_000, 1_000).stale).toBe(false);
    expect(freshness(store([100, 2_000, 2_000]), 10_000, 1_000)).toMatchObject({ stale: true, staleCells: 2 });
  });

  it("knows no age while there is nothing", () => {
    const empty = freshness(open(new Model(POINTS)).cells as NonNullable<Store["cells"]>, 10_000, 1);
    expect(empty).toMatchObject({ filled: 0, typicalSeconds: null, oldestSeconds: null, stale: false });
  });

  it("counts from the fetch where values are ahead of the clock", () => {
    const cells = store([0]);
    cells.validAt[0] = 99_999;
    cells.fetchedAt[0] = 9_900;
    expect(ageSeconds(cells, 0, 10_000)).toBe(100);
  });
});

describe("the facts of a cell", () => {
  function factsOf(store: Store, cell: number, units: Units, nowMs: number): CellFacts | null {
    const shown = new Shown(store.count);
    shown.showNow(store.cells as Cells, null, nowMs / 1000);
    return cellFacts({ store, shown, units, nowMs }, cell);
  }

  it("give each value with its moment, its age and where it comes from", () => {
    const model = new Model(POINTS);
    model.fetch([1], 2);
    (model.values[0] as Int16Array)[1] = -34;
    (model.values[1] as Int16Array)[1] = 42;
    (model.values[2] as Int16Array)[1] = 2310;
    model.validAt[1] = 1_795_534_200;
    model.fetchedAt[1] = 1_795_534_500;
    const facts = factsOf(open(model), 1, { temperature: "celsius", wind: "knots" }, 1_795_535_100_000);
    expect(facts).toMatchObject({
      place: "Two",
      coordinates: "20° N, 10° E",
      temperature: "−3.4 °C",
      wind: "8 kn",
      windFrom: "from SW",
      latest: "−3.4 °C, 8 kn",
      age: "15 min",
      stale: false,
      source: "Simulated",
    });
    expect(valuesText(facts as CellFacts)).toBe("−3.4 °C, 8 kn from SW");
    expect(facts?.validAt).toMatch(/^\d\d:\d\d UTC$/);
  });

  it("say so when there is no value", () => {
    const facts = factsOf(open(new Model(POINTS)), 0, { temperature: "celsius", wind: "mps" }, 0);
    expect(facts).toMatchObject({ filled: false, temperature: "no value", age: "", place: "10° N, 5° E" });
  });
});
