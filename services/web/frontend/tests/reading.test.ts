import { describe, expect, it } from "vitest";
import { distance, evenPath, fromLinear, type Lab, lch, toLinear } from "../src/layers/oklab";
import { AGE_SCALE, colorOf, type Scale, TEMPERATURE_SCALE, WIND_SCALE } from "../src/layers/scales";
import { ticks } from "../src/layers/ticks";
import { DEFAULT_PREFS, readPrefs } from "../src/prefs";
import type { ConnectionStatus } from "../src/protocol/client";
import type { Freshness } from "../src/state/freshness";
import { ago, coordinates, duration, utc } from "../src/time/words";
import { ageText, connectionText, noticeOf, staleText } from "../src/ui/status";
import { BEAUFORT_FROM, compass, format, formatNumber, TEMPERATURE_UNITS, WIND_UNITS } from "../src/units";

describe("units", () => {
  it.each([
    [0, "celsius", "0.0 °C"],
    [-0.04, "celsius", "0.0 °C"],
    [-12.34, "celsius", "−12.3 °C"],
    [100, "fahrenheit", "212 °F"],
  ] as const)("%d °C in %s is %s", (value, unit, text) => {
    expect(format(value, TEMPERATURE_UNITS[unit])).toBe(text);
  });

  it.each([
    ["mps", "10.0 m/s"],
    ["kmh", "36 km/h"],
    ["mph", "22 mph"],
    ["knots", "19 kn"],
    ["beaufort", "Bft 5"],
  ] as const)("10 m/s in %s is %s", (unit, text) => {
    expect(format(10, WIND_UNITS[unit])).toBe(text);
  });

  it.each(BEAUFORT_FROM.map((from, index) => [from, index + 1]))(
    "know that %s m/s is Beaufort %s, also as the map holds it: in 32 bits",
    (from, force) => {
      expect(WIND_UNITS.beaufort.fromSi(Math.fround(from))).toBe(force);
    },
  );

  it("know each Beaufort force by where it begins", () => {
    const { fromSi, toSi } = WIND_UNITS.beaufort;
    expect([0, 0.2, 0.3, 7.9, 8, 32.6, 32.7, 60].map(fromSi)).toEqual([0, 0, 1, 4, 5, 11, 12, 12]);
    for (let force = 0; force <= 12; force += 1) {
      expect(fromSi(toSi(force))).toBe(force);
    }
  });

  it("turn back to SI", () => {
    for (const unit of [
      ...Object.values(TEMPERATURE_UNITS),
      WIND_UNITS.mps,
      WIND_UNITS.kmh,
      WIND_UNITS.mph,
      WIND_UNITS.knots,
    ]) {
      expect(unit.toSi(unit.fromSi(12.3))).toBeCloseTo(12.3);
    }
  });

  it("name the point of the compass", () => {
    expect([0, 22, 23, 231, 359, -90].map(compass)).toEqual(["N", "N", "NE", "SW", "N", "W"]);
  });

  it("write minus as a minus sign", () => {
    expect(formatNumber(-5, TEMPERATURE_UNITS.celsius)).toBe("−5.0");
  });
});

