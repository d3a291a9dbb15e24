/** Turns pointers, the wheel and keys on the map into changes of the view. */

import type { Point } from "./view";

export interface GestureTarget {
  pan(dx: number, dy: number): void;
  zoom(factor: number, at: Point): void;
  reset(): void;
  hover(at: Point | null): void;
  pick(at: Point): void;
  /** Keyboard: the place in the middle of the map is the one that is meant. */
  focusCentre(): void;
  pickCentre(): void;
}

/** How far from where it began a press may end, and still mean a place: a hand trembles, a finger more. */
const CLICK_TOLERANCE_PX = { mouse: 6, other: 12 };
const KEY_PAN_PX = 80;
const KEY_ZOOM = 1.5;
const WHEEL_SPEED = 0.0016;

export function listen(surface: HTMLElement, target: GestureTarget): void {
  const pointers = new Map<number, Point>();
  let start: Point = { x: 0, y: 0 };
  let pulled = false;
  let pinched = false;

  const place = (event: MouseEvent): Point => {
    const box = surface.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) {
      return;
    }
    if (pointers.size === 0) {
      start = place(event);
      pulled = false;
      pinched = false;
    }
    surface.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    surface.classList.add("is-grabbed");
  });

  surface.addEventListener("pointermove", (event) => {
    const at = place(event);
    const before = pointers.get(event.pointerId);
    if (before === undefined) {
      target.hover(at);
      return;
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, at);
    if (other === undefined) {
      const tolerance = event.pointerType === "mouse" ? CLICK_TOLERANCE_PX.mouse : CLICK_TOLERANCE_PX.other;
      pulled ||= Math.hypot(at.x - start.x, at.y - start.y) > tolerance;
      if (pulled) {
        target.hover(null);
        target.pan(at.x - before.x, at.y - before.y);
      }
      return;
    }
    pinched = true;
    // Two fingers at one place are a pixel apart: nothing could be divided by less.
    const apart = (from: Point): number => Math.max(1, Math.hypot(from.x - other.x, from.y - other.y));
    const factor = apart(at) / apart(before);
    target.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
    target.zoom(factor, { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
  });

  const release = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId) || pointers.size > 0) {
      return;
    }
    surface.classList.remove("is-grabbed");
    if (event.type === "pointerup" && !pulled && !pinched) {
      target.pick(place(event));
    }
  };
  surface.addEventListener("pointerup", release);
  surface.addEventListener("pointercancel", release);
  surface.addEventListener("pointerleave", () => target.hover(null));

  surface.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      target.zoom(Math.exp(-event.deltaY * lines * WHEEL_SPEED), place(event));
    },
    { passive: false },
  );
  surface.addEventListener("dblclick", (event) => target.zoom(2, place(event)));

  const centre = (): Point => ({ x: surface.clientWidth / 2, y: surface.clientHeight / 2 });
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => target.pan(KEY_PAN_PX, 0),
    ArrowRight: () => target.pan(-KEY_PAN_PX, 0),
    ArrowUp: () => target.pan(0, KEY_PAN_PX),
    ArrowDown: () => target.pan(0, -KEY_PAN_PX),
    "+": () => target.zoom(KEY_ZOOM, centre()),
    "=": () => target.zoom(KEY_ZOOM, centre()),
    "-": () => target.zoom(1 / KEY_ZOOM, centre()),
    "0": () => target.reset(),
    Home: () => target.reset(),
  };
  surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      target.pickCentre();
      return;
    }
    const act = keys[event.key];
    if (act !== undefined) {
      event.preventDefault();
      act();
      target.focusCentre();
    }
  });
  surface.addEventListener("focus", () => {
    if (surface.matches(":focus-visible")) {
      target.focusCentre();
    }
  });
  surface.addEventListener("blur", () => target.hover(null));
}
