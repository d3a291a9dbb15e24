/** A card that a button of the header opens. Escape closes it, and so does a press or the focus somewhere else. */

import { setHidden } from "./dom";

export class Popover {
  constructor(
    readonly button: HTMLButtonElement,
    readonly element: HTMLElement,
    private readonly changed: (open: boolean) => void = () => {},
  ) {
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", element.id);
    button.addEventListener("click", () => this.set(element.hidden === true));
    for (const kind of ["pointerdown", "focusin"] as const) {
      document.addEventListener(kind, ({ target }) => {
        if (!this.#holds(target as Node)) {
          this.set(false);
        }
      });
    }
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !element.hidden) {
        event.preventDefault();
        this.set(false);
        button.focus();
      }
    });
  }

  set(open: boolean): void {
    if (open === this.element.hidden) {
      setHidden(this.element, !open);
      this.button.setAttribute("aria-expanded", String(open));
      this.changed(open);
    }
  }

  #holds(target: Node): boolean {
    return this.element.contains(target) || this.button.contains(target);
  }
}
