import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type GestureTarget, listen } from "../src/map/gestures";

/** A surface of 400 by 200 pixels that is no element of a page. */
class Surface extends EventTarget {
  readonly clientWidth = 400;
  readonly clientHeight = 200;
  readonly classList = { add: () => {}, remove: () => {} };
  setPointerCapture(): void {}
  matches(): boolean {
    return true;
  }
  getBoundingClientRect(): { left: number; top: number } {
    return { left: 10, top: 20 };
  }

  send(type: string, values: Record<string, unknown>): Event {
    const event = Object.assign(new Event(type, { cancelable: true }), values);
    this.dispatchEvent(event);
    return event;
  }

  pointer(type: string, x: number, y: number, pointerId = 1, pointerType = "touch"): void {
    this.send(`pointer${type}`, { clientX: x + 10, clientY: y + 20, pointerId, pointerType, button: 0 });
  }
}

let surface: Surface;
let done: unknown[][];

beforeEach(() => {
  vi.stubGlobal("WheelEvent", { DOM_DELTA_LINE: 1 });
  surface = new Surface();
  done = [];
  const names = ["pan", "zoom", "reset", "hover", "pick", "focusCentre", "pickCentre"] as const;
  const target = Object.fromEntries(
    names.map((name) => [name, (...values: unknown[]) => done.push([name, ...values])]),
  );
  listen(surface as unknown as HTMLElement, target as unknown as GestureTarget);
});

afterEach(() => vi.unstubAllGlobals());

function did(name: string): unknown[][] {
  return done.filter(([called]) => called === name).map(([, ...values]) => values);
}

describe("a finger", () => {
  it("that taps picks, also when it trembles", () => {
    surface.pointer("down", 100, 50);
    for (let step = 0; step < 12; step += 1) {
      surface.pointer("move", 100 + (step % 2) * 3, 50 + (step % 3));
    }
    surface.pointer("up", 103, 51);
    expect(did("pick")).toEqual([[{ x: 103, y: 51 }]]);
    expect(did("pan")).toEqual([]);
  });

  it("that draws moves the map with it, and picks nothing", () => {
    surface.pointer("down", 100, 50);
    for (const x of [110, 130, 160]) {
      surface.pointer("move", x, 50);
    }
    surface.pointer("move", 101, 50);
    surface.pointer("up", 101, 50);
    expect(did("pick")).toEqual([]);
    expect(did("pan").at(-2)).toEqual([30, 0]);
    expect(did("pan").at(-1)).toEqual([-59, 0]);
  });

  it("and another one zoom around the middle between them, and pick nothing", () => {
    surface.pointer("down", 100, 100, 1);
    surface.pointer("down", 200, 100, 2);
    surface.pointer("move", 300, 100, 2);
    expect(did("zoom")).toEqual([[2, { x: 200, y: 100 }]]);
    surface.pointer("up", 300, 100, 2);
    surface.pointer("up", 100, 100, 1);
    expect(did("pick")).toEqual([]);
  });

  it("at the very place of another one zooms by a number all the same", () => {
    surface.pointer("down", 100, 100, 1);
    surface.pointer("down", 100, 100, 2);
    surface.pointer("move", 100, 100, 2);
    surface.pointer("move", 102, 100, 2);
    expect(did("zoom").map(([factor]) => factor)).toEqual([1, 2]);
  });

  it("that is taken away by the system picks nothing", () => {
    surface.pointer("down", 100, 50);
    surface.pointer("cancel", 100, 50);
    expect(did("pick")).toEqual([]);
  });
});

describe("a mouse", () => {
  it("points at places, picks by its first button only, and moves the map after a few pixels", () => {
    surface.pointer("move", 30, 40, 1, "mouse");
    expect(did("hover")).toEqual([[{ x: 30, y: 40 }]]);
    surface.send("pointerdown", { clientX: 40, clientY: 60, pointerId: 1, pointerType: "mouse", button: 2 });
    surface.pointer("up", 30, 40, 1, "mouse");
    expect(did("pick")).toEqual([]);
    surface.pointer("down", 30, 40, 1, "mouse");
    surface.pointer("move", 38, 40, 1, "mouse");
    expect(did("pan")).toEqual([[8, 0]]);
  });

  it("zooms by its wheel where it points, whatever the wheel counts in", () => {
    const event = surface.send("wheel", { clientX: 60, clientY: 70, deltaY: -160, deltaMode: 0 });
    surface.send("wheel", { clientX: 60, clientY: 70, deltaY: -10, deltaMode: 1 });
    expect(event.defaultPrevented).toBe(true);
    expect(did("zoom")[0]?.[1]).toEqual({ x: 50, y: 50 });
    expect(did("zoom")[0]?.[0]).toBeCloseTo(did("zoom")[1]?.[0] as number);
  });
});

describe("keys", () => {
  it.each([
    ["ArrowLeft", "pan", [80, 0]],
    ["ArrowUp", "pan", [0, 80]],
    ["+", "zoom", [1.5, { x: 200, y: 100 }]],
    ["-", "zoom", [1 / 1.5, { x: 200, y: 100 }]],
    ["0", "reset", []],
    ["Enter", "pickCentre", []],
    [" ", "pickCentre", []],
  ])("%s: %s", (key, name, values) => {
    const event = surface.send("keydown", { key });
    expect(did(name)).toEqual([values]);
    expect(event.defaultPrevented).toBe(true);
  });

  it("leave to the browser what is its own", () => {
    for (const held of ["ctrlKey", "metaKey", "altKey"]) {
      expect(surface.send("keydown", { key: "+", [held]: true }).defaultPrevented).toBe(false);
    }
    expect(surface.send("keydown", { key: "Tab" }).defaultPrevented).toBe(false);
    expect(done).toEqual([]);
  });
});
