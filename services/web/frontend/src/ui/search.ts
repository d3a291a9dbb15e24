/** Search by name or coordinates, and the reader's own place: a text field with a list of suggestions. */

import { findPlaces, type Named, parseCoordinates } from "../search/search";
import { TEXT } from "../text";
import { coordinates } from "../time/words";
import { h, ICONS, icon, iconButton, setText } from "./dom";
import { Popover } from "./popover";

export interface SearchHandlers {
  places(): readonly Named[];
  go(place: Named): void;
}

const GEOLOCATION_TIMEOUT_MS = 10_000;

export class Search {
  readonly button = iconButton(TEXT.search.open, ICONS.search, "search");
  readonly element: HTMLElement;
  readonly #popover: Popover;
  readonly #input = h("input", {
    type: "text",
    class: "field",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: TEXT.search.hint,
    "aria-label": TEXT.search.label,
    "aria-expanded": "false",
    "aria-controls": "search-results",
    "aria-autocomplete": "list",
    "data-testid": "search-input",
  });
  readonly #list = h("ul", {
    class: "search-results",
    id: "search-results",
    role: "listbox",
    "aria-label": TEXT.search.label,
  });
  readonly #message = h("p", { class: "popover-message fine", role: "status", "data-testid": "search-message" });
  #found: readonly Named[] = [];
  #active = -1;

  constructor(private readonly handlers: SearchHandlers) {
    const mine = h(
      "button",
      { type: "button", class: "popover-item", "data-testid": "my-location" },
      icon(...ICONS.target),
      TEXT.search.mine,
    );
    this.element = h(
      "div",
      { class: "popover card", id: "search", role: "search", hidden: true },
      this.#input,
      mine,
      this.#list,
      this.#message,
    );
    this.#popover = new Popover(this.button, this.element, (open) => {
      if (open) {
        this.#input.value = "";
        this.#show([]);
        setText(this.#message, "");
        this.#input.focus();
      }
    });
    mine.addEventListener("click", () => this.#locate());
    this.#input.addEventListener("input", () => this.#look());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
  }

  open(): void {
    this.#popover.set(true);
    this.#input.focus();
  }

  /** Where the search led to has nothing to show. */
  say(text: string): void {
    this.open();
    setText(this.#message, text);
  }

  #look(): void {
    const text = this.#input.value;
    const at = parseCoordinates(text);
    const found =
      at === null
        ? findPlaces(this.handlers.places(), text)
        : [{ name: coordinates(at.latitude, at.longitude), latitude: at.latitude, longitude: at.longitude }];
    this.#show(found);
    const none = found.length === 0 && text.trim() !== "";
    setText(this.#message, none ? TEXT.search.none : found.length > 0 ? TEXT.search.results(found.length) : "");
  }

  #show(found: readonly Named[]): void {
    this.#found = found;
    this.#active = found.length > 0 ? 0 : -1;
    this.#list.replaceChildren(
      ...found.map((place, index) => {
        const option = h("li", { class: "popover-item", role: "option", id: `search-result-${index}` }, place.name);
        option.addEventListener("click", () => this.#go(place));
        return option;
      }),
    );
    this.#input.setAttribute("aria-expanded", String(found.length > 0));
    this.#mark();
  }

  #mark(): void {
    [...this.#list.children].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.#active));
    });
    if (this.#active >= 0) {
      this.#input.setAttribute("aria-activedescendant", `search-result-${this.#active}`);
    } else {
      this.#input.removeAttribute("aria-activedescendant");
    }
  }

  #key(event: KeyboardEvent): void {
    const count = this.#found.length;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count > 0) {
      event.preventDefault();
      this.#active = (this.#active + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
      this.#mark();
    } else if (event.key === "Enter") {
      const place = this.#found[this.#active];
      if (place !== undefined) {
        this.#go(place);
      }
    }
  }

  #go(place: Named): void {
    this.#popover.set(false);
    this.handlers.go(place);
  }

  #locate(): void {
    if (!("geolocation" in navigator)) {
      setText(this.#message, TEXT.search.denied);
      return;
    }
    setText(this.#message, TEXT.search.locating);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => this.#go({ name: TEXT.search.mine, latitude: coords.latitude, longitude: coords.longitude }),
      () => setText(this.#message, TEXT.search.denied),
      { timeout: GEOLOCATION_TIMEOUT_MS, maximumAge: 600_000 },
    );
  }
}
