/** Builds elements without strings of markup. */

type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | number | boolean | null>>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== null && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A line icon of 24 by 24, drawn in the colour of the text. */
export function icon(...paths: string[]): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const data of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", data);
    svg.append(path);
  }
  return svg;
}

export const ICONS = {
  temperature: ["M10 13.5V5a2 2 0 1 1 4 0v8.5a4.5 4.5 0 1 1-4 0Z", "M12 10v6.5"],
  wind: ["M3 9h10.5a2.75 2.75 0 1 0-2.6-3.6", "M3 13h15a2.75 2.75 0 1 1-2.6 3.6", "M3 17h7.5a2 2 0 1 1-1.9 2.6"],
  settings: [
    "M4 7h9M17 7h3M4 17h3M11 17h9",
    "M15 9.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z",
    "M9 19.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z",
  ],
  plus: ["M12 5v14M5 12h14"],
  minus: ["M5 12h14"],
  whole: ["M4 9V5a1 1 0 0 1 1-1h4M15 4h4a1 1 0 0 1 1 1v4M20 15v4a1 1 0 0 1-1 1h-4M9 20H5a1 1 0 0 1-1-1v-4"],
  age: ["M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16Z", "M12 8v4.5l3 2"],
  search: ["M11 17.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Z", "M16 16l4.5 4.5"],
  share: ["M12 15V4M8 7.5 12 3.8l4 3.7", "M5 12v6.5a1.5 1.5 0 0 0 1.5 1.5h11a1.5 1.5 0 0 0 1.5-1.5V12"],
  target: ["M12 17.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Z", "M12 3v3.5M12 17.5V21M3 12h3.5M17.5 12H21"],
  close: ["M6 6l12 12M18 6 6 18"],
  brand: ["M3 15.5c3-5 6-5 9-1.5s6 3.5 9-1.5", "M3 10c3-5 6-5 9-1.5s6 3.5 9-1.5", "M3 21c3-5 6-5 9-1.5s6 3.5 9-1.5"],
} as const;

export function iconButton(label: string, paths: readonly string[], testId: string): HTMLButtonElement {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, "data-testid": testId },
    icon(...paths),
  );
}

/** Writes only what differs, so that nothing is laid out or read aloud again for nothing. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

export function setHidden(element: HTMLElement, hidden: boolean): void {
  if (element.hidden !== hidden) {
    element.hidden = hidden;
  }
}
