/** Colours in OKLab, where equal distances look equally large. */

export type Lab = readonly [lightness: number, a: number, b: number];

/** @param hue in degrees */
export function lch(lightness: number, chroma: number, hue: number): Lab {
  const angle = (hue * Math.PI) / 180;
  return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
}

export function distance(one: Lab, other: Lab): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
}

/** Linear sRGB, each part from 0 to 1; parts outside are cut off. */
export function toLinear([lightness, a, b]: Lab): readonly [number, number, number] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const cut = (value: number): number => Math.min(1, Math.max(0, value));
  return [
    cut(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    cut(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    cut(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

export function fromLinear(red: number, green: number, blue: number): Lab {
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

export function toHex(color: Lab): string {
  const byte = (linear: number): string => {
    const encoded = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
    return Math.round(255 * encoded)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${toLinear(color).map(byte).join("")}`;
}

/**
 * `count` colours along a path through `anchors`, at equal perceptual distances from one another.
 * The path between two anchors is straight in OKLab.
 */
export function evenPath(anchors: readonly Lab[], count: number): Lab[] {
  const lengths = [0];
  for (let index = 1; index < anchors.length; index += 1) {
    lengths.push((lengths.at(-1) as number) + distance(anchors[index - 1] as Lab, anchors[index] as Lab));
  }
  const total = lengths.at(-1) as number;
  return Array.from({ length: count }, (_, index) => {
    const along = (index / (count - 1)) * total;
    let part = 1;
    while (part < anchors.length - 1 && (lengths[part] as number) < along) {
      part += 1;
    }
    const start = lengths[part - 1] as number;
    const share = (along - start) / ((lengths[part] as number) - start);
    const from = anchors[part - 1] as Lab;
    const to = anchors[part] as Lab;
    return [mix(from[0], to[0], share), mix(from[1], to[1], share), mix(from[2], to[2], share)] as const;
  });
}

function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}
