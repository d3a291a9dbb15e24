/**
 * Plotly.js, reduced to what the page draws: heatmap and scatter on cartesian axes.
 * It is assembled from the package's own modules, because its ready-made bundles hold four times as much.
 */

import colorscale from "plotly.js/src/components/colorscale";
import fx from "plotly.js/src/components/fx";
import modebar from "plotly.js/src/components/modebar";
import shapes from "plotly.js/src/components/shapes";
import localeEn from "plotly.js/src/locale-en";
import localeEnUs from "plotly.js/src/locale-en-us";
import plotApi from "plotly.js/src/plot_api/plot_api";
import { register } from "plotly.js/src/registry";
import heatmap from "plotly.js/src/traces/heatmap";
import scatter from "plotly.js/src/traces/scatter";

register([scatter, heatmap, colorscale, fx, modebar, shapes, localeEn, localeEnUs]);
// Plotly calls its own methods by their names.
register(Object.entries(plotApi).map(([name, fn]) => ({ moduleType: "apiMethod", name, fn })));

export const { newPlot, purge, react, relayout } = plotApi;

type Rows = readonly (readonly (number | undefined)[])[];

/** A drawn plot's own record of what it has drawn. */
interface Drawn extends HTMLElement {
  readonly calcdata?: readonly (readonly [{ z?: Rows }, ...unknown[]])[];
  readonly _fullLayout?: { readonly _plots?: Readonly<Record<string, { plot: { select(name: string): unknown } }>> };
}

/**
 * Draws other values into a heatmap of the same shape, scale and view; false when there is none.
 * Plotly's `react` works out all defaults again before it draws: here none of them can have changed, and an update of a
 * large map would take twice as long.
 */
export function redrawHeatmap(element: HTMLElement, rows: Rows): boolean {
  const { calcdata, _fullLayout } = element as Drawn;
  const drawn = calcdata?.[0];
  const plot = _fullLayout?._plots?.["xy"];
  const before = drawn?.[0].z;
  if (drawn === undefined || plot === undefined || before?.length !== rows.length) {
    return false;
  }
  drawn[0].z = rows;
  heatmap.plot(element, plot, [drawn], plot.plot.select("g.heatmaplayer"));
  return true;
}
