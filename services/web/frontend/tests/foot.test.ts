import { describe, expect, it } from "vitest";
import { layOutFoot, wrap } from "../src/map/foot";

/** Letters that are all as wide as one another. */
const measure = (text: string): number => 6 * text.length;
const TITLE = "Temperature, 2 m above ground (°C). Simulated: past model value · Sat 28 Nov, 12:00 UTC";
const CREDIT = "Weather data by Open-Meteo.com (CC BY 4.0). Map: Natural Earth. Isotherm";

describe("the foot of a picture", () => {
  it("breaks its lines between words, and loses none", () => {
    const lines = wrap(TITLE, 180, measure);
    expect(lines.join(" ")).toBe(TITLE);
    expect(Math.max(...lines.map(measure))).toBeLessThanOrEqual(180);
    expect(wrap("Donaudampfschifffahrt", 10, measure)).toEqual(["Donaudampfschifffahrt"]);
  });

  it.each([320, 390, 679, 680, 844, 1440])("of %d pixels cuts no word, and none runs into the colours", (width) => {
    const foot = layOutFoot(width, { title: TITLE, credit: CREDIT }, measure);
    const isBeside = foot.bar.y < 20;
    const room = isBeside ? foot.bar.x : width;
    for (const line of [...foot.titles, ...foot.credits]) {
      expect(14 + measure(line)).toBeLessThan(room);
    }
    expect(foot.bar.x + 220).toBeLessThan(width);
    expect(foot.height).toBeGreaterThanOrEqual(foot.bar.y + 22);
    expect(isBeside).toBe(width >= 680);
  });

  it("is low where there is room", () => {
    expect(layOutFoot(1440, { title: TITLE, credit: CREDIT }, measure).height).toBe(46);
  });
});
