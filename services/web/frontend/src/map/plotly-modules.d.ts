/** The parts of Plotly.js that the page uses; the package has no types for its single modules. */

declare module "plotly.js/src/registry" {
  export function register(modules: readonly unknown[]): void;
}
declare module "plotly.js/src/plot_api/plot_api" {
  type Fields = Record<string, unknown>;
  type Draw = (element: HTMLElement, data: readonly Fields[], layout: Fields, config?: Fields) => Promise<HTMLElement>;
  const plotApi: {
    newPlot: Draw;
    react: Draw;
    purge: (element: HTMLElement) => void;
    relayout: (element: HTMLElement, changes: Fields) => Promise<HTMLElement>;
  };
  export default plotApi;
}
declare module "plotly.js/src/traces/scatter";
declare module "plotly.js/src/traces/heatmap" {
  const heatmap: { plot(element: HTMLElement, plot: unknown, drawn: readonly unknown[], layer: unknown): void };
  export default heatmap;
}
declare module "plotly.js/src/components/colorscale";
declare module "plotly.js/src/components/fx";
declare module "plotly.js/src/components/modebar";
declare module "plotly.js/src/components/shapes";
declare module "plotly.js/src/locale-en";
declare module "plotly.js/src/locale-en-us";
