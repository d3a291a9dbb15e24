import { describe, expect, it } from "vitest";
import { LAYER_IDS } from "../src/layers/layers";
import { decodeLink, encodeLink, linkOf } from "../src/permalink";
import { findPlaces, parseCoordinates } from "../src/search/search";
import type { Moment } from "../src/time/axis";
import { TEMPERATURE_UNITS, type TemperatureUnit, WIND_UNITS, type WindUnit } from "../src/units";

describe("a link", () => {
  it("holds layer, time, view, units and place, and gives them back", () => {
    const link = {
      layer: "wind",
      time: 1_795_521_600,
      view: { latitude: 48.21, longitude: -16.4, zoom: 3.5 },
      temperature: "fahrenheit",
      wind: "knots",
      place: 17,
    } as const;
    const hash = encodeLink(link);
    expect(hash).toBe("#layer=wind&time=2026-11-24T12:00Z&view=48.21,-16.40,3.50&units=fahrenheit,knots&place=17");
    expect(decodeLink(hash)).toEqual(link);
  });

  it("gives back every layer, unit, minute, view and place", () => {
    const times = ["now", 1_795_521_600, 1_795_521_660, 1_795_604_340] as const;
    const views = [-180, -0.01, 0, 179.99, 192.5].flatMap((longitude) =>
      [-90, 0, 89.99].flatMap((latitude) => [1, 23.99].map((zoom) => ({ latitude, longitude, zoom }))),
    );
    for (const layer of LAYER_IDS) {
      for (const temperature of Object.keys(TEMPERATURE_UNITS) as TemperatureUnit[]) {
        for (const wind of Object.keys(WIND_UNITS) as WindUnit[]) {
          for (const [index, view] of views.entries()) {
            const time = times[index % times.length] as Moment;
            const link = linkOf({ layer, temperature, wind }, time, view, index % 2 === 0 ? undefined : 4_294_967_295);
            const { time: read = "now", ...found } = decodeLink(encodeLink(link));
            expect({ time: read, ...found }).toEqual(link);
          }
        }
      }
    }
  });

  it("says nothing about time when it is now", () => {
    expect(encodeLink({ layer: "age", time: "now" })).toBe("#layer=age");
    expect(decodeLink("")).toEqual({});
  });

  it.each([
    "#layer=x",
    "#time=yesterday",
    "#view=1,2",
    "#view=91,0,1",
    "#view=0,0,0.5",
    "#view=,,",
    "#units=k,v",
    "#place=-1",
    "#%%%",
  ])("leaves out what it does not understand: %s", (hash) => expect(decodeLink(hash)).toEqual({}));
});

describe("the search", () => {
  const places = ["Austria", "Australia", "South Australia", "Österreich", "Gaussland"].map((name) => ({
    name,
    latitude: 0,
    longitude: 0,
  }));

  it("finds names that begin so first, then words, then parts, whatever the accents", () => {
    const names = (text: string) => findPlaces(places, text).map(({ name }) => name);
    expect(names("AUS")).toEqual(["Austria", "Australia", "South Australia", "Gaussland"]);
    expect(names("oster")).toEqual(["Österreich"]);
    expect(names("  ")).toEqual([]);
  });

  it.each([
    ["lodz", "Łódź"],
    ["giessen", "Gießen"],
    ["TROMSO", "Tromsø"],
    ["Łódź", "Łódź"],
  ])("finds by %s, as it is typed elsewhere, %s", (text, name) => {
    expect(findPlaces([{ name, latitude: 0, longitude: 0 }], text)).toHaveLength(1);
  });

  it.each([
    ["48.2, 16.4", 48.2, 16.4],
    ["48.2 16.4", 48.2, 16.4],
    ["-33.9;151.2", -33.9, 151.2],
    ["48,2; 16,4", 48.2, 16.4],
    ["48.2N 16.4E", 48.2, 16.4],
    ["33.9S, 151.2W", -33.9, -151.2],
    ["16.4 E 48.2 N", 48.2, 16.4],
    ["33°52'S 151°12'E", -33.8667, 151.2],
    ["48° 12′ 30″ N, 16° 22′ 0″ E", 48.2083, 16.3667],
    ["48,16", 48, 16],
  ])("reads %s", (text, latitude, longitude) => {
    const found = parseCoordinates(text);
    expect(found?.latitude).toBeCloseTo(latitude, 3);
    expect(found?.longitude).toBeCloseTo(longitude, 3);
  });

  it.each(["", "Vienna", "48.2", "91, 0", "0, 181", "1 2 3", "48.2, 16.4 x", "N E", "5.5.5"])(
    "does not take %s for coordinates",
    (text) => {
      expect(parseCoordinates(text)).toBeNull();
    },
  );
});
