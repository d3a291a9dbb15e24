/** Durations and moments as readers see them. */

import { TEXT } from "../text";

export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  if (whole < 60) {
    return TEXT.duration.seconds(whole);
  }
  if (minutes < 60) {
    return TEXT.duration.minutes(minutes);
  }
  return hours < 48 ? TEXT.duration.hours(hours, minutes % 60) : TEXT.duration.days(Math.floor(hours / 24), hours % 24);
}

export function ago(seconds: number): string {
  return seconds < 3 ? TEXT.age.now : TEXT.age.ago(duration(seconds));
}

/** "Tue 24 Nov". */
export function day(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${TEXT.weekdays[date.getUTCDay()]} ${date.getUTCDate()} ${TEXT.months[date.getUTCMonth()]}`;
}

/** A moment as "15:45 UTC", with its date when that is not today's. */
export function utc(seconds: number, nowMs: number, withDate = true): string {
  const iso = new Date(seconds * 1000).toISOString();
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const time = `${iso.slice(11, 16)} UTC`;
  return iso.startsWith(today) || !withDate ? time : `${iso.slice(0, 10)}, ${time}`;
}

/** A place as "50° N, 10° E". */
export function coordinates(latitude: number, longitude: number): string {
  const part = (value: number, positive: string, negative: string): string => {
    const size = Number(Math.abs(value).toFixed(2));
    const side = size === 0 ? "" : value > 0 ? ` ${positive}` : ` ${negative}`;
    return `${size}°${size === 180 ? "" : side}`;
  };
  const [north, , east, , south, , west] = TEXT.compass;
  return `${part(latitude, north, south)}, ${part(longitude, east, west)}`;
}
