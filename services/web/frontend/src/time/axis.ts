/** The axis of the time slider: a day back, now, two days ahead. Pure. */

/** Now moves on by itself; a number is a fixed time in Unix seconds. */
export type Moment = "now" | number;
export type Kind = "now" | "past" | "forecast";

export const HOUR_SECONDS = 3_600;
export const BACK_SECONDS = 24 * HOUR_SECONDS;
export const AHEAD_SECONDS = 48 * HOUR_SECONDS;
/** The finest step, which the slider's places are multiples of. */
export const TICK_SECONDS = 900;
export const STEPS = [900, 3_600, 10_800] as const;
/** Hours of weather in one second of playing. */
export const SPEEDS = [1, 3, 8] as const;

export interface Span {
  readonly from: number;
  readonly to: number;
}

export function span(nowSeconds: number): Span {
  const hour = Math.floor(nowSeconds / HOUR_SECONDS) * HOUR_SECONDS;
  return { from: hour - BACK_SECONDS, to: hour + AHEAD_SECONDS };
}

export function seconds(moment: Moment, nowSeconds: number): number {
  return moment === "now" ? nowSeconds : moment;
}

export function kindOf(moment: Moment, nowSeconds: number): Kind {
  if (moment === "now") {
    return "now";
  }
  return moment <= nowSeconds ? "past" : "forecast";
}

/** A time within the span: what lies beyond it, as an old link may, goes to its end. */
export function clampTo({ from, to }: Span, time: number): number {
  return Math.min(to, Math.max(from, time));
}

/** The minute that a moment lies in: what links and clocks say of it. */
export function wholeMinute(moment: Moment): Moment {
  return moment === "now" ? moment : Math.floor(moment / 60) * 60;
}

/** The next multiple of the step in a direction; whoever passes now stops there. */
export function stepped(
  moment: Moment,
  direction: 1 | -1,
  step: number,
  nowSeconds: number,
  end = span(nowSeconds).to,
): Moment {
  const at = seconds(moment, nowSeconds);
  const next = direction === 1 ? Math.floor(at / step) * step + step : Math.ceil(at / step) * step - step;
  if (moment !== "now" && (at - nowSeconds) * (next - nowSeconds) < 0) {
    return "now";
  }
  return clampTo({ from: span(nowSeconds).from, to: end }, next);
}

/** Where playing is after some time: on along the axis, and from its end to its beginning. */
export function played(
  moment: Moment,
  elapsedMs: number,
  hoursPerSecond: number,
  nowSeconds: number,
  end = span(nowSeconds).to,
): number {
  const { from } = span(nowSeconds);
  const next = seconds(moment, nowSeconds) + (elapsedMs / 1000) * hoursPerSecond * HOUR_SECONDS;
  return next > end ? from : Math.max(from, next);
}

/** The slider's place for a moment. */
export function placeOf(moment: Moment, nowSeconds: number): number {
  return (seconds(moment, nowSeconds) - span(nowSeconds).from) / TICK_SECONDS;
}

/** The moment of a slider's place; the place that is nearest to now is now. */
export function momentAt(place: number, nowSeconds: number): Moment {
  const time = span(nowSeconds).from + place * TICK_SECONDS;
  return Math.abs(time - nowSeconds) <= TICK_SECONDS / 2 ? "now" : time;
}
