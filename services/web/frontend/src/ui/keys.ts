/** Keys that work everywhere but in fields that take text. */

import type { Moves } from "../moves";

export interface KeyTarget extends Pick<Moves, "step" | "play" | "now"> {
  search(): void;
  /** Whether single letters and signs are commands. */
  shortcuts(): boolean;
  /** Closes what is open. */
  close(): void;
}

export function listenToKeys(target: KeyTarget): void {
  const keys: Readonly<Record<string, () => void>> = {
    ",": () => target.step(-1),
    ".": () => target.step(1),
    p: () => target.play(),
    n: () => target.now(),
    "/": () => target.search(),
    escape: () => target.close(),
  };
  document.addEventListener("keydown", (event) => {
    const at = event.target as HTMLElement;
    const typing = at.matches("input:not([type=range], [type=radio], [type=checkbox]), select, dialog *");
    const unwanted = event.key.length === 1 && !target.shortcuts();
    if (typing || unwanted || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const act = keys[event.key.toLowerCase()];
    if (act !== undefined) {
      event.preventDefault();
      act();
    }
  });
}
