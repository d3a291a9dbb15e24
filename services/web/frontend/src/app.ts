/** Joins the parts: messages go into the store, what changed goes to the map, choices go to all. */

import { FIELD, LAYERS, type LayerId } from "./layers/layers";
import type { WorldMap } from "./map/map";
import type { Point } from "./map/view";
import type { World } from "./map/world";
import { loadPrefs, type Prefs, savePrefs } from "./prefs";
import { backoffMs } from "./protocol/backoff";
import { Client, type ConnectionStatus } from "./protocol/client";
import { CLOSE, type Delta, type Geometry, type Hello, type Snapshot } from "./protocol/messages";
import { type Freshness, freshness } from "./state/freshness";
import { Store } from "./state/store";
import { TEXT } from "./text";
import { applyTheme, type MapColors, onSystemThemeChange } from "./theme";
import { Announcer } from "./ui/announcer";
import { setHidden } from "./ui/dom";
import { cellFacts } from "./ui/facts";
import { Legend } from "./ui/legend";
import { buildPage, type Page } from "./ui/page";
import { Panel } from "./ui/panel";
import { Settings } from "./ui/settings";
import { Status } from "./ui/status";
import { Tooltip } from "./ui/tooltip";
import type { Units } from "./units";

const TICK_MS = 1_000;
/** Updates within this time are told as one. */
const UPDATE_WINDOW_MS = 5_000;

export class App {
  #prefs: Prefs = loadPrefs();
  #colors: MapColors = applyTheme(this.#prefs.theme);
  readonly #store = new Store();
  readonly #client: Client;
  readonly #announcer = new Announcer();
  readonly #tooltip = new Tooltip();
  readonly #status = new Status(() => this.#client.wake());
  readonly #legend = new Legend(this.#status.age, () => this.#nextUnit());
  readonly #panel = new Panel(() => this.#closePanel());
  readonly #settings = new Settings(this.#prefs, (part) => this.#change(part));
  readonly #page: Page;
  #map: WorldMap | null = null;
  #hovered: { cell: number; at: Point } | null = null;
  #selected: number | null = null;
  #lastUpdate: { cells: Set<number>; atMs: number } | null = null;
  #lastLiveMs: number | null = null;
  #broken = false;

