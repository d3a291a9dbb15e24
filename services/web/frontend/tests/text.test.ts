import { describe, expect, it } from "vitest";
import { TEXT, type Texts } from "../src/text";
import { EN } from "../src/text/en";

/** What a translator writes; that it is of the same type as the English texts is what `npm run types` tests. */
const ANOTHER: Texts = {
  ...EN,
  language: "de",
  tagline: "Wetterkarte",
  units: { ...EN.units, windNames: { ...EN.units.windNames, knots: "Knoten" } },
  weekdays: ["So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"],
  updated: (count, ago) => `${count} Orte, ${ago}`,
};

describe("the texts", () => {
  it("may be others of the same type", () => {
    expect(ANOTHER.updated(3, "eben")).toBe("3 Orte, eben");
    expect(TEXT.language).toBe("en");
  });

  it("are all there: none is empty", () => {
    const empty: string[] = [];
    const look = (value: unknown, path: string): void => {
      if (value === "") {
        empty.push(path);
      } else if (typeof value === "object" && value !== null) {
        for (const [key, part] of Object.entries(value)) {
          look(part, `${path}.${key}`);
        }
      }
    };
    look(EN, "EN");
    expect(empty).toEqual([]);
  });
});
