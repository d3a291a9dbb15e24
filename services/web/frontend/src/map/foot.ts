/** The foot of a picture that is taken away: what it shows, where that comes from, and what its colours mean. */

import { ticks } from "../layers/ticks";
import type { Caption } from "./picture";

const MARGIN_PX = 14;
const TITLE_LINE_PX = 18;
const CREDIT_LINE_PX = 15;
const BORDERS_PX = 13;
const BAR_WIDTH_PX = 220;
const BAR_HEIGHT_PX = 8;
const BAR_ROW_PX = 36;
/** Narrower pictures have the colours below the words. */
const LEAST_BAR_ROOM_PX = 680;
const TITLE_FONT = "600 13px system-ui, sans-serif";
const CREDIT_FONT = "11px system-ui, sans-serif";

export interface Foot {
  readonly height: number;
  readonly titles: readonly string[];
  readonly credits: readonly string[];
  /** Where the bar of colours begins, below the picture's upper part. */
  readonly bar: { readonly x: number; readonly y: number };
}

/** Words as lines that are no wider than there is room; a single word may be. */
export function wrap(text: string, room: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && measure(longer) > room) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

export function layOutFoot(
  width: number,
  { title, credit }: Pick<Caption, "title" | "credit">,
  measure: (text: string, font: string) => number,
): Foot {
  const isWide = width >= LEAST_BAR_ROOM_PX;
  const room = width - (isWide ? BAR_WIDTH_PX + 4 * MARGIN_PX : 2 * MARGIN_PX);
  const titles = wrap(title, room, (text) => measure(text, TITLE_FONT));
  const credits = wrap(credit, room, (text) => measure(text, CREDIT_FONT));
  const words = BORDERS_PX + TITLE_LINE_PX * titles.length + CREDIT_LINE_PX * credits.length;
  return {
    titles,
    credits,
    height: words + (isWide ? 0 : BAR_ROW_PX),
    bar: isWide ? { x: width - 2 * MARGIN_PX - BAR_WIDTH_PX, y: 12 } : { x: 2 * MARGIN_PX, y: words + 2 },
  };
}

/** Draws the foot below a picture of this height. */
export function drawFoot(
  context: CanvasRenderingContext2D,
  foot: Foot,
  width: number,
  below: number,
  { layer, colors, unit }: Caption,
): void {
  context.fillStyle = colors.land;
  context.fillRect(0, below, width, foot.height);
  context.fillStyle = colors.chart.text;
  context.textBaseline = "alphabetic";
  context.font = TITLE_FONT;
  foot.titles.forEach((text, line) => {
    context.fillText(text, MARGIN_PX, below + 19 + TITLE_LINE_PX * line);
  });
  context.font = CREDIT_FONT;
  const first = below + 18 + TITLE_LINE_PX * foot.titles.length;
  foot.credits.forEach((text, line) => {
    context.fillText(text, MARGIN_PX, first + CREDIT_LINE_PX * line);
  });
  const { scale } = layer;
  const left = foot.bar.x;
  const top = below + foot.bar.y;
  const gradient = context.createLinearGradient(left, 0, left + BAR_WIDTH_PX, 0);
  scale.colors.forEach((color, index) => {
    gradient.addColorStop(index / (scale.colors.length - 1), color);
  });
  context.fillStyle = gradient;
  context.fillRect(left, top, BAR_WIDTH_PX, BAR_HEIGHT_PX);
  context.fillStyle = colors.chart.text;
  context.textAlign = "center";
  for (const { text, share } of ticks(scale, unit)) {
    context.fillText(text, left + BAR_WIDTH_PX * share, top + 22);
  }
}
