/** The address bar: kept true to what is looked at, and followed when it changes. */

import { decodeLink, encodeLink, type Link } from "../permalink";

const WRITE_PAUSE_MS = 300;

export class Address {
  readonly embedded = new URLSearchParams(location.search).get("embed") === "1";
  #timer: number | undefined;
  #written = location.hash;

  /**
   * @param follow called with the link when the address has been changed by hand
   * @param written called with the whole address of what is looked at whenever the address bar has it
   */
  constructor(
    follow: (link: Link) => void,
    private readonly written: (url: string) => void,
  ) {
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
      const looked = link();
      this.#written = encodeLink(looked);
      this.written(this.url(looked));
      history.replaceState(null, "", `${location.pathname}${location.search}${this.#written}`);
    }, WRITE_PAUSE_MS);
  }
}
