import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { globalGrid } from "../dev/model";
import { Highlights, PULSE_MS, STILL_MS } from "../src/highlight";
import { LAYERS } from "../src/layers/layers";
import { colorOf } from "../src/layers/scales";
import { layerValues } from "../src/layers/values";
import { gridBounds } from "../src/map/grid";
import { drawIsotherms } from "../src/map/isotherm_paint";
import { isothermsOf } from "../src/map/isotherm_steps";
import { drawWeatherLines } from "../src/map/lines";
import { drawMarks } from "../src/map/marks";
import { drawOverlay, type OverlayScene } from "../src/map/overlay";
import { placesOf } from "../src/map/pick";
import { type Frame, home, type View } from "../src/map/view";
import type { Cells } from "../src/state/store";
import type { LineColors, MapColors } from "../src/theme";
import { Shown } from "../src/time/shown";
import { TEMPERATURE_UNITS } from "../src/units";

type Call = readonly [name: string, ...values: unknown[]];

/** A canvas that keeps what is drawn on it, with the settings that were in force. */
class Drawing {
  readonly calls: Call[] = [];
  readonly settings: Record<string, unknown> = {};
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;

  constructor() {
    const { calls, settings } = this;
    this.context = new Proxy({} as CanvasRenderingContext2D, {
      get: (_, name: string) =>
        name in settings
          ? settings[name]
          : (...values: unknown[]) => {
              calls.push([name, ...values]);
            },
      set: (_, name: string, value: unknown) => {
        settings[name] = value;
        calls.push([name, value]);
        return true;
      },
    });
    this.canvas = { width: 0, height: 0, getContext: () => this.context } as unknown as HTMLCanvasElement;
  }

  named(name: string): unknown[][] {
    return this.calls.filter(([called]) => called === name).map(([, ...values]) => values);
  }
}

const INK: LineColors = {
  coast: "coast",
  borders: "borders",
  graticule: "graticule",
  arrows: "arrows",
  isotherms: "isotherms",
  halo: "halo",
};
const points = globalGrid(10);
const places = placesOf(
  Float64Array.from(points, ({ latitude }) => latitude),
  Float64Array.from(points, ({ longitude }) => longitude),
);
const grid = places.grid as NonNullable<typeof places.grid>;
const frame: Frame = { width: 1440, height: 900, bounds: gridBounds(grid), wraps: true };

beforeEach(() => vi.stubGlobal("window", { devicePixelRatio: 1 }));
afterEach(() => vi.unstubAllGlobals());

describe("wind arrows", () => {
  /** Each arrow as the middle that it is drawn around and the way to its tip. */
  function arrows(view: View, u: number, v: number): { x: number; y: number; dx: number; dy: number }[] {
    const drawing = new Drawing();
    const wind = { u: new Float32Array(points.length).fill(u), v: new Float32Array(points.length).fill(v) };
    drawWeatherLines(drawing.canvas, { ...places, view, frame, wind, isotherms: null, ink: INK });
    const froms = drawing.named("moveTo").filter((_, index) => index % 2 === 0) as [number, number][];
    const tips = drawing.named("lineTo").filter((_, index) => index % 3 === 0) as [number, number][];
    return froms.map(([x, y], index) => {
      const [tipX, tipY] = tips[index] as [number, number];
      return { x: (x + tipX) / 2, y: (y + tipY) / 2, dx: tipX - x, dy: tipY - y };
    });
  }

  it("fly with the wind: eastward to the right, northward up", () => {
    for (const { dx, dy } of arrows(home(frame), 8, 0)) {
      expect(dx).toBeGreaterThan(10);
      expect(Math.abs(dy)).toBeLessThan(1e-9);
    }
    for (const { dx, dy } of arrows(home(frame), 0, 8)) {
      expect(Math.abs(dx)).toBeLessThan(1e-9);
      expect(dy).toBeLessThan(-10);
    }
  });

  it.each([1, 2, 5, 11, 24])("are as far apart at zoom %d as at any other", (zoom) => {
    const all = arrows({ longitude: 10, latitude: 20, scale: zoom * home(frame).scale }, 8, 0);
    expect(all.length).toBeGreaterThan(150);
    expect(all.length).toBeLessThan(1_000);
    const [first, ...others] = all;
    for (const other of others) {
      expect(Math.hypot(other.x - (first?.x ?? 0), other.y - (first?.y ?? 0))).toBeGreaterThan(36);
    }
  });

  it("are dots where it is calm, and are not where nothing is known", () => {
    expect(arrows(home(frame), 0.1, 0)).toEqual([]);
    expect(arrows(home(frame), Number.NaN, 0)).toEqual([]);
  });
});

