/** Dark and light: what the system asks for, unless the reader has chosen. */

import type { LayerId } from "./layers/layers";
import type { ThemeChoice } from "./prefs";

export type Theme = "light" | "dark";

export interface LineColors {
  readonly coast: string;
  readonly borders: string;
  readonly graticule: string;
  readonly arrows: string;
  readonly isotherms: string;
  readonly halo: string;
}

/** The colours that are drawn rather than styled; the rest is in the style sheet. */
export interface MapColors {
  readonly sea: string;
  readonly land: string;
  readonly graticule: string;
  readonly mark: string;
  readonly markEdge: string;
  readonly pointEdge: string;
  /** A little of the ground shines through, which takes the glare off in the dark. */
  readonly fieldOpacity: number;
  readonly ink: Readonly<Record<LayerId, LineColors>>;
  readonly chart: { readonly text: string; readonly grid: string; readonly temperature: string; readonly wind: string };
}

const LIGHT: MapColors = {
  sea: "#dfe6ec",
  land: "#f4f2ec",
  graticule: "rgba(40, 60, 80, 0.10)",
  mark: "#ffffff",
  markEdge: "rgba(15, 25, 40, 0.55)",
  pointEdge: "rgba(22, 32, 48, 0.6)",
  fieldOpacity: 0.94,
  ink: {
    temperature: {
      coast: "rgba(22, 32, 48, 0.72)",
      borders: "rgba(22, 32, 48, 0.26)",
      graticule: "rgba(22, 32, 48, 0.13)",
      arrows: "rgba(22, 32, 48, 0.62)",
      isotherms: "rgba(22, 32, 48, 0.55)",
      halo: "rgba(255, 255, 255, 0.8)",
    },
    age: {
      coast: "rgba(22, 32, 48, 0.72)",
      borders: "rgba(22, 32, 48, 0.26)",
      graticule: "rgba(22, 32, 48, 0.13)",
      arrows: "rgba(22, 32, 48, 0.62)",
      isotherms: "rgba(22, 32, 48, 0.55)",
      halo: "rgba(255, 255, 255, 0.8)",
    },
    wind: {
      coast: "rgba(255, 255, 255, 0.85)",
      borders: "rgba(255, 255, 255, 0.3)",
      graticule: "rgba(255, 255, 255, 0.12)",
      arrows: "rgba(255, 255, 255, 0.82)",
      isotherms: "rgba(255, 255, 255, 0.62)",
      halo: "rgba(15, 25, 40, 0.75)",
    },
  },
  chart: { text: "#4a5566", grid: "rgba(40, 60, 80, 0.12)", temperature: "#c2410c", wind: "#0f766e" },
};

const DARK: MapColors = {
  sea: "#0d141d",
  land: "#1b2530",
  graticule: "rgba(200, 220, 240, 0.07)",
  mark: "#ffffff",
  markEdge: "rgba(5, 10, 18, 0.7)",
  pointEdge: "rgba(232, 238, 246, 0.6)",
  fieldOpacity: 0.8,
  ink: {
    temperature: {
      coast: "rgba(6, 12, 20, 0.8)",
      borders: "rgba(6, 12, 20, 0.3)",
      graticule: "rgba(6, 12, 20, 0.13)",
      arrows: "rgba(6, 12, 20, 0.66)",
      isotherms: "rgba(6, 12, 20, 0.6)",
      halo: "rgba(235, 240, 246, 0.65)",
    },
    age: {
      coast: "rgba(6, 12, 20, 0.8)",
      borders: "rgba(6, 12, 20, 0.3)",
      graticule: "rgba(6, 12, 20, 0.13)",
      arrows: "rgba(6, 12, 20, 0.66)",
      isotherms: "rgba(6, 12, 20, 0.6)",
      halo: "rgba(235, 240, 246, 0.65)",
    },
    wind: {
      coast: "rgba(255, 255, 255, 0.72)",
      borders: "rgba(255, 255, 255, 0.22)",
      graticule: "rgba(255, 255, 255, 0.12)",
      arrows: "rgba(255, 255, 255, 0.72)",
      isotherms: "rgba(255, 255, 255, 0.5)",
      halo: "rgba(6, 12, 20, 0.75)",
    },
  },
  chart: { text: "#a9b6c6", grid: "rgba(200, 220, 240, 0.12)", temperature: "#fb923c", wind: "#2dd4bf" },
};

const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

export function themeOf(choice: ThemeChoice): Theme {
  return choice === "system" ? (darkSystem.matches ? "dark" : "light") : choice;
}

export function colorsOf(theme: Theme): MapColors {
  return theme === "dark" ? DARK : LIGHT;
}

export function applyTheme(choice: ThemeChoice): MapColors {
  const theme = themeOf(choice);
  document.documentElement.dataset["theme"] = theme;
  const color = colorsOf(theme);
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", color.sea);
  return color;
}

export function onSystemThemeChange(listener: () => void): void {
  darkSystem.addEventListener("change", listener);
}
