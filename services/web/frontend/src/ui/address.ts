/** The address bar: kept true to what is looked at, and followed when it changes. */

import { decodeLink, encodeLink, type Link } from "../permalink";

const WRITE_PAUSE_MS = 300;

export class Address {
  readonly embedded = new URLSearchParams(location.search).get("embed") === "1";
  #timer: number | undefined;
  #written = location.hash;

  constructor(follow: (link: Link) => void) {
    window.addEventListener("hashchange", () => {
      if (location.hash !== this.#written) {
        this.#written = location.hash;
        follow(this.link());
      }
    });
  }

  link(): Link {
    return decodeLink(location.hash);
  }

  /** The whole address of what is looked at, to be handed on. */
  url(link: Link): string {
    return `${location.origin}${location.pathname}${encodeLink(link)}`;
  }

  /** Writes the link, a moment later and once for many changes. */
  write(link: () => Link): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.#written = encodeLink(link());
      history.replaceState(null, "", `${location.pathname}${location.search}${this.#written}`);
    }, WRITE_PAUSE_MS);
  }
}
