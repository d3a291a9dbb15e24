/** What there is to say about one cell, for the tooltip and the panel. */

import { FIELD } from "../layers/layers";
import { ageSeconds } from "../state/freshness";
import { isFilled, type Store } from "../state/store";
import { TEXT } from "../text";
import { coordinates, duration, utc } from "../time";
import { compass, format, TEMPERATURE_UNITS, type Units, WIND_UNITS } from "../units";

export interface CellFacts {
  readonly place: string;
  readonly coordinates: string;
  readonly filled: boolean;
  readonly temperature: string;
  readonly wind: string;
  readonly windFrom: string;
  /** Where the wind comes from, in degrees; null when there is none or no value. */
  readonly direction: number | null;
  readonly validAt: string;
  readonly fetchedAt: string;
  readonly age: string;
  readonly stale: boolean;
  readonly source: string;
}

const CALM_MPS = 0.3;

export function cellFacts(store: Store, cell: number, units: Units, nowMs: number): CellFacts | null {
  const { cells, hello } = store;
  if (cells === null || cell >= cells.ids.length) {
    return null;
  }
  const at = coordinates(cells.latitude[cell] as number, cells.longitude[cell] as number);
  const temperature = store.value(cell, FIELD.temperature);
  const speed = store.value(cell, FIELD.windSpeed);
  const direction = store.value(cell, FIELD.windDirection);
  const filled = isFilled(cells, cell);
  const age = ageSeconds(cells, cell, nowMs / 1000);
  const calm = speed !== null && speed < CALM_MPS;
  return {
    place: cells.name[cell] ?? at,
    coordinates: at,
    filled,
    temperature: temperature === null ? TEXT.place.noValue : format(temperature, TEMPERATURE_UNITS[units.temperature]),
    wind: speed === null ? TEXT.place.noValue : format(speed, WIND_UNITS[units.wind]),
    windFrom: calm ? TEXT.place.calm : direction === null ? "" : TEXT.place.windFrom(compass(direction)),
    direction: calm ? null : direction,
    validAt: filled ? utc(cells.validAt[cell] as number, nowMs) : "",
    fetchedAt: filled ? utc(cells.fetchedAt[cell] as number, nowMs) : "",
    age: filled ? duration(age) : "",
    stale: filled && hello !== null && age > hello.staleAfterSeconds,
    source: TEXT.place.sources[cells.source[cell] as number] ?? "",
  };
}
