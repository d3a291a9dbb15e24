/** What is on the screen as one picture, with a legend and words below it. */

import type { Layer } from "../layers/layers";
import { TEXT } from "../text";
import type { MapColors } from "../theme";
import type { Unit } from "../units";
import { drawFoot, layOutFoot } from "./foot";
import type { Canvases } from "./stack";
import type { Frame } from "./view";

export interface Caption {
  readonly layer: Layer;
  readonly colors: MapColors;
  readonly unit: Unit;
  readonly title: string;
  readonly credit: string;
}

/** The picture is of the moment of the call: what is drawn on the screen while it is made is not in it. */
export async function composePicture(
  { base, marks, coasts, lines }: Canvases,
  field: SVGImageElement | null,
  frame: Frame,
  caption: Caption,
): Promise<Blob> {
  const ratio = base.width / frame.width;
  const [canvas, context] = blank(base.width, base.height);
  const foot = layOutFoot(frame.width, caption, (text, font) => {
    context.font = font;
    return context.measureText(text).width;
  });
  canvas.height = base.height + Math.round(foot.height * ratio);
  context.drawImage(base, 0, 0);
  const [above, aboveContext] = blank(base.width, base.height);
  aboveContext.drawImage(coasts, 0, 0);
  aboveContext.drawImage(marks, 0, 0);
  aboveContext.drawImage(lines, 0, 0);
  context.scale(ratio, ratio);
  if (field !== null) {
    await drawImage(context, field, caption.colors.fieldOpacity);
  }
  context.drawImage(above, 0, 0, frame.width, frame.height);
  drawFoot(context, foot, frame.width, frame.height, caption);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error(TEXT.notice.broken)) : resolve(blob)), "image/png");
  });
}

function blank(width: number, height: number): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (context === null) {
    throw new Error(TEXT.notice.canvas);
  }
  return [canvas, context];
}

async function drawImage(context: CanvasRenderingContext2D, field: SVGImageElement, opacity: number): Promise<void> {
  const image = new Image();
  image.src = field.getAttribute("href") ?? field.getAttributeNS("http://www.w3.org/1999/xlink", "href") ?? "";
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(field.getAttribute(name))) as [
    number,
    number,
    number,
    number,
  ];
  const isSmooth = !(field.getAttribute("style") ?? "").includes("pixelated");
  await image.decode();
  context.globalAlpha = opacity;
  context.imageSmoothingEnabled = isSmooth;
  context.drawImage(image, x, y, width, height);
  context.globalAlpha = 1;
  context.imageSmoothingEnabled = true;
}
