/** The course of temperature and wind at one place, drawn by Plotly. */

import type { Course, PlaceCourse } from "../api";
import { react } from "../map/plotly";
import { TEXT } from "../text";
import type { MapColors } from "../theme";
import { AHEAD_SECONDS, BACK_SECONDS } from "../time/axis";
import { TEMPERATURE_UNITS, type Unit, type Units, WIND_UNITS } from "../units";

type Trace = Record<string, unknown>;

export function drawChart(
  element: HTMLElement,
  course: PlaceCourse,
  units: Units,
  colors: MapColors,
  nowSeconds: number,
): void {
  const { chart } = colors;
  const temperature = TEMPERATURE_UNITS[units.temperature];
  const wind = WIND_UNITS[units.wind];
  const from = nowSeconds - BACK_SECONDS;
  const latest = between(course.series, from, Number.POSITIVE_INFINITY);
  // What was fetched begins with the first sweep; the hourly series knows the day before it too.
  const before = between(course.forecast, from, (latest?.valid_at[0] ?? nowSeconds) - 1);
  const past = joined(before, latest);
  const coming = between(course.forecast, past?.valid_at.at(-1) ?? from, Number.POSITIVE_INFINITY);
  const traces = [
    ...lines(past, "temperature_2m", "y", temperature, chart.temperature, false),
    ...lines(coming, "temperature_2m", "y", temperature, chart.temperature, true),
    ...lines(past, "wind_speed_10m", "y2", wind, chart.wind, false),
    ...lines(coming, "wind_speed_10m", "y2", wind, chart.wind, true),
  ];
  const axis = {
    gridcolor: chart.grid,
    zeroline: false,
    fixedrange: true,
    linecolor: chart.grid,
    tickfont: { size: 11 },
  };
  void react(
    element,
    traces,
    {
      height: 268,
      autosize: true,
      margin: { l: 34, r: 8, t: 6, b: 34 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 11, color: chart.text },
      showlegend: false,
      dragmode: false,
      hovermode: "x",
      shapes: [
        {
          type: "line",
          xref: "x",
          yref: "paper",
          x0: isoTime(nowSeconds),
          x1: isoTime(nowSeconds),
          y0: 0,
          y1: 1,
          line: { color: chart.text, width: 1 },
        },
      ],
      hoverlabel: { font: { family: "system-ui, sans-serif", size: 12 } },
      xaxis: {
        ...axis,
        type: "date",
        anchor: "y2",
        tickformat: "%H:%M\n%a %d",
        hoverformat: "%a %d, %H:%M UTC",
        nticks: 6,
        range: [isoTime(from), isoTime(nowSeconds + AHEAD_SECONDS)],
      },
      yaxis: { ...axis, domain: [0.56, 1], nticks: 5, tickformat: "~g" },
      yaxis2: { ...axis, domain: [0, 0.44], nticks: 4, rangemode: "tozero", tickformat: "~g" },
    },
    { displayModeBar: false, responsive: true, scrollZoom: false },
  );
}

type Quantity = "temperature_2m" | "wind_speed_10m";

function lines(
  course: Course | null,
  quantity: Quantity,
  yaxis: string,
  unit: Unit,
  color: string,
  forecast: boolean,
): Trace[] {
  if (course === null || course.valid_at.length === 0) {
    return [];
  }
  const name = forecast ? TEXT.place.forecast : TEXT.place.past;
  return [
    {
      type: "scatter",
      mode: "lines",
      name,
      x: course.valid_at.map(isoTime),
      y: course[quantity].map((value) => (value === null ? null : unit.fromSi(value))),
      yaxis,
      hovertemplate: `%{y:.${unit.digits}f} ${unit.symbol}<extra></extra>`,
      line: {
        color,
        width: forecast ? 1.75 : 2.25,
        dash: forecast ? "dot" : "solid",
        shape: unit.symbol === "Bft" ? "hv" : "linear",
      },
    },
  ];
}

function between(course: Course | null, from: number, to: number): Course | null {
  if (course === null) {
    return null;
  }
  const kept = course.valid_at
    .map((_, index) => index)
    .filter((index) => {
      const at = course.valid_at[index] as number;
      return at >= from && at <= to;
    });
  const pick = <T>(values: readonly T[]): T[] => kept.map((index) => values[index] as T);
  return {
    valid_at: pick(course.valid_at),
    temperature_2m: pick(course.temperature_2m),
    wind_speed_10m: pick(course.wind_speed_10m),
    wind_direction_10m: pick(course.wind_direction_10m),
  };
}

function joined(first: Course | null, second: Course | null): Course | null {
  if (first === null || second === null) {
    return first ?? second;
  }
  return {
    valid_at: [...first.valid_at, ...second.valid_at],
    temperature_2m: [...first.temperature_2m, ...second.temperature_2m],
    wind_speed_10m: [...first.wind_speed_10m, ...second.wind_speed_10m],
    wind_direction_10m: [...first.wind_direction_10m, ...second.wind_direction_10m],
  };
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}
