/** The entry: starts the connection at once, and the map as soon as its code has arrived. */

import "./styles/page.css";
import { App } from "./app";
import { TEXT } from "./text";

const root = document.getElementById("app");
/** The same as in `public/old-browser.js`, which says so where it is not. */
const isNewEnough =
  "at" in Array.prototype &&
  "hasOwn" in Object &&
  "HTMLDialogElement" in window &&
  (!("CanvasRenderingContext2D" in window) || "roundRect" in CanvasRenderingContext2D.prototype);
if (root !== null && isNewEnough) {
  root.dataset["started"] = "true";
  document.documentElement.lang = TEXT.language;
  document.title = `${TEXT.title}: ${TEXT.tagline.toLowerCase()}`;
  const app = new App(root);
  app.start();
}
