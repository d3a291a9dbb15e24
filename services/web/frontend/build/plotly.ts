/** Makes Plotly.js lighter: its attributes carry their documentation, and its registry a foreign style sheet. */

import type { Plugin } from "vite";

const DESCRIPTIONS = [
  /^\s*description:\s*\[[\s\S]*?\]\.join\([^)]*\),?/gm,
  /^\s*description:\s*(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`[^`$]*`)(?=\s*[,}\n]),?/gm,
];

/** What can be reached only by tools that the page switches off: drawing selections, buttons, legends. */
const UNUSED =
  /plotly\.js\/src\/(components\/(selections\/select|modebar\/buttons|legend\/(draw|handle_click|style))|fonts\/ploticon)\.[jt]s$/;
const HEATMAP = /plotly\.js\/src\/traces\/heatmap\/plot\.[jt]s$/;
/**
 * A style attribute is refused by a strict content security policy, which would blur the cells; a property is not. And
 * the same image is drawn again: it has to lose the style when it is to be smooth.
 */
const STYLE_ATTRIBUTE =
  /if \(drawingMethod === 'fast' && !zsmooth\) \{\s*image3\.attr\('style', PIXELATED_IMAGE_STYLE\);\s*\}/;
const STYLE_PROPERTY = "image3.style('image-rendering', drawingMethod === 'fast' && !zsmooth ? 'pixelated' : null);";
const NO_STYLE = "\0no-style";
const NOTHING = "module.exports = new Proxy(function () {}, { get: () => function () {} });";

export function lighterPlotly(): Plugin {
  return {
    name: "lighter-plotly",
    enforce: "pre",
    resolveId(source) {
      // The style of a map engine that this page does not have.
      return source.endsWith("/maplibre-gl.css") ? NO_STYLE : null;
    },
    load(id) {
      if (UNUSED.test(id)) {
        return NOTHING;
      }
      return id === NO_STYLE ? "" : null;
    },
    transform(code, id) {
      if (HEATMAP.test(id)) {
        if (!STYLE_ATTRIBUTE.test(code)) {
          throw new Error(`${id} does not set the style attribute any more: see build/plotly.ts.`);
        }
        return { code: code.replace(STYLE_ATTRIBUTE, STYLE_PROPERTY), map: null };
      }
      if (!/plotly\.js\/src\/.*attributes.*\.[jt]s$|plotly\.js\/src\/.*(constants|index)\.[jt]s$/.test(id)) {
        return null;
      }
      let lighter = code;
      for (const pattern of DESCRIPTIONS) {
        lighter = lighter.replace(pattern, "");
      }
      return { code: lighter, map: null };
    },
  };
}
