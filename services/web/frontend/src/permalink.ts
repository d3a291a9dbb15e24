/** The address holds what is looked at, so that a link shows the same: layer, time, view, units, place. Pure. */

import { LAYER_IDS, type LayerId } from "./layers/layers";
import type { Moment } from "./time/axis";
import { TEMPERATURE_UNITS, type TemperatureUnit, WIND_UNITS, type WindUnit } from "./units";

export interface LinkView {
  readonly latitude: number;
  readonly longitude: number;
  /** 1 is the whole map. */
  readonly zoom: number;
}

export interface Link {
  readonly layer?: LayerId;
  readonly time?: Moment;
  readonly view?: LinkView;
  readonly temperature?: TemperatureUnit;
  readonly wind?: WindUnit;
  /** The id of the chosen location. */
  readonly place?: number;
}

/** The link to what is looked at. */
export function linkOf(
  { layer, temperature, wind }: Required<Pick<Link, "layer" | "temperature" | "wind">>,
  time: Moment,
  view: LinkView | null,
  place: number | undefined,
): Link {
  return {
    layer,
    time,
    temperature,
    wind,
    ...(view === null ? {} : { view }),
    ...(place === undefined ? {} : { place }),
  };
}

const LATEST_SECONDS = 253_402_300_799;

export function encodeLink(link: Link): string {
  const parts: string[] = [];
  const add = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) {
      parts.push(`${name}=${value}`);
    }
  };
  add("layer", link.layer);
  if (link.time !== undefined && link.time !== "now") {
    add("time", new Date(link.time * 1000).toISOString().replace(/:\d\d\.\d+Z$/, "Z"));
  }
  if (link.view !== undefined) {
    const { latitude, longitude, zoom } = link.view;
    add("view", `${latitude.toFixed(2)},${longitude.toFixed(2)},${zoom.toFixed(2)}`);
  }
  if (link.temperature !== undefined && link.wind !== undefined) {
    add("units", `${link.temperature},${link.wind}`);
  }
  add("place", link.place);
  return `#${parts.join("&")}`;
}

/** Reads an address; what is not understood is left out, so that the page shows its own choice there. */
export function decodeLink(hash: string): Link {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const link: { -readonly [K in keyof Link]: Link[K] } = {};
  const layer = LAYER_IDS.find((id) => id === parts.get("layer"));
  if (layer !== undefined) {
    link.layer = layer;
  }
  const time = parts.get("time");
  if (time !== null) {
    const seconds = Date.parse(time) / 1000;
    if (seconds >= 0 && seconds <= LATEST_SECONDS) {
      link.time = seconds;
    }
  }
  const view = readView(parts.get("view"));
  if (view !== null) {
    link.view = view;
  }
  const [temperature = "", wind = ""] = (parts.get("units") ?? "").split(",");
  if (Object.hasOwn(TEMPERATURE_UNITS, temperature)) {
    link.temperature = temperature as TemperatureUnit;
  }
  if (Object.hasOwn(WIND_UNITS, wind)) {
    link.wind = wind as WindUnit;
  }
  const place = parts.get("place") ?? "";
  if (/^\d{1,10}$/.test(place)) {
    link.place = Number(place);
  }
  return link;
}

function readView(text: string | null): LinkView | null {
  const numbers = (text ?? "").split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const [latitude = Number.NaN, longitude = Number.NaN, zoom = Number.NaN] = numbers;
  const inRange = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 360 && zoom >= 1 && zoom <= 100;
  return numbers.length === 3 && inRange ? { latitude, longitude, zoom } : null;
}
