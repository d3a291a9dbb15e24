/** What there is to say about one cell, for the tooltip, the panel and the table. */

import { FIELD } from "../layers/layers";
import { ageSeconds } from "../state/freshness";
import { isFilled, type Store } from "../state/store";
import { TEXT } from "../text";
import type { Shown } from "../time/shown";
import { coordinates, duration, utc } from "../time/words";
import { compass, format, TEMPERATURE_UNITS, type Units, WIND_UNITS } from "../units";

export interface CellFacts {
  readonly place: string;
  readonly coordinates: string;
  readonly filled: boolean;
  /** The values at the moment that is shown. */
  readonly temperature: string;
  readonly wind: string;
  readonly windFrom: string;
  /** The same without words around it. */
  readonly windPoint: string;
  /** The row's own value, which now was worked out from. */
  readonly latest: string;
  readonly validAt: string;
  readonly fetchedAt: string;
  readonly age: string;
  readonly stale: boolean;
  readonly source: string;
}

/** From where the facts are taken. */
export interface FactSource {
  readonly store: Store;
  readonly shown: Shown | null;
  readonly units: Units;
  readonly nowMs: number;
}

const CALM_MPS = 0.3;

export function cellFacts({ store, shown, units, nowMs }: FactSource, cell: number): CellFacts | null {
  const { cells, hello } = store;
  if (cells === null || cell >= cells.ids.length) {
    return null;
  }
  const at = placeName(store, cell);
  const temperature = known(shown?.temperature[cell]);
  const speed = known(shown?.speed[cell]);
  const direction = known(shown?.direction(cell)) ?? null;
  const calm = speed !== null && speed < CALM_MPS;
  const point = calm ? TEXT.place.calm : direction === null ? "" : compass(direction);
  const filled = isFilled(cells, cell);
  const age = ageSeconds(cells, cell, nowMs / 1000);
  return {
    ...at,
    filled,
    temperature: temperature === null ? TEXT.place.noValue : format(temperature, TEMPERATURE_UNITS[units.temperature]),
    wind: speed === null ? TEXT.place.noValue : format(speed, WIND_UNITS[units.wind]),
    windFrom: calm || point === "" ? point : TEXT.place.windFrom(point),
    windPoint: point,
    latest: filled ? latestText(store, cell, units) : "",
    validAt: filled ? utc(cells.validAt[cell] as number, nowMs) : "",
    fetchedAt: filled ? utc(cells.fetchedAt[cell] as number, nowMs) : "",
    age: filled ? duration(age) : "",
    stale: filled && hello !== null && age > hello.staleAfterSeconds,
    source: TEXT.place.sources[cells.source[cell] as number] ?? "",
  };
}

/** The values in one line: "11.3 °C, 4.2 m/s from SW". */
export function valuesText({ filled, temperature, wind, windFrom }: CellFacts): string {
  return filled ? `${temperature}, ${wind} ${windFrom}`.trimEnd() : TEXT.place.noValueYet;
}

export function placeName(store: Store, cell: number): { place: string; coordinates: string } {
  const { cells } = store;
  const at = coordinates(cells?.latitude[cell] ?? 0, cells?.longitude[cell] ?? 0);
  return { place: cells?.name[cell] ?? at, coordinates: at };
}

function latestText(store: Store, cell: number, units: Units): string {
  const temperature = store.value(cell, FIELD.temperature);
  const speed = store.value(cell, FIELD.windSpeed);
  const parts = [
    temperature === null ? null : format(temperature, TEMPERATURE_UNITS[units.temperature]),
    speed === null ? null : format(speed, WIND_UNITS[units.wind]),
  ].filter((part) => part !== null);
  return parts.length === 0 ? TEXT.place.noValue : parts.join(", ");
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
