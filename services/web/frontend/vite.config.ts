import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { precompress } from "./build/compress.ts";
import { licences } from "./build/licences.ts";
import { lighterPlotly } from "./build/plotly.ts";
import { worldShapes } from "./build/world.ts";
import { fakeServer } from "./dev/fake.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [
    lighterPlotly(),
    worldShapes(here("src/map/world.generated.json")),
    fakeServer(),
    licences(here(".")),
    precompress(),
  ],
  // Plotly's modules were written for bundlers that call the window "global".
  define: { global: "window" },
  build: {
    outDir: here("../src/isotherm_web/static"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_500,
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
