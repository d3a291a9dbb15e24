/** Which isotherms a map gets: round values of the reader's unit. Pure. */

import { formatNumber, type Unit } from "../units";
import type { Grid } from "./grid";
import type { Isotherms } from "./isotherm_paint";
import { isotherms, levels } from "./isotherms";
import { smooth, smoothingFactor } from "./smooth";

const SAMPLES = 10_000;
/** In the reader's unit: 5 °C, 10 °F. */
const STEP_CELSIUS = 5;
const STEP_FAHRENHEIT = 10;

export function isothermsOf(grid: Grid, temperature: Float32Array, unit: Unit): Isotherms {
  const raster = smooth(grid, temperature, smoothingFactor(grid, SAMPLES));
  const step = unit.symbol === "°F" ? STEP_FAHRENHEIT : STEP_CELSIUS;
  const degree = unit.toSi(1) - unit.toSi(0);
  return {
    lines: isotherms(raster, levels(raster, step * degree, unit.toSi(0))),
    main: 0,
    label: (level) => `${formatNumber(level, { ...unit, digits: 0 })}°`,
  };
}
