/** Joins the parts: messages go into the store, what is shown goes to the map and into words, choices go to all. */

import { exposeForDebugging } from "./debug";
import { exportPicture, exportUrl } from "./export";
import { LAYERS, type LayerId } from "./layers/layers";
import { layerValues } from "./layers/values";
import type { Style, WorldMap } from "./map/map";
import type { Point } from "./map/view";
import type { World } from "./map/world";
import { encodeLink, type Link } from "./permalink";
import { loadPrefs, type Prefs, savePrefs } from "./prefs";
import { backoffMs } from "./protocol/backoff";
import { Client, type ConnectionStatus } from "./protocol/client";
import { CLOSE, type Delta, type Geometry, type Hello, type Snapshot } from "./protocol/messages";
import type { Named } from "./search/search";
import { type Freshness, freshness } from "./state/freshness";
import { Store } from "./state/store";
import { Updates } from "./state/updates";
import { TEXT } from "./text";
import { applyTheme, type MapColors, onSystemThemeChange } from "./theme";
import { clampTo, span } from "./time/axis";
import { TimeControl } from "./time/control";
import { Address } from "./ui/address";
import { Announcer } from "./ui/announcer";
import { setHidden } from "./ui/dom";
import { type CellFacts, cellFacts, placeName } from "./ui/facts";
import { listenToKeys } from "./ui/keys";
import { Legend } from "./ui/legend";
import { buildPage, type Page } from "./ui/page";
import { Panel } from "./ui/panel";
import { Search } from "./ui/search";
import { Settings } from "./ui/settings";
import { Share } from "./ui/share";
import { Status } from "./ui/status";
import { Table } from "./ui/table";
import { kindText, TimeBar, timeText } from "./ui/timebar";
import { Tooltip } from "./ui/tooltip";
import { nextUnit } from "./units";

const TICK_MS = 1_000;
/** How near the map goes to a place that was searched for. */
const SEARCH_ZOOM = 3;

