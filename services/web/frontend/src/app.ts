/** Joins the parts: messages go into the store, what is shown goes to the map and into words, choices go to all. */

import { exposeForDebugging } from "./debug";
import { exportPicture, exportUrl } from "./export";
import type { LayerId } from "./layers/layers";
import { layerValues } from "./layers/values";
import { Live } from "./live";
import { type Broken, MapHost } from "./map/host";
import { type Style, styleOf } from "./map/style";
import { movesOf } from "./moves";
import { type Link, linkOf } from "./permalink";
import { loadPrefs, type Prefs, savePrefs } from "./prefs";
import { type Named, namedCells } from "./search/search";
import type { Freshness } from "./state/freshness";
import { TEXT } from "./text";
import { applyTheme, type MapColors, onSystemThemeChange } from "./theme";
import { TimeControl } from "./time/control";
import { Told } from "./told";
import { Address } from "./ui/address";
import { Announcer } from "./ui/announcer";
import { setHidden } from "./ui/dom";
import { listenToKeys } from "./ui/keys";
import { Legend } from "./ui/legend";
import { buildPage, type Page } from "./ui/page";
import { Places } from "./ui/places";
import { printAsSeen } from "./ui/print";
import { Search } from "./ui/search";
import { Settings } from "./ui/settings";
import { Share } from "./ui/share";
import { Status } from "./ui/status";
import { Table } from "./ui/table";
import { TimeBar } from "./ui/timebar";
import { nextUnit } from "./units";

const TICK_MS = 1_000;
/** How near the map goes to a place that was searched for. */
const SEARCH_ZOOM = 3;

