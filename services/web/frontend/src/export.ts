/** Files for the reader: a picture of the map, and the address of its values as CSV. */

import type { MapHost } from "./map/host";
import { TEXT } from "./text";
import type { Moment } from "./time/axis";
import { download } from "./ui/share";
import type { Units } from "./units";

/** @throws when there is no map to take a picture of, or it cannot be taken */
export async function exportPicture(
  map: MapHost,
  { title, credit }: { readonly title: string; readonly credit: string },
  seconds: number,
): Promise<void> {
  const stamp = new Date(seconds * 1000).toISOString().slice(0, 16).replace(/[-:]/g, "");
  download(await map.picture(title, credit), TEXT.share.pngName(`${stamp}Z`));
}

/** Now is the latest values as they came; another moment is that of the hourly series. */
export function exportUrl({ temperature, wind }: Units, moment: Moment): string {
  const at = moment === "now" ? "" : `&at=${Math.round(moment)}`;
  return `/api/v1/export.csv?temperature=${temperature}&wind=${wind}${at}`;
}
