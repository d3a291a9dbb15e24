/** Puts the parts of the page in their places. */

import { LAYER_IDS, type LayerId } from "../layers/layers";
import { TEXT } from "../text";
import { type Choice, choice } from "./choice";
import { h, ICONS, icon, iconButton } from "./dom";

export interface PageParts {
  readonly pill: HTMLElement;
  readonly simulated: HTMLElement;
  readonly notice: HTMLElement;
  readonly legend: HTMLElement;
  readonly settingsButton: HTMLElement;
  readonly settings: HTMLElement;
  readonly tooltip: HTMLElement;
  readonly panel: HTMLElement;
  readonly time: HTMLElement;
  readonly searchButton: HTMLElement;
  readonly search: HTMLElement;
  readonly shareButton: HTMLElement;
  readonly share: HTMLElement;
  readonly table: HTMLElement;
  readonly announcer: HTMLElement;
}

export interface PageHandlers {
  layer(id: LayerId): void;
  zoom(factor: number): void;
  reset(): void;
}

export interface Page {
  readonly map: HTMLElement;
  readonly layers: Choice<LayerId>;
  readonly credit: HTMLElement;
  /** Shown where the page is a part of another one. */
  readonly openWhole: HTMLAnchorElement;
}

const ZOOM_STEP = 1.6;

export function buildPage(root: HTMLElement, parts: PageParts, layer: LayerId, handlers: PageHandlers): Page {
  const layers = choice<LayerId>(
    "layer",
    TEXT.layers,
    LAYER_IDS.map((id) => ({
      value: id,
      label: TEXT.layer[id].name,
      short: TEXT.layer[id].short,
      icon: icon(...ICONS[id]),
    })),
    layer,
    (id) => handlers.layer(id),
  );
  layers.element.classList.add("layers");
  const map = h("div", {
    class: "map",
    id: "map",
    tabindex: 0,
    role: "application",
    "aria-label": TEXT.map,
    "data-testid": "map",
  });
  const credit = h(
    "span",
    { class: "credit-simulated", "data-testid": "simulated-credit", hidden: true },
    TEXT.simulatedCredit,
  );
  const openWhole = h(
    "a",
    { class: "open-whole", href: "/", target: "_blank", rel: "noopener", "data-testid": "open-whole" },
    TEXT.openWhole,
  );
  const skip = h("a", { class: "skip", href: "#map" }, TEXT.skipToMap);
  skip.addEventListener("click", (event) => {
    // The address is of what is looked at, which this does not change.
    event.preventDefault();
    map.focus();
  });
  root.replaceChildren(
    skip,
    h(
      "header",
      { class: "bar card" },
      h("h1", { class: "brand" }, icon(...ICONS.brand), h("span", { class: "brand-name" }, TEXT.title)),
      layers.element,
      h(
        "div",
        { class: "bar-end" },
        parts.simulated,
        parts.pill,
        h("div", { class: "bar-buttons" }, parts.searchButton, parts.shareButton, parts.settingsButton),
        openWhole,
      ),
    ),
    parts.search,
    parts.share,
    parts.settings,
    h(
      "main",
      { class: "stage" },
      map,
      parts.tooltip,
      h("div", { class: "foot" }, parts.legend, parts.time, parts.notice),
      h(
        "div",
        { class: "zoom card", role: "group" },
        zoomButton(TEXT.zoomIn, ICONS.plus, "zoom-in", () => handlers.zoom(ZOOM_STEP)),
        zoomButton(TEXT.zoomOut, ICONS.minus, "zoom-out", () => handlers.zoom(1 / ZOOM_STEP)),
        zoomButton(TEXT.wholeMap, ICONS.whole, "zoom-reset", () => handlers.reset()),
      ),
    ),
    parts.panel,
    h(
      "footer",
      { class: "credits" },
      credit,
      h(
        "span",
        { "data-testid": "attribution" },
        link("https://open-meteo.com/", TEXT.attribution),
        " (",
        link("https://creativecommons.org/licenses/by/4.0/", TEXT.licence),
        ")",
      ),
      h("span", { class: "credit-shapes" }, TEXT.shapes, " · ", link("/licences.txt", TEXT.licences)),
    ),
    parts.table,
    parts.announcer,
  );
  return { map, layers, credit, openWhole };
}

function zoomButton(label: string, paths: readonly string[], testId: string, act: () => void): HTMLElement {
  const button = iconButton(label, paths, testId);
  button.addEventListener("click", act);
  return button;
}

function link(href: string, text: string): HTMLElement {
  return h("a", { href, target: "_blank", rel: "noopener" }, text);
}
