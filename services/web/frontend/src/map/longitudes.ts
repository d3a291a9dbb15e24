/** Longitudes of places that belong together, across the antimeridian too. Pure. */

const TOLERANCE = 1e-3;

/**
 * Longitudes that rise without a jump from west to east: those of a region that crosses the antimeridian run on beyond
 * 180. Where the widest gap lies over the antimeridian, as around the whole world, they are from -180 up to 180.
 */
export function unroll(longitude: Float64Array): Float64Array {
  const sorted = Float64Array.from(longitude, fromAntimeridian).sort();
  let start = sorted[0] ?? 0;
  let widest = start + 360 - (sorted.at(-1) ?? 0);
  for (let index = 1; index < sorted.length; index += 1) {
    const gap = (sorted[index] as number) - (sorted[index - 1] as number);
    if (gap > widest + TOLERANCE) {
      widest = gap;
      start = sorted[index] as number;
    }
  }
  return Float64Array.from(longitude, (value) => {
    const at = fromAntimeridian(value);
    return at < start ? at + 360 : at;
  });
}

/** From -180 up to 180, which is -180 again. */
function fromAntimeridian(longitude: number): number {
  if (longitude >= 180) {
    return longitude - 360;
  }
  return longitude < -180 ? longitude + 360 : longitude;
}
