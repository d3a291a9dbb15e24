/** The course of temperature and wind at one place, drawn by Plotly. */

import type { Course, PlaceCourse } from "../api";
import { react } from "../map/plotly";
import { TEXT } from "../text";
import type { MapColors } from "../theme";
import { AHEAD_SECONDS, BACK_SECONDS } from "../time/axis";
import { TEMPERATURE_UNITS, type Unit, type Units, WIND_UNITS } from "../units";
import { partsOf } from "./parts";

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
  const { past, coming } = partsOf(course, nowSeconds);
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
        range: [isoTime(nowSeconds - BACK_SECONDS), isoTime(nowSeconds + AHEAD_SECONDS)],
      },
      yaxis: { ...axis, domain: [0.56, 1], nticks: 5, tickformat: "~g" },
      yaxis2: { ...axis, domain: [0, 0.44], nticks: 4, rangemode: "tozero", tickformat: "~g" },
    },
    { displayModeBar: false, responsive: true, scrollZoom: false },
  );
}

type Quantity = "temperature_2m" | "wind_speed_10m";

function lines(
  course: Course,
  quantity: Quantity,
  yaxis: string,
  unit: Unit,
  color: string,
  forecast: boolean,
): Trace[] {
  if (course.valid_at.length === 0) {
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

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}
