/** The layers that the map can show. */

import { TEMPERATURE_UNITS, type Unit, type Units, WIND_UNITS } from "../units";
import { type Scale, TEMPERATURE_SCALE, WIND_SCALE } from "./scales";

export const FIELD = {
  temperature: "temperature_2m",
  windSpeed: "wind_speed_10m",
  windDirection: "wind_direction_10m",
} as const;

export type LayerId = "temperature" | "wind";

export interface Layer {
  readonly id: LayerId;
  /** The field of the protocol that gives the layer its colour. */
  readonly field: string;
  readonly scale: Scale;
  unit(units: Units): Unit;
}

export const LAYERS: Readonly<Record<LayerId, Layer>> = {
  temperature: {
    id: "temperature",
    field: FIELD.temperature,
    scale: TEMPERATURE_SCALE,
    unit: (units) => TEMPERATURE_UNITS[units.temperature],
  },
  wind: {
    id: "wind",
    field: FIELD.windSpeed,
    scale: WIND_SCALE,
    unit: (units) => WIND_UNITS[units.wind],
  },
};