  constructor(root: HTMLElement) {
    this.#page = buildPage(
      root,
      {
        pill: this.#status.pill,
        simulated: this.#status.simulated,
        notice: this.#status.notice,
        legend: this.#legend.element,
        settingsButton: this.#settings.button,
        settings: this.#settings.element,
        tooltip: this.#tooltip.element,
        panel: this.#panel.element,
        announcer: this.#announcer.element,
      },
      this.#prefs.layer,
      {
        layer: (layer) => this.#change({ layer }),
        zoom: (factor) => this.#map?.zoom(factor),
        reset: () => this.#map?.reset(),
      },
    );
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#client = new Client(url.href, {
      message: (message) => this.#receive(message),
      connection: (status) => this.#connectionChanged(status),
    });
    exposeForDebugging(this.#store, this.#client);
  }

  start(): void {
    this.#client.start();
    this.#applyPrefs();
    this.#tick();
    window.setInterval(() => this.#tick(), TICK_MS);
    window.addEventListener("online", () => this.#client.wake());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        this.#client.wake();
        this.#tick();
      }
    });
    onSystemThemeChange(() => this.#applyPrefs());
    this.#startMap().catch((error: unknown) => {
      console.error(error);
      this.#broken = true;
      this.#tick();
    });
  }

  async #startMap(): Promise<void> {
    const [{ WorldMap }, { loadWorld }] = await Promise.all([import("./map/map"), import("./map/world")]);
    const map = new WorldMap(this.#page.map, LAYERS[this.#prefs.layer], this.#colors, {
      hover: (cell, at) => this.#hover(cell, at),
      pick: (cell) => this.#pick(cell),
    });
    this.#map = map;
    this.#applyPrefs();
    const { cells } = this.#store;
    if (cells !== null) {
      map.setCells(cells, true);
    }
    this.#drawWorld(map, loadWorld);
  }

  /** The weather is shown without coastlines rather than not at all: they are asked for until they come. */
  #drawWorld(map: WorldMap, loadWorld: () => Promise<World>, attempt = 0): void {
    loadWorld().then(
      (world) => map.setWorld(world),
      () => {
        const waitMs = backoffMs(attempt, CLOSE.goingAway, Math.random());
        setTimeout(() => this.#drawWorld(map, loadWorld, attempt + 1), waitMs);
      },
    );
  }

  #receive(message: Hello | Geometry | Snapshot | Delta): void {
    const change = this.#store.apply(message);
    const { cells } = this.#store;
    if (change === null || cells === null) {
      return;
    }
    this.#map?.setCells(cells, change.kind === "geometry");
    if (change.kind === "geometry") {
      this.#closePanel();
    }
    if (change.kind === "delta" && change.cells.length > 0) {
      this.#map?.pulse(change.cells);
      this.#remember(change.cells);
      if (this.#selected !== null && change.cells.includes(this.#selected)) {
        this.#panel.refresh(this.#units, this.#colors, this.#client.serverNowMs());
      }
    }
    this.#tick();
  }

  #remember(cells: Uint32Array): void {
    const nowMs = Date.now();
    const last = this.#lastUpdate;
    const isSame = last !== null && nowMs - last.atMs < UPDATE_WINDOW_MS;
    const changed = isSame ? last.cells : new Set<number>();
    for (const cell of cells) {
      changed.add(cell);
    }
    this.#lastUpdate = { cells: changed, atMs: isSame ? last.atMs : nowMs };
    this.#announcer.mention(TEXT.announce.updated(changed.size));
  }

  #connectionChanged(status: ConnectionStatus): void {
    this.#tick();
    if (status.state === "live" || status.state === "restarting" || status.state === "disconnected") {
      this.#announcer.say(TEXT.announce[status.state]);
    } else if (status.state === "reconnecting") {
      this.#announcer.mention(TEXT.announce.reconnecting);
    }
  }

  #freshness(): Freshness | null {
    const { cells, hello } = this.#store;
    return cells === null || hello === null
      ? null
      : freshness(cells, this.#client.serverNowMs() / 1000, hello.staleAfterSeconds);
  }

  #tick(): void {
    if (document.hidden) {
      return;
    }
    const nowMs = Date.now();
    const connection = this.#client.status;
    if (connection.state === "live") {
      this.#lastLiveMs = nowMs;
    }
    const fresh = this.#freshness();
    this.#status.show({
      connection,
      freshness: fresh,
      lastUpdate:
        this.#lastUpdate === null ? null : { count: this.#lastUpdate.cells.size, atMs: this.#lastUpdate.atMs },
      lastLiveMs: this.#lastLiveMs,
      nowMs,
      broken: this.#broken,
    });
    setHidden(this.#page.credit, fresh === null || fresh.simulated === 0);
    this.#page.map.dataset["faded"] = String(connection.state === "disconnected" || (fresh?.stale ?? false));
    this.#showCell();
  }

  #hover(cell: number | null, at: Point): void {
    this.#hovered = cell === null ? null : { cell, at };
    this.#showCell();
  }

  #showCell(): void {
    const nowMs = this.#client.serverNowMs();
    const facts = this.#hovered && cellFacts(this.#store, this.#hovered.cell, this.#units, nowMs);
    if (this.#hovered !== null && facts !== null) {
      this.#tooltip.show(facts, this.#hovered.at);
    } else {
      this.#tooltip.hide();
    }
    const chosen = this.#selected === null ? null : cellFacts(this.#store, this.#selected, this.#units, nowMs);
    if (chosen !== null) {
      this.#panel.update(chosen);
    }
  }

  #pick(cell: number): void {
    const nowMs = this.#client.serverNowMs();
    const facts = cellFacts(this.#store, cell, this.#units, nowMs);
    const id = this.#store.cells?.ids[cell];
    if (facts === null || id === undefined) {
      return;
    }
    this.#selected = cell;
    this.#hovered = null;
    this.#tooltip.hide();
    this.#map?.select(cell);
    this.#panel.show(id, facts, this.#units, this.#colors, nowMs);
  }

  #closePanel(): void {
    if (this.#selected !== null) {
      this.#selected = null;
      this.#map?.select(-1);
      this.#panel.close();
      this.#page.map.focus({ preventScroll: true });
    }
  }

  get #units(): Units {
    return this.#prefs;
  }

  /** The next unit of the layer that is shown. */
  #nextUnit(): void {
    if (this.#prefs.layer === "temperature") {
      this.#change({ temperature: this.#prefs.temperature === "celsius" ? "fahrenheit" : "celsius" });
    } else {
      const units = ["mps", "kmh", "mph", "knots", "beaufort"] as const;
      this.#change({ wind: units[(units.indexOf(this.#prefs.wind) + 1) % units.length] as Units["wind"] });
    }
  }

  #change(part: Partial<Prefs>): void {
    this.#prefs = { ...this.#prefs, ...part };
    savePrefs(this.#prefs);
    this.#applyPrefs();
    if (part.layer !== undefined) {
      this.#announcer.say(TEXT.announce.layer(TEXT.layer[part.layer].name));
    }
  }

  #applyPrefs(): void {
    this.#colors = applyTheme(this.#prefs.theme);
    const layer = LAYERS[this.#prefs.layer];
    const arrows = this.#prefs.arrows ?? this.#prefs.layer === "wind";
    this.#page.layers.set(this.#prefs.layer);
    this.#settings.show(this.#prefs, arrows);
    this.#legend.show(layer, this.#units, this.#colors.fieldOpacity);
    this.#map?.setColors(this.#colors);
    this.#map?.setLayer(layer);
    this.#map?.setArrows(arrows);
    this.#panel.redraw(this.#units, this.#colors, this.#client.serverNowMs());
    this.#showCell();
  }
}

/** What browser tests and curious people may read; nothing can be changed through it. */
function exposeForDebugging(store: Store, client: Client): void {
  const fieldOf = (layer: string): string =>
    layer === "temperature" || layer === "wind" ? LAYERS[layer satisfies LayerId].field : layer;
  const isotherm = {
    state: () => {
      const fresh =
        store.cells === null ? null : freshness(store.cells, client.serverNowMs() / 1000, Number.POSITIVE_INFINITY);
      return {
        connection: client.status.state,
        stream: store.stream,
        seq: store.seq,
        geometry: client.state.position.geometry,
        mode: client.state.mode,
        cells: store.count,
        filled: fresh?.filled ?? 0,
        simulated: fresh?.simulated ?? 0,
      };
    },
    value: (locationId: number, layer: string = FIELD.temperature) => {
      const cell = store.cells?.ids.indexOf(locationId) ?? -1;
      return cell < 0 ? null : store.value(cell, fieldOf(layer));
    },
  };
  Object.defineProperty(window, "isotherm", { value: Object.freeze(isotherm) });
}
