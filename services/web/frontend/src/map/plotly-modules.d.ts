/** The parts of Plotly.js that the page uses; the package has no types for its single modules. */

declare module "plotly.js/src/registry" {
  export function register(modules: readonly unknown[]): void;
}
declare module "plotly.js/src/plot_api/plot_api" {
  type Fields = Record<string, unknown>;
  type Done = Promise<HTMLElement>;
  export function newPlot(element: HTMLElement, data: readonly Fields[], layout: Fields, config?: Fields): Done;
  export function react(element: HTMLElement, data: readonly Fields[], layout: Fields, config?: Fields): Done;
  export function restyle(element: HTMLElement, changes: Fields, traces?: readonly number[]): Done;
  export function relayout(element: HTMLElement, changes: Fields): Done;
  export function update(element: HTMLElement, traces: Fields, layout: Fields, indices?: readonly number[]): Done;
  export function purge(element: HTMLElement): void;
}
declare module "plotly.js/src/traces/scatter";
declare module "plotly.js/src/traces/heatmap";
declare module "plotly.js/src/traces/contour";
declare module "plotly.js/src/components/colorscale";
declare module "plotly.js/src/components/fx";
declare module "plotly.js/src/components/modebar";
declare module "plotly.js/src/locale-en";
declare module "plotly.js/src/locale-en-us";
