/** The layers that the map can show. */

import { AGE_UNIT, TEMPERATURE_UNITS, type Unit, type Units, WIND_UNITS } from "../units";
import { AGE_SCALE, type Scale, TEMPERATURE_SCALE, WIND_SCALE } from "./scales";

export const FIELD = {
  temperature: "temperature_2m",
  windSpeed: "wind_speed_10m",
  windDirection: "wind_direction_10m",
} as const;

export type LayerId = "temperature" | "wind" | "age";
export const LAYER_IDS: readonly LayerId[] = ["temperature", "wind", "age"];

export interface Layer {
  readonly id: LayerId;
  readonly scale: Scale;
  /** Lines of equal temperature belong to the layer unless the reader says otherwise. */
  readonly isotherms: boolean;
  readonly arrows: boolean;
  unit(units: Units): Unit;
}

export const LAYERS: Readonly<Record<LayerId, Layer>> = {
  temperature: {
    id: "temperature",
    scale: TEMPERATURE_SCALE,
    isotherms: true,
    arrows: false,
    unit: (units) => TEMPERATURE_UNITS[units.temperature],
  },
  wind: {
    id: "wind",
    scale: WIND_SCALE,
    isotherms: false,
    arrows: true,
    unit: (units) => WIND_UNITS[units.wind],
  },
  age: {
    id: "age",
    scale: AGE_SCALE,
    isotherms: false,
    arrows: false,
    unit: () => AGE_UNIT,
  },
};