export class App {
  /** What the reader has chosen, and what is in force: a link may name other units for as long as it is looked at. */
  #own: Prefs = loadPrefs();
  #prefs: Prefs = this.#own;
  #colors: MapColors = applyTheme(this.#prefs.theme);
  readonly #announcer = new Announcer();
  readonly #table = new Table();
  readonly #live: Live = new Live(this.#announcer, {
    places: (cells) => {
      this.#map.setPlaces(cells);
      this.#places.placesChanged();
    },
    whole: () => {
      this.#time.placesChanged();
      this.#places.pickWanted();
      // What a delta changes about the whole map is told with the next second's tick.
      this.#tick();
    },
    changed: (cells) => this.#rowsChanged(cells),
    connection: () => this.#tick(),
  });
  readonly #time = new TimeControl(this.#live.store, {
    nowSeconds: () => this.#nowMs / 1000,
    changed: () => this.#draw(),
    moved: () => this.#momentChanged(),
  });
  readonly #told = new Told({
    live: this.#live,
    time: this.#time,
    prefs: () => this.#prefs,
    simulated: () => this.#simulated,
  });
  readonly #moves = movesOf(this.#time, () => this.#announcer.say(this.#told.moment()));
  readonly #timeBar = new TimeBar({ ...this.#moves, to: (moment) => this.#time.go(moment) });
  readonly #status = new Status(
    this.#announcer,
    () => this.#live.client.wake(),
    () => this.#table.open(this.#told.table()),
  );
  readonly #legend = new Legend(this.#status.age, () => this.#change(nextUnit(this.#prefs.layer, this.#prefs)));
  readonly #places: Places = new Places(this.#live.store, {
    facts: (cell) => this.#told.facts(cell),
    units: () => this.#prefs,
    colors: () => this.#colors,
    nowMs: () => this.#nowMs,
    momentText: () => this.#told.moment(),
    url: () => this.#address.url(this.#link()),
    embedded: () => this.#address.embedded,
    chosen: (cell) => {
      this.#map.select(cell ?? -1);
      this.#address.write(() => this.#link());
    },
    say: (text) => this.#announcer.say(text),
    left: () => this.#page.map.focus({ preventScroll: true }),
  });
  readonly #settings = new Settings(this.#prefs, (part) => this.#change(part));
  readonly #search = new Search({ places: () => this.#named(), go: (place) => this.#goTo(place) });
  readonly #share = new Share({
    link: () => this.#address.url(this.#link()),
    picture: () => this.#exportPicture(),
    csv: () => exportUrl(this.#prefs, this.#time.moment),
    table: () => this.#table.open(this.#told.table()),
  });
  readonly #address = new Address(
    (link) => this.#follow(link),
    (url) => {
      this.#page.openWhole.href = url;
    },
  );
  readonly #page: Page;
  readonly #map: MapHost;
  #broken: Broken | null = null;
  /** As of the last tick. */
  #fresh: Freshness | null = null;

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
        tooltip: this.#places.tooltip.element,
        panel: this.#places.panel.element,
        table: this.#table.element,
        announcer: this.#announcer.element,
      },
      this.#prefs.layer,
      {
        layer: (layer) => this.#change({ layer }),
        zoom: (factor) => this.#map.zoom(factor),
        reset: () => this.#map.reset(),
      },
    );
    this.#map = new MapHost(this.#page.map, this.#style, {
      hover: (cell, at, byKeys) => this.#places.hover(cell, at, byKeys),
      pick: (cell) => this.#places.pick(cell),
      moved: () => this.#address.write(() => this.#link()),
    });
    document.documentElement.dataset["embed"] = String(this.#address.embedded);
    exposeForDebugging(this.#live.store, this.#live.client, this.#time);
  }

  start(): void {
    this.#live.start();
    this.#follow(this.#address.link());
    this.#tick();
    window.setInterval(() => this.#tick(), TICK_MS);
    document.addEventListener("visibilitychange", () => this.#tick());
    listenToKeys({
      ...this.#moves,
      search: () => this.#search.open(),
      shortcuts: () => this.#prefs.shortcuts,
      close: () => this.#places.close(),
    });
    onSystemThemeChange(() => this.#applyPrefs());
    printAsSeen();
    void this.#map.start().then((broken) => {
      this.#broken = broken;
      this.#tick();
    });
  }

  #rowsChanged(cells: Uint32Array): void {
    this.#time.rowsChanged();
    if (cells.length > 0) {
      this.#map.pulse(cells);
      this.#places.changed(cells);
    }
  }

  #tick(): void {
    if (document.hidden) {
      return;
    }
    const nowMs = Date.now();
    const { status: connection } = this.#live.client;
    this.#time.tick();
    const fresh = this.#live.freshness();
    this.#fresh = fresh;
    this.#status.show({
      connection,
      freshness: fresh,
      lastUpdate: this.#live.updates.last,
      knownUntil: this.#live.knownUntil,
      nowMs,
      broken: this.#broken,
    });
    setHidden(this.#page.credit, fresh === null || fresh.simulated === 0);
    this.#page.map.dataset["faded"] = String(connection.state === "disconnected" || (fresh?.stale ?? false));
    this.#showTime();
    this.#places.tick();
  }

  #showTime(): void {
    const { moment, playing, message } = this.#time;
    this.#timeBar.show({ moment, nowSeconds: this.#nowMs / 1000, playing, simulated: this.#simulated, message });
  }

  get #simulated(): boolean {
    return (this.#fresh?.simulated ?? 0) > 0;
  }

  /** Draws what is shown, after values or choices have changed. */
  #draw(): void {
    const { cells } = this.#live.store;
    const { shown } = this.#time;
    if (cells !== null && shown !== null) {
      this.#map.setValues({ layer: layerValues(this.#prefs.layer, shown, cells, this.#nowMs / 1000), shown });
    }
    this.#table.refresh();
    this.#places.show();
  }

  #momentChanged(): void {
    this.#showTime();
    this.#legend.title(this.#prefs.layer, this.#time.moment);
    this.#address.write(() => this.#link());
  }

  #goTo({ latitude, longitude }: Named): void {
    this.#map.look({ latitude, longitude, zoom: Math.max(SEARCH_ZOOM, this.#map.view?.zoom ?? 1) });
    const cell = this.#map.cellOf(latitude, longitude);
    if (cell >= 0) {
      this.#places.pick(cell);
    } else {
      this.#search.say(TEXT.search.outside);
    }
  }

  #named(): readonly Named[] {
    return [...namedCells(this.#live.store.cells), ...this.#map.countries];
  }

  #exportPicture(): Promise<void> {
    return exportPicture(this.#map, this.#told.picture(), this.#time.seconds);
  }

  get #nowMs(): number {
    return this.#live.nowMs;
  }

  get #style(): Style {
    return styleOf(this.#prefs, this.#colors);
  }

  #link(): Link {
    return linkOf(this.#prefs, this.#time.linked, this.#map.view, this.#places.id);
  }

  /** Shows what an address asks for; choices that it does not name stay the reader's own. */
  #follow(link: Link): void {
    const { layer = this.#own.layer, temperature = this.#own.temperature, wind = this.#own.wind } = link;
    this.#prefs = { ...this.#own, layer, temperature, wind };
    this.#time.want(link.time ?? "now");
    if (link.view === undefined) {
      this.#map.reset();
    } else {
      this.#map.look(link.view);
    }
    this.#applyPrefs();
    this.#places.want(link.place ?? null);
    this.#page.openWhole.href = this.#address.url(link);
  }

  #change(part: Partial<Prefs>): void {
    this.#own = { ...this.#own, ...part };
    this.#prefs = { ...this.#prefs, ...part };
    savePrefs(this.#own);
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
    this.#legend.title(this.#prefs.layer, this.#time.moment);
    this.#legend.show(style.layer, this.#prefs, this.#colors.fieldOpacity);
    this.#map.setStyle(style);
    this.#places.redraw();
    this.#draw();
  }
}
