/** Taking the map elsewhere: a link, a picture, a file of values, a table. */

import { TEXT } from "../text";
import { h, ICONS, iconButton, setText } from "./dom";
import { Popover } from "./popover";

export interface ShareHandlers {
  link(): string;
  /** Hands on a picture; rejects where none can be made. */
  picture(): Promise<void>;
  csv(): string;
  table(): void;
}

export class Share {
  readonly button = iconButton(TEXT.share.open, ICONS.share, "share");
  readonly element: HTMLElement;
  readonly #popover: Popover;
  readonly #message = h("p", { class: "popover-message fine", role: "status", "data-testid": "share-message" });
  readonly #csv = h("a", { class: "popover-item", download: "", "data-testid": "export-csv" }, TEXT.share.csv);

  constructor(private readonly handlers: ShareHandlers) {
    this.element = h(
      "div",
      { class: "share popover card", id: "share", role: "region", "aria-label": TEXT.share.open, hidden: true },
      item(TEXT.share.link, "copy-link", () => this.#copy()),
      item(TEXT.share.png, "export-png", () => this.#picture()),
      this.#csv,
      item(TEXT.share.table, "open-table", () => {
        this.#popover.set(false);
        // To where the focus comes back from the table.
        this.button.focus();
        handlers.table();
      }),
      this.#message,
    );
    const addressCsv = (): void => {
      this.#csv.href = handlers.csv();
    };
    // Time may move on while this is open.
    this.#csv.addEventListener("click", addressCsv);
    this.#popover = new Popover(this.button, this.element, () => {
      setText(this.#message, "");
      addressCsv();
    });
  }

  #picture(): void {
    this.handlers.picture().then(
      () => setText(this.#message, ""),
      (error: unknown) => {
        console.error(error);
        setText(this.#message, TEXT.share.pngFailed);
      },
    );
  }

  #copy(): void {
    copyText(this.handlers.link()).then(
      () => setText(this.#message, TEXT.share.copied),
      () => setText(this.#message, TEXT.share.copyFailed),
    );
  }
}

export async function copyText(text: string): Promise<void> {
  // Without https there is no clipboard; the address bar has the link all the same.
  await navigator.clipboard.writeText(text);
}

/** Hands a file to the browser's downloads. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function item(label: string, testId: string, act: () => void): HTMLElement {
  const button = h("button", { type: "button", class: "popover-item", "data-testid": testId }, label);
  button.addEventListener("click", act);
  return button;
}