describe("isotherms on the screen", () => {
  it("carry their values in the reader's unit, apart from one another", () => {
    const drawing = new Drawing();
    const temperature = Float32Array.from(points, ({ latitude }) => 30 - Math.abs(latitude));
    const lines = isothermsOf(grid, temperature, TEMPERATURE_UNITS.fahrenheit);
    drawIsotherms(drawing.context, lines, home(frame), frame, INK);
    const texts = drawing.named("fillText").map(([text]) => text);
    expect(texts).toContain("50°");
    const at = drawing.named("translate") as [number, number][];
    expect(at).toHaveLength(texts.length);
    at.forEach(([x, y], index) => {
      for (const [otherX, otherY] of at.slice(index + 1)) {
        expect(Math.hypot(x - otherX, y - otherY)).toBeGreaterThan(40);
      }
    });
  });
});

describe("marks of recent changes", () => {
  function drawn(reducedMotion: boolean, elapsedMs: number): Drawing {
    const drawing = new Drawing();
    const highlights = new Highlights();
    highlights.add([300], 0);
    const scene: OverlayScene = {
      ...places,
      view: home(frame),
      frame,
      mark: "mark",
      markEdge: "edge",
      selected: -1,
      hovered: -1,
      crosshair: false,
      reducedMotion,
    };
    drawOverlay(drawing.canvas, scene, highlights, elapsedMs);
    return drawing;
  }

  it("grow and fade", () => {
    const [early, late] = [drawn(false, 100), drawn(false, PULSE_MS / 2)];
    const [width = 0, later = 0] = [early, late].map((drawing) => drawing.named("roundRect")[0]?.[2] as number);
    expect(later).toBeGreaterThan(width);
    const alphas = [early, late].map((drawing) => drawing.named("globalAlpha")[0]?.[0] as number);
    expect(alphas[1]).toBeLessThan(alphas[0] as number);
    expect(drawn(false, PULSE_MS).named("roundRect")).toEqual([]);
  });

  it("stay as they are, then go, for readers who want little motion", () => {
    const [early, late] = [drawn(true, 100), drawn(true, STILL_MS - 1)];
    expect(early.calls).toEqual(late.calls);
    expect(early.named("roundRect")).toHaveLength(1);
    expect(drawn(true, STILL_MS).named("roundRect")).toEqual([]);
  });
});

describe("places on no grid", () => {
  const three = placesOf(Float64Array.of(10, 11.3, 12), Float64Array.of(10, 12.7, 20));
  const colors = { pointEdge: "edge" } as MapColors;
  const region: Frame = { width: 800, height: 600, bounds: { west: 5, east: 25, south: 5, north: 17 }, wraps: false };

  it("have marks in the colour of their value, and none without one", () => {
    const drawing = new Drawing();
    const values = Float32Array.of(-20, Number.NaN, 30);
    const scene = { ...three, values, layer: LAYERS.temperature, colors, view: home(region), frame: region };
    drawMarks(drawing.canvas, scene);
    expect(drawing.named("arc")).toHaveLength(2);
    expect(drawing.named("fillStyle").flat()).toEqual(
      [-20, 30].map((value) => colorOf(LAYERS.temperature.scale, value)),
    );
  });

  it("have marks on every turn of the world that is seen, and a grid has none", () => {
    const drawing = new Drawing();
    const view = { longitude: -175, latitude: 0, scale: 4 };
    const one = placesOf(Float64Array.of(0), Float64Array.of(175));
    const scene = { values: Float32Array.of(5), layer: LAYERS.wind, colors, view, frame };
    drawMarks(drawing.canvas, { ...one, ...scene });
    expect(drawing.named("arc").map(([x]) => x)).toEqual([720 - 10 * 4]);
    drawMarks(drawing.canvas, { ...places, ...scene });
    expect(drawing.named("arc")).toHaveLength(1);
    expect(drawing.canvas.width).toBe(1);
  });
});

describe("the layer of ages", () => {
  it("is in hours since the value's time, whatever time is shown", () => {
    const cells = {
      source: Uint8Array.of(1, 2, 0),
      validAt: Uint32Array.of(3_600, 7_200, 0),
      fetchedAt: Uint32Array.of(3_900, 7_300, 0),
    } as unknown as Cells;
    expect([...layerValues("age", new Shown(3), cells, 10_800)]).toEqual([2, 1, Number.NaN]);
  });
});
