/** The entry: starts the connection at once, and the map as soon as its code has arrived. */

import "./styles/page.css";
import { App } from "./app";
import { TEXT } from "./text";

const root = document.getElementById("app");
if (root !== null) {
  document.title = `${TEXT.title}: ${TEXT.tagline.toLowerCase()}`;
  const app = new App(root);
  app.start();
}