describe("the colour scales", () => {
  const lab = (hex: string): Lab => {
    const part = (index: number): number => {
      const value = Number.parseInt(hex.slice(index, index + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    };
    return fromLinear(part(1), part(3), part(5));
  };
  /** How a colour looks without the cones for red (protanopia) or green (deuteranopia): Viénot, Brettel and Mollon 1999. */
  const seenBy = (kind: "protan" | "deutan" | "tritan", color: Lab): Lab => {
    const [r, g, b] = toLinear(color);
    if (kind === "tritan") {
      // Without the cones for blue: Machado, Oliveira and Fernandes 2009.
      return fromLinear(
        1.255528 * r - 0.076749 * g - 0.178779 * b,
        -0.078411 * r + 0.930809 * g + 0.147602 * b,
        0.004733 * r + 0.691367 * g + 0.3039 * b,
      );
    }
    return kind === "protan"
      ? fromLinear(0.11238 * r + 0.88762 * g, 0.11238 * r + 0.88762 * g, 0.00401 * r - 0.00401 * g + b)
      : fromLinear(0.29275 * r + 0.70725 * g, 0.29275 * r + 0.70725 * g, -0.02234 * r + 0.02234 * g + b);
  };
  /** Of every other colour: single ones are rounded to bytes, which is a tenth of a step. */
  const steps = (scale: Scale): number[] =>
    scale.colors.slice(2).map((color, index) => distance(lab(color), lab(scale.colors[index] as string)));

  it.each([
    ["temperature, cold", { ...TEMPERATURE_SCALE, colors: TEMPERATURE_SCALE.colors.slice(0, 33) }],
    ["temperature, warm", { ...TEMPERATURE_SCALE, colors: TEMPERATURE_SCALE.colors.slice(32) }],
    ["wind", WIND_SCALE],
    ["age", AGE_SCALE],
  ])("of %s is even: no step looks a third larger than another", (_, scale) => {
    const all = steps(scale);
    expect(Math.max(...all) / Math.min(...all)).toBeLessThan(4 / 3);
  });

  it("of the wind grows lighter all the way, that of age darker, those of temperature darker to both sides of 0 °C", () => {
    const lightness = (scale: Scale): number[] => scale.colors.map((color) => lab(color)[0]);
    const wind = lightness(WIND_SCALE);
    expect(wind).toEqual([...wind].sort((a, b) => a - b));
    const age = lightness(AGE_SCALE);
    expect(age).toEqual([...age].sort((a, b) => b - a));
    const temperature = lightness(TEMPERATURE_SCALE);
    expect(temperature.indexOf(Math.max(...temperature))).toBe(32);
  });

  it.each(["protan", "deutan", "tritan"] as const)("tell values apart also to %s eyes", (kind) => {
    for (const away of [10, 20, 30, 40]) {
      const cold = seenBy(kind, lab(colorOf(TEMPERATURE_SCALE, -away)));
      const warm = seenBy(kind, lab(colorOf(TEMPERATURE_SCALE, away)));
      expect(distance(cold, warm)).toBeGreaterThan(0.1);
    }
    for (let speed = 5; speed <= 25; speed += 5) {
      const one = seenBy(kind, lab(colorOf(WIND_SCALE, speed - 5)));
      expect(distance(one, seenBy(kind, lab(colorOf(WIND_SCALE, speed))))).toBeGreaterThan(0.08);
    }
    for (let hours = 1; hours <= 6; hours += 1) {
      const one = seenBy(kind, lab(colorOf(AGE_SCALE, hours - 1)));
      expect(distance(one, seenBy(kind, lab(colorOf(AGE_SCALE, hours))))).toBeGreaterThan(0.08);
    }
  });

  it("give values beyond their ends the colour of the end", () => {
    expect(colorOf(WIND_SCALE, 99)).toBe(WIND_SCALE.colors.at(-1));
    expect(colorOf(TEMPERATURE_SCALE, -99)).toBe(TEMPERATURE_SCALE.colors[0]);
  });

  it("come from paths with even steps", () => {
    const path = evenPath([lch(0.2, 0, 0), lch(0.3, 0, 0), lch(0.9, 0, 0)], 8);
    expect(path.map((color) => color[0].toFixed(2))).toEqual([
      "0.20",
      "0.30",
      "0.40",
      "0.50",
      "0.60",
      "0.70",
      "0.80",
      "0.90",
    ]);
  });

  it("carry round ticks in the reader's unit", () => {
    const texts = (scale: Scale, unit: Parameters<typeof ticks>[1]): string =>
      ticks(scale, unit)
        .map((tick) => tick.text)
        .join(" ");
    expect(texts(TEMPERATURE_SCALE, TEMPERATURE_UNITS.celsius)).toBe("−40 −20 0 20 40");
    expect(texts(TEMPERATURE_SCALE, TEMPERATURE_UNITS.fahrenheit)).toBe("−25 0 25 50 75 100");
    expect(texts(WIND_SCALE, WIND_UNITS.kmh)).toBe("0 20 40 60 80");
    expect(texts(WIND_SCALE, WIND_UNITS.beaufort)).toBe("0 2 4 6 8 10");
  });
});

describe("time and place", () => {
  it.each([
    [0, "0 s"],
    [59.9, "59 s"],
    [60, "1 min"],
    [3_600, "1 h"],
    [5_280, "1 h 28 min"],
    [172_800, "2 d"],
    [180_000, "2 d 2 h"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it("a moment ago is just now", () => {
    expect([ago(1), ago(12)]).toEqual(["just now", "12 s ago"]);
  });

  it("moments carry their date when it is not today's", () => {
    const now = Date.UTC(2026, 10, 24, 16, 0);
    expect(utc(Date.UTC(2026, 10, 24, 15, 45) / 1000, now)).toBe("15:45 UTC");
    expect(utc(Date.UTC(2026, 10, 23, 15, 45) / 1000, now)).toBe("2026-11-23, 15:45 UTC");
  });

  it("places have sides, but the equator and the meridians at 0° and 180° have none", () => {
    expect(coordinates(50, -10.25)).toBe("50° N, 10.25° W");
    expect(coordinates(0, -180)).toBe("0°, 180°");
  });
});

describe("status", () => {
  const connection = (part: Partial<ConnectionStatus> = {}): ConnectionStatus => ({
    state: "live",
    retryAtMs: null,
    reason: null,
    ...part,
  });
  const fresh = (part: Partial<Freshness> = {}): Freshness => ({
    count: 612,
    filled: 612,
    simulated: 0,
    typicalSeconds: 2_040,
    oldestSeconds: 5_280,
    newestSeconds: 60,
    stale: false,
    staleCells: 0,
    ...part,
  });

  it("counts down to the next attempt", () => {
    const waiting = connection({ state: "reconnecting", retryAtMs: 4_200 });
    expect(connectionText(waiting, 1_000)).toBe("Reconnecting in 4 s");
    expect(connectionText({ ...waiting, retryAtMs: null }, 1_000)).toBe("Reconnecting…");
    expect(connectionText(connection({ state: "restarting", retryAtMs: 2_000 }), 1_000)).toContain("restarting");
    expect(connectionText(connection(), 0)).toBe("Live");
  });

  it("tells a server that closes from one that restarts", () => {
    expect(connectionText(connection({ state: "closing", retryAtMs: 2_000 }), 1_000)).toContain("closing");
  });

  it("says one thing at a time, the most important first", () => {
    expect(noticeOf({ connection: connection(), freshness: fresh(), broken: "canvas" })).toBe("canvas");
    expect(noticeOf({ connection: connection(), freshness: fresh(), broken: "code" })).toBe("broken");
    expect(noticeOf({ connection: connection(), freshness: fresh(), broken: null })).toBeNull();
    expect(noticeOf({ connection: connection(), freshness: null, broken: null })).toBe("waiting");
    expect(noticeOf({ connection: connection(), freshness: fresh({ filled: 0 }), broken: null })).toBe("empty");
    expect(noticeOf({ connection: connection(), freshness: fresh({ filled: 132 }), broken: null })).toBe("filling");
    expect(noticeOf({ connection: connection(), freshness: fresh({ filled: 132, stale: true }), broken: null })).toBe(
      "stale",
    );
    expect(
      noticeOf({ connection: connection({ state: "disconnected" }), freshness: fresh({ stale: true }), broken: null }),
    ).toBe("disconnected");
    expect(
      noticeOf({ connection: connection({ state: "stopped", reason: "outdated" }), freshness: fresh(), broken: null }),
    ).toBe("outdated");
  });

  it("says of old values whether newer ones arrive", () => {
    const old = fresh({ stale: true, typicalSeconds: 14_400, staleCells: 612 });
    expect(staleText(old)).toBe("Typically 4 h old. New ones are not arriving at the moment.");
    expect(staleText({ ...old, staleCells: 400 })).toBe("Typically 4 h old. Newer ones are arriving.");
  });

  it("tells the typical and the oldest age", () => {
    expect(ageText(fresh())).toBe("Typically 34 min old, oldest 1 h 28 min");
    expect(ageText(null)).toBe("No values yet");
  });
});

describe("choices", () => {
  it("are remembered, and fall back part by part to their defaults", () => {
    expect(readPrefs(null)).toEqual(DEFAULT_PREFS);
    expect(readPrefs("{broken")).toEqual(DEFAULT_PREFS);
    expect(readPrefs("[1]")).toEqual(DEFAULT_PREFS);
    expect(readPrefs('{"shortcuts":false}').shortcuts).toBe(false);
    expect(readPrefs('{"shortcuts":"no"}').shortcuts).toBe(true);
    expect(readPrefs('{"wind":"knots","temperature":"kelvin","arrows":true,"layer":"wind"}')).toEqual({
      ...DEFAULT_PREFS,
      wind: "knots",
      arrows: true,
      layer: "wind",
    });
  });
});
