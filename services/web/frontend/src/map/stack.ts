/** The map's layers, one above the other; all of them show one view. */

export interface Canvases {
  /** The land, below the weather. */
  readonly base: HTMLCanvasElement;
  readonly coasts: HTMLCanvasElement;
  /** The weather of places that lie on no grid: no line goes through it. */
  readonly marks: HTMLCanvasElement;
  /** Isotherms and arrows. */
  readonly lines: HTMLCanvasElement;
  /** What moves, and what is chosen. */
  readonly overlay: HTMLCanvasElement;
}

export interface Stack {
  /** The weather of a grid. */
  readonly plot: HTMLElement;
  readonly canvases: Canvases;
}

export function buildStack(root: HTMLElement): Stack {
  const base = child(root, "canvas", "map-base");
  const plot = child(root, "div", "map-plot");
  const coasts = child(root, "canvas", "map-coasts");
  const marks = child(root, "canvas", "map-marks");
  const lines = child(root, "canvas", "map-lines");
  return { plot, canvases: { base, marks, coasts, lines, overlay: child(root, "canvas", "map-overlay") } };
}

function child<K extends "canvas" | "div">(parent: HTMLElement, tag: K, className: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.setAttribute("aria-hidden", "true");
  parent.append(element);
  return element;
}
