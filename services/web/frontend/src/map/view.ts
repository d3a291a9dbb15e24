/** What part of the world is on the screen: pure arithmetic between degrees and pixels. */

import type { Bounds } from "./grid";

/**
 * How much a degree of latitude is stretched against one of longitude: an equirectangular projection
 * that is true to shape at 33° north and south, where it serves most inhabited places well.
 */
export const STRETCH = 1.2;
const MOST_ZOOM_IN = 24;

export interface View {
  /** The centre, in degrees. */
  readonly longitude: number;
  readonly latitude: number;
  /** Pixels for one degree of longitude. */
  readonly scale: number;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly bounds: Bounds;
  readonly wraps: boolean;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The widest view: the whole world fills the screen; a region lies in it with a margin. */
export function home(frame: Frame): View {
  const { bounds } = frame;
  return clamp(
    {
      longitude: frame.wraps ? 10 : (bounds.west + bounds.east) / 2,
      latitude: frame.wraps ? 20 : (bounds.south + bounds.north) / 2,
      scale: leastScale(frame),
    },
    frame,
  );
}

export function leastScale(frame: Frame): number {
  const { bounds, width, height } = frame;
  const across = width / (bounds.east - bounds.west);
  const down = height / ((bounds.north - bounds.south) * STRETCH);
  return frame.wraps ? Math.max(width / 360, down) : 0.8 * Math.min(across, down);
}

/** Keeps the view on the map: never smaller than the whole, never beyond its edges; around the world without end. */
export function clamp(view: View, frame: Frame): View {
  const least = leastScale(frame);
  const scale = Math.min(Math.max(view.scale, least), least * MOST_ZOOM_IN);
  const { bounds } = frame;
  const halfHeight = frame.height / (2 * scale * STRETCH);
  const halfWidth = frame.width / (2 * scale);
  return {
    scale,
    latitude: within(view.latitude, bounds.south, bounds.north, halfHeight),
    longitude: frame.wraps
      ? turn(view.longitude)
      : within(nearTo((bounds.west + bounds.east) / 2, view.longitude), bounds.west, bounds.east, halfWidth),
  };
}

export function pan(view: View, frame: Frame, dx: number, dy: number): View {
  return clamp(
    {
      ...view,
      longitude: view.longitude - dx / view.scale,
      latitude: view.latitude + dy / (view.scale * STRETCH),
    },
    frame,
  );
}

/** Zooms so that the place under `at` stays under it. */
export function zoomAt(view: View, frame: Frame, factor: number, at: Point): View {
  const scale = clamp({ ...view, scale: view.scale * factor }, frame).scale;
  const place = unproject(view, frame, at);
  return clamp(
    {
      scale,
      longitude: place.longitude - (at.x - frame.width / 2) / scale,
      latitude: place.latitude + (at.y - frame.height / 2) / (scale * STRETCH),
    },
    frame,
  );
}

export function unproject(view: View, frame: Frame, { x, y }: Point): { longitude: number; latitude: number } {
  return {
    longitude: view.longitude + (x - frame.width / 2) / view.scale,
    latitude: view.latitude - (y - frame.height / 2) / (view.scale * STRETCH),
  };
}

/** Where a place is on the screen; of its repetitions around the world the one nearest to the centre. */
export function project(view: View, frame: Frame, longitude: number, latitude: number): Point {
  const away = frame.wraps ? turn(longitude - view.longitude) : longitude - view.longitude;
  return {
    x: frame.width / 2 + away * view.scale,
    y: frame.height / 2 - (latitude - view.latitude) * view.scale * STRETCH,
  };
}

export function visible(view: View, frame: Frame): Bounds {
  const halfWidth = frame.width / (2 * view.scale);
  const halfHeight = frame.height / (2 * view.scale * STRETCH);
  return {
    west: view.longitude - halfWidth,
    east: view.longitude + halfWidth,
    south: view.latitude - halfHeight,
    north: view.latitude + halfHeight,
  };
}

/** A longitude from -180 up to 180. */
export function turn(longitude: number): number {
  return ((((longitude + 180) % 360) + 360) % 360) - 180;
}

/** The longitude counted so that it is less than half a turn from another one. */
function nearTo(middle: number, longitude: number): number {
  return longitude - 360 * Math.round((longitude - middle) / 360);
}

function within(value: number, low: number, high: number, half: number): number {
  return high - low <= 2 * half ? (low + high) / 2 : Math.min(high - half, Math.max(low + half, value));
}
