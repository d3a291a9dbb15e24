/** Finds places by name, and reads coordinates as people write them. Pure. */

import type { Cells } from "../state/store";

export interface Named {
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
}

const MOST_RESULTS = 8;

/** The map's own places that have a name. */
export function namedCells(cells: Pick<Cells, "name" | "latitude" | "longitude"> | null): Named[] {
  const found: Named[] = [];
  cells?.name.forEach((name, cell) => {
    if (name !== null) {
      found.push({ name, latitude: cells.latitude[cell] as number, longitude: cells.longitude[cell] as number });
    }
  });
  return found;
}

/** The places that fit best: names that begin so first, then names with a word that does, then the rest. */
export function findPlaces(places: readonly Named[], text: string): Named[] {
  const wanted = fold(text);
  if (wanted === "") {
    return [];
  }
  const ranked: [number, Named][] = [];
  for (const place of places) {
    const name = fold(place.name);
    const at = name.indexOf(wanted);
    if (at >= 0) {
      ranked.push([at === 0 ? 0 : /[\s-]/.test(name[at - 1] ?? "") ? 1 : 2, place]);
    }
  }
  ranked.sort(([one, a], [other, b]) => one - other || a.name.length - b.name.length || a.name.localeCompare(b.name));
  return ranked.slice(0, MOST_RESULTS).map(([, place]) => place);
}

/** "48.2, 16.4", "48.2N 16.4E", "33°52′S 151°12′E": latitude first, unless the letters say otherwise. */
export function parseCoordinates(text: string): { latitude: number; longitude: number } | null {
  const pattern =
    /([NSEWO])?\s*([+\-−]?\d+(?:[.,]\d+)?)\s*(?:°\s*(?:(\d+(?:[.,]\d+)?)\s*['′]\s*)?(?:(\d+(?:[.,]\d+)?)\s*["″]\s*)?)?([NSEWO])?/giy;
  const cleaned = text.trim().replace(/(\d),\s+/g, "$1; ");
  const parts = /[;]|\s\d/.test(cleaned) || !/^[^,]*,[^,]*$/.test(cleaned) ? cleaned : cleaned.replace(",", ";");
  const found: { value: number; axis: "latitude" | "longitude" | null }[] = [];
  pattern.lastIndex = 0;
  let rest = 0;
  for (let match = pattern.exec(parts); match !== null && found.length < 3; match = pattern.exec(parts)) {
    const [whole, before, degrees = "", minutes = "0", seconds = "0", after] = match;
    const letter = (before ?? after ?? "").toUpperCase();
    const size = number(degrees);
    const fine = number(minutes) / 60 + number(seconds) / 3600;
    const value = (size < 0 || Object.is(size, -0) ? size - fine : size + fine) * (/[SW]/.test(letter) ? -1 : 1);
    found.push({ value, axis: letter === "" ? null : /[NS]/.test(letter) ? "latitude" : "longitude" });
    rest = match.index + whole.length;
    pattern.lastIndex = rest + (/^[\s;,/]*/.exec(parts.slice(rest))?.[0].length ?? 0);
  }
  const [one, other] = found;
  if (found.length !== 2 || one === undefined || other === undefined || parts.slice(rest).trim() !== "") {
    return null;
  }
  const swapped = one.axis === "longitude" || other.axis === "latitude";
  const latitude = (swapped ? other : one).value;
  const longitude = (swapped ? one : other).value;
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
}

function number(text: string): number {
  return Number(text.replace("−", "-").replace(",", "."));
}

/** Letters that are no letter with an accent on it, as they are typed without them. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ı: "i",
};

/** Without accents and case, as people type. */
function fold(text: string): string {
  const letters = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
  return letters.replace(/[ßæœøđðþłı]/g, (letter) => PLAIN[letter] ?? letter);
}