export class App {
  #prefs: Prefs = loadPrefs();
  #colors: MapColors = applyTheme(this.#prefs.theme);
  readonly #store = new Store();
  readonly #client: Client;
  readonly #announcer = new Announcer();
  readonly #updates = new Updates();
  readonly #table = new Table();
  readonly #time = new TimeControl(this.#store, {
    nowSeconds: () => this.#nowMs / 1000,
    changed: () => this.#draw(),
    moved: () => this.#momentChanged(),
  });
  readonly #timeBar = new TimeBar({
    to: (moment) => this.#time.go(moment),
    step: (direction) => this.#time.step(direction),
    play: () => this.#time.togglePlay(),
    stepSize: (stepSeconds) => {
      this.#time.stepSize = stepSeconds;
    },
    speed: (hoursPerSecond) => {
      this.#time.speed = hoursPerSecond;
    },
    near: () => this.#time.prefetch(),
  });
  readonly #tooltip = new Tooltip();
  readonly #status = new Status(
    () => this.#client.wake(),
    () => this.#openTable(),
  );
  readonly #legend = new Legend(this.#status.age, () => this.#change(nextUnit(this.#prefs.layer, this.#prefs)));
  readonly #panel = new Panel(() => this.#closePanel());
  readonly #settings = new Settings(this.#prefs, (part) => this.#change(part));
  readonly #search = new Search({ places: () => this.#named(), go: (place) => this.#goTo(place) });
  readonly #share = new Share({
    link: () => this.#address.url(this.#link()),
    picture: () => this.#exportPicture(),
    csv: () => exportUrl(this.#prefs, this.#time.moment),
    table: () => this.#openTable(),
  });
  readonly #address = new Address((link) => this.#follow(link));
  readonly #page: Page;
  #map: WorldMap | null = null;
  #countries: readonly Named[] = [];
  #hovered: { cell: number; at: Point } | null = null;
  #selected: number | null = null;
  #wantedPlace: number | null = null;
  #lastLiveMs: number | null = null;
  #broken: "code" | "canvas" | null = null;

  constructor(root: HTMLElement) {
    this.#page = buildPage(
      root,
      {
        pill: this.#status.pill,
        simulated: this.#status.simulated,
        notice: this.#status.notice,
        legend: this.#legend.element,
        time: this.#timeBar.element,
        searchButton: this.#search.button,
        search: this.#search.element,
        shareButton: this.#share.button,
        share: this.#share.element,
        settingsButton: this.#settings.button,
        settings: this.#settings.element,
        tooltip: this.#tooltip.element,
        panel: this.#panel.element,
        table: this.#table.element,
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
    document.documentElement.dataset["embed"] = String(this.#address.embedded);
    exposeForDebugging(this.#store, this.#client, this.#time);
  }

  start(): void {
    this.#client.start();
    this.#follow(this.#address.link());
    this.#tick();
    window.setInterval(() => this.#tick(), TICK_MS);
    window.addEventListener("online", () => this.#client.wake());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        this.#client.wake();
        this.#tick();
      }
    });
    listenToKeys({
      step: (direction) => this.#time.step(direction),
      play: () => this.#time.togglePlay(),
      now: () => this.#time.go("now"),
      search: () => this.#search.open(true),
    });
    onSystemThemeChange(() => this.#applyPrefs());
    this.#startMap().catch((error: unknown) => {
      console.error(error);
      this.#broken ??= "code";
      this.#tick();
    });
  }

  async #startMap(): Promise<void> {
    if (document.createElement("canvas").getContext("2d") === null) {
      this.#broken = "canvas";
      this.#tick();
      return;
    }
    const [{ WorldMap }, { loadWorld }] = await Promise.all([import("./map/map"), import("./map/world")]);
    const map = new WorldMap(this.#page.map, this.#style, {
      hover: (cell, at) => {
        this.#hovered = cell === null ? null : { cell, at };
        this.#showCells();
      },
      pick: (cell) => this.#pick(cell),
      moved: () => this.#address.write(() => this.#link()),
    });
    this.#map = map;
    const { view } = this.#address.link();
    if (view !== undefined) {
      map.look(view);
    }
    if (this.#store.cells !== null) {
      map.setPlaces(this.#store.cells);
    }
    this.#draw();
    map.select(this.#selected ?? -1);
    this.#drawWorld(map, loadWorld);
  }

  /** The weather is shown without coastlines rather than not at all: they are asked for until they come. */
  #drawWorld(map: WorldMap, loadWorld: () => Promise<World>, attempt = 0): void {
    loadWorld().then(
      (world) => {
        this.#countries = world.countries;
        map.setWorld(world);
      },
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
    if (change.kind === "geometry") {
      this.#closePanel();
      this.#map?.setPlaces(cells);
    }
    if (change.kind === "delta") {
      this.#time.rowsChanged();
    } else {
      this.#time.placesChanged();
    }
    if (change.kind === "delta" && change.cells.length > 0) {
      this.#map?.pulse(change.cells);
      this.#announcer.mention(TEXT.announce.updated(this.#updates.add(change.cells, Date.now())));
      if (this.#selected !== null && change.cells.includes(this.#selected)) {
        this.#panel.refresh(this.#prefs, this.#colors, this.#nowMs);
      }
    }
    if (change.kind !== "delta") {
      this.#pickWanted();
    }
    this.#tick();
  }

  #connectionChanged(status: ConnectionStatus): void {
    this.#tick();
    if (status.state !== "connecting" && status.state !== "stopped") {
      this.#announcer.say(TEXT.announce[status.state]);
    }
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
    this.#time.tick();
    const fresh = this.#freshness();
    this.#status.show({
      connection,
      freshness: fresh,
      lastUpdate: this.#updates.last,
      lastLiveMs: this.#lastLiveMs,
      nowMs,
      broken: this.#broken,
    });
    setHidden(this.#page.credit, fresh === null || fresh.simulated === 0);
    this.#page.map.dataset["faded"] = String(connection.state === "disconnected" || (fresh?.stale ?? false));
    this.#showTime(fresh);
    this.#showCells();
  }

  #freshness(): Freshness | null {
    const { cells, hello } = this.#store;
    return cells === null || hello === null ? null : freshness(cells, this.#nowMs / 1000, hello.staleAfterSeconds);
  }

  #showTime(fresh: Freshness | null): void {
    const { moment, playing, message } = this.#time;
    const simulated = (fresh?.simulated ?? 0) > 0;
    this.#timeBar.show({ moment, nowSeconds: this.#nowMs / 1000, playing, simulated, message });
  }

  /** Draws what is shown, after values or choices have changed. */
  #draw(): void {
    const { cells } = this.#store;
    const { shown } = this.#time;
    if (cells !== null && shown !== null) {
      this.#map?.setValues({ layer: layerValues(this.#prefs.layer, shown, cells, this.#nowMs / 1000), shown });
    }
    this.#table.refresh();
    this.#showCells();
  }

  #momentChanged(): void {
    this.#showTime(this.#freshness());
    this.#address.write(() => this.#link());
  }

  #facts(cell: number): CellFacts | null {
    const { shown, moment } = this.#time;
    return cellFacts({ store: this.#store, shown, moment, units: this.#prefs, nowMs: this.#nowMs }, cell);
  }

  #showCells(): void {
    const hovered = this.#hovered === null ? null : this.#facts(this.#hovered.cell);
    if (this.#hovered !== null && hovered !== null) {
      this.#tooltip.show(hovered, this.#hovered.at);
    } else {
      this.#tooltip.hide();
    }
    const chosen = this.#selected === null ? null : this.#facts(this.#selected);
    if (chosen !== null) {
      this.#panel.update(chosen);
      this.#panel.describe(this.#momentText(), this.#address.url(this.#link()));
    }
  }

  #momentText(): string {
    const simulated = (this.#freshness()?.simulated ?? 0) > 0;
    const scene = { moment: this.#time.moment, nowSeconds: this.#nowMs / 1000, simulated };
    return `${kindText(scene)}, ${timeText(scene)}`;
  }

  #pick(cell: number): void {
    const facts = this.#facts(cell);
    const id = this.#store.cells?.ids[cell];
    if (facts === null || id === undefined) {
      return;
    }
    this.#selected = cell;
    this.#hovered = null;
    this.#tooltip.hide();
    this.#map?.select(cell);
    this.#panel.show(id, facts, this.#prefs, this.#colors, this.#nowMs);
    this.#showCells();
    this.#address.write(() => this.#link());
  }

  #closePanel(): void {
    if (this.#selected !== null) {
      this.#selected = null;
      this.#map?.select(-1);
      this.#panel.close();
      this.#page.map.focus({ preventScroll: true });
      this.#address.write(() => this.#link());
    }
  }

  /** Opens the place that the address names, as soon as the places are known. */
  #pickWanted(): void {
    const cell = this.#wantedPlace === null ? -1 : (this.#store.cells?.ids.indexOf(this.#wantedPlace) ?? -1);
    if (cell >= 0) {
      this.#wantedPlace = null;
      this.#pick(cell);
    }
  }

  #goTo({ latitude, longitude }: Named): void {
    const map = this.#map;
    map?.look({ latitude, longitude, zoom: Math.max(SEARCH_ZOOM, map.view?.zoom ?? 1) });
    const cell = map?.cellOf(latitude, longitude) ?? -1;
    if (cell >= 0) {
      this.#pick(cell);
    } else {
      this.#search.say(TEXT.search.outside);
    }
  }

  #named(): readonly Named[] {
    const { cells } = this.#store;
    const own = (cells?.name ?? []).flatMap((name, cell) =>
      name === null || cells === null
        ? []
        : [{ name, latitude: cells.latitude[cell] as number, longitude: cells.longitude[cell] as number }],
    );
    return [...own, ...this.#countries];
  }

  #openTable(): void {
    this.#table.open({
      count: () => this.#store.count,
      name: (cell) => placeName(this.#store, cell).place,
      facts: (cell) => this.#facts(cell),
      caption: () => this.#momentText(),
    });
  }

  #exportPicture(): void {
    const { layer } = this.#prefs;
    const title = `${TEXT.layer[layer].legend} (${LAYERS[layer].unit(this.#prefs).symbol}). ${this.#momentText()}`;
    if (this.#map !== null) {
      exportPicture(this.#map, title, this.#time.seconds).catch((error: unknown) => console.error(error));
    }
  }

  get #nowMs(): number {
    return this.#client.serverNowMs();
  }

  get #style(): Style {
    const layer = LAYERS[this.#prefs.layer];
    const { fill, arrows, isotherms } = this.#prefs;
    return {
      layer,
      fill,
      colors: this.#colors,
      arrows: arrows ?? layer.arrows,
      isotherms: (isotherms ?? layer.isotherms) ? LAYERS.temperature.unit(this.#prefs) : null,
    };
  }

  #link(): Link {
    const { layer, temperature, wind } = this.#prefs;
    const view = this.#map?.view ?? null;
    const place = this.#selected === null ? undefined : this.#store.cells?.ids[this.#selected];
    return {
      layer,
      time: this.#time.moment,
      temperature,
      wind,
      ...(view === null ? {} : { view }),
      ...(place === undefined ? {} : { place }),
    };
  }

  /** Shows what an address asks for; choices that it does not name stay the reader's own. */
  #follow(link: Link): void {
    const { layer = this.#prefs.layer, temperature = this.#prefs.temperature, wind = this.#prefs.wind } = link;
    this.#prefs = { ...this.#prefs, layer, temperature, wind };
    const { time = "now" } = link;
    this.#time.go(time === "now" ? time : clampTo(span(this.#nowMs / 1000), time));
    if (link.view !== undefined) {
      this.#map?.look(link.view);
    }
    this.#wantedPlace = link.place ?? null;
    this.#applyPrefs();
    this.#pickWanted();
    this.#page.openWhole.href = `/${encodeLink(link)}`;
  }

  #change(part: Partial<Prefs>): void {
    this.#prefs = { ...this.#prefs, ...part };
    savePrefs(this.#prefs);
    this.#applyPrefs();
    this.#address.write(() => this.#link());
    if (part.layer !== undefined) {
      this.#announcer.say(TEXT.announce.layer(TEXT.layer[part.layer satisfies LayerId].name));
    }
  }

  #applyPrefs(): void {
    this.#colors = applyTheme(this.#prefs.theme);
    const style = this.#style;
    this.#page.layers.set(this.#prefs.layer);
    this.#settings.show(this.#prefs, style.arrows, style.isotherms !== null);
    this.#legend.show(style.layer, this.#prefs, this.#colors.fieldOpacity);
    this.#map?.setStyle(style);
    this.#panel.redraw(this.#prefs, this.#colors, this.#nowMs);
    this.#draw();
  }
}
