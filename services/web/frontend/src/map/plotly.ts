/**
 * Plotly.js, reduced to what the page draws: heatmap, contour and scatter on cartesian axes.
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
import contour from "plotly.js/src/traces/contour";
import heatmap from "plotly.js/src/traces/heatmap";
import scatter from "plotly.js/src/traces/scatter";

register([scatter, heatmap, contour, colorscale, fx, modebar, shapes, localeEn, localeEnUs]);
// Plotly calls its own methods by their names.
register(Object.entries(plotApi).map(([name, fn]) => ({ moduleType: "apiMethod", name, fn })));

export const { newPlot, react, relayout } = plotApi;
