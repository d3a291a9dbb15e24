/** What is on the screen as one picture, with a legend and words below it. */

import type { Layer } from "../layers/layers";
import { ticks } from "../layers/ticks";
import { TEXT } from "../text";
import type { MapColors } from "../theme";
import type { Unit } from "../units";
import type { Frame } from "./view";

export interface Canvases {
  readonly base: HTMLCanvasElement;
  readonly coasts: HTMLCanvasElement;
  readonly lines: HTMLCanvasElement;
  readonly overlay: HTMLCanvasElement;
}

export interface Caption {
  readonly layer: Layer;
  readonly colors: MapColors;
  readonly unit: Unit;
  readonly title: string;
  readonly credit: string;
}

const FOOT_PX = 46;
const MARGIN_PX = 14;
const BAR_WIDTH_PX = 220;
const BAR_HEIGHT_PX = 8;
const LEAST_BAR_ROOM_PX = 680;

export async function composePicture(
  { base, coasts, lines }: Canvases,
  field: SVGImageElement | null,
  frame: Frame,
  caption: Caption,
): Promise<Blob> {
  const ratio = base.width / frame.width;
  const canvas = document.createElement("canvas");
  canvas.width = base.width;
  canvas.height = base.height + Math.round(FOOT_PX * ratio);
  const context = canvas.getContext("2d");
  if (context === null) {
    throw new Error(TEXT.notice.canvas);
  }
  context.drawImage(base, 0, 0);
  if (field !== null) {
    await drawField(context, field, ratio, caption.colors.fieldOpacity);
  }
  context.drawImage(coasts, 0, 0);
  context.drawImage(lines, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawFoot(context, frame, caption);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error(TEXT.notice.broken)) : resolve(blob)), "image/png");
  });
}

async function drawField(
  context: CanvasRenderingContext2D,
  field: SVGImageElement,
  ratio: number,
  opacity: number,
): Promise<void> {
  const image = new Image();
  image.src = field.getAttribute("href") ?? field.getAttributeNS("http://www.w3.org/1999/xlink", "href") ?? "";
  await image.decode();
  const at = (name: string): number => Number(field.getAttribute(name)) * ratio;
  context.globalAlpha = opacity;
  context.imageSmoothingEnabled = !(field.getAttribute("style") ?? "").includes("pixelated");
  context.drawImage(image, at("x"), at("y"), at("width"), at("height"));
  context.globalAlpha = 1;
}

function drawFoot(
  context: CanvasRenderingContext2D,
  frame: Frame,
  { layer, colors, unit, title, credit }: Caption,
): void {
  const { width, height } = frame;
  context.fillStyle = colors.land;
  context.fillRect(0, height, width, FOOT_PX);
  context.fillStyle = colors.chart.text;
  context.textBaseline = "alphabetic";
  context.font = "600 13px system-ui, sans-serif";
  context.fillText(title, MARGIN_PX, height + 19);
  context.font = "11px system-ui, sans-serif";
  context.fillText(credit, MARGIN_PX, height + 36);
  if (width >= LEAST_BAR_ROOM_PX) {
    const { scale } = layer;
    const left = width - 2 * MARGIN_PX - BAR_WIDTH_PX;
    const gradient = context.createLinearGradient(left, 0, left + BAR_WIDTH_PX, 0);
    scale.colors.forEach((color, index) => {
      gradient.addColorStop(index / (scale.colors.length - 1), color);
    });
    context.fillStyle = gradient;
    context.fillRect(left, height + 12, BAR_WIDTH_PX, BAR_HEIGHT_PX);
    context.fillStyle = colors.chart.text;
    context.textAlign = "center";
    for (const { text, share } of ticks(scale, unit)) {
      context.fillText(text, left + BAR_WIDTH_PX * share, height + 34);
    }
  }
}
