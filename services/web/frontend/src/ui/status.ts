/** The state of the connection and of the data, always in sight. */

import type { ConnectionStatus } from "../protocol/client";
import type { Freshness } from "../state/freshness";
import { TEXT } from "../text";
import { ago, duration } from "../time/words";
import type { Announcer } from "./announcer";
import { h, setHidden, setText } from "./dom";

export interface StatusInput {
  readonly connection: ConnectionStatus;
  readonly freshness: Freshness | null;
  readonly lastUpdate: { readonly count: number; readonly atMs: number } | null;
  /** Until when the map was kept up, in words. */
  readonly knownUntil: string | null;
  readonly nowMs: number;
  /** The map's code did not load or cannot run here. */
  readonly broken: "code" | "canvas" | null;
}

export type NoticeKind =
  | "broken"
  | "canvas"
  | "protocol"
  | "outdated"
  | "disconnected"
  | "waiting"
  | "empty"
  | "stale"
  | "filling";

/** How bad it is; nothing for what passes by itself. */
const TONES: Readonly<Partial<Record<NoticeKind, "wait" | "bad">>> = {
  stale: "wait",
  outdated: "wait",
  disconnected: "bad",
  protocol: "bad",
  broken: "bad",
  canvas: "bad",
};

/** What screen readers are told with the state of the connection, or need not hear of. */
const TOLD_ELSEWHERE: readonly NoticeKind[] = ["disconnected", "waiting"];

/** The one thing that most needs to be said; null when all is well. */
export function noticeOf({
  connection,
  freshness,
  broken,
}: Pick<StatusInput, "connection" | "freshness" | "broken">): NoticeKind | null {
  if (broken !== null) {
    return broken === "canvas" ? "canvas" : "broken";
  }
  if (connection.state === "stopped") {
    return connection.reason;
  }
  if (connection.state === "disconnected") {
    return "disconnected";
  }
  if (freshness === null) {
    return "waiting";
  }
  if (freshness.filled === 0) {
    return "empty";
  }
  if (freshness.stale) {
    return "stale";
  }
  return freshness.filled < freshness.count ? "filling" : null;
}

export function connectionText(connection: ConnectionStatus, nowMs: number): string {
  const { state, retryAtMs } = connection;
  const seconds = retryAtMs === null ? 0 : Math.ceil((retryAtMs - nowMs) / 1000);
  const texts = TEXT.connection;
  if (seconds > 0) {
    switch (state) {
      case "reconnecting":
        return texts.reconnectingIn(seconds);
      case "restarting":
        return texts.restartingIn(seconds);
      case "closing":
        return texts.closingIn(seconds);
      case "disconnected":
        return texts.disconnectedIn(seconds);
      default:
        break;
    }
  }
  return texts[state];
}

export function ageText(freshness: Freshness | null): string {
  if (freshness === null || freshness.typicalSeconds === null || freshness.oldestSeconds === null) {
    return TEXT.age.none;
  }
  return `${TEXT.age.typical(duration(freshness.typicalSeconds))}, ${TEXT.age.oldest(duration(freshness.oldestSeconds))}`;
}

export function staleText({ typicalSeconds, staleCells, filled }: Freshness): string {
  return TEXT.notice.staleDetail(TEXT.age.old(duration(typicalSeconds ?? 0)), staleCells < filled);
}

export class Status {
  readonly pill: HTMLElement;
  readonly simulated: HTMLElement;
  readonly notice: HTMLElement;
  readonly age: HTMLElement;
  readonly #text = h("span", { class: "pill-text" });
  readonly #detail = h("span", { class: "pill-detail" });
  readonly #title = h("strong", { class: "notice-title" });
  readonly #body = h("span", { class: "notice-body" });
  readonly #progress = h("progress", { class: "notice-progress", max: 1 });
  readonly #button = h("button", { type: "button", class: "button" });
  #filledTold = -1;

  constructor(
    private readonly announcer: Announcer,
    onTryNow: () => void,
    onTable: () => void,
  ) {
    this.pill = h(
      "div",
      { class: "pill", "data-testid": "connection-state", "data-state": "connecting" },
      h("span", { class: "pill-dot", "aria-hidden": "true" }),
      this.#text,
      this.#detail,
    );
    this.simulated = h("div", { class: "badge", "data-testid": "simulated", hidden: true }, TEXT.simulated);
    this.age = h("p", { class: "legend-age fine", "data-testid": "data-age" });
    this.notice = h(
      "div",
      { class: "notice card", hidden: true },
      h("div", { class: "notice-words" }, this.#title, this.#body),
      this.#progress,
      this.#button,
    );
    this.#button.addEventListener("click", () => {
      if (this.notice.dataset["kind"] === "disconnected") {
        onTryNow();
      } else if (this.notice.dataset["kind"] === "canvas") {
        onTable();
      } else {
        location.reload();
      }
    });
  }

  show(input: StatusInput): void {
    const { connection, freshness, lastUpdate, nowMs } = input;
    if (this.pill.dataset["state"] !== connection.state) {
      this.pill.dataset["state"] = connection.state;
    }
    setText(this.#text, connectionText(connection, nowMs));
    const detail =
      connection.state === "live" && lastUpdate !== null
        ? TEXT.updated(lastUpdate.count, ago((nowMs - lastUpdate.atMs) / 1000))
        : "";
    setText(this.#detail, detail);
    setHidden(this.simulated, freshness === null || freshness.simulated === 0);
    setText(this.age, ageText(freshness));
    this.age.dataset["stale"] = String(freshness?.stale ?? false);
    this.#showNotice(noticeOf(input), input);
  }

  #showNotice(kind: NoticeKind | null, { freshness, knownUntil }: StatusInput): void {
    setHidden(this.notice, kind === null);
    if (kind === null) {
      delete this.notice.dataset["kind"];
      this.notice.removeAttribute("data-testid");
      return;
    }
    const isNew = this.notice.dataset["kind"] !== kind;
    this.notice.dataset["kind"] = kind;
    this.notice.dataset["testid"] = kind;
    const tone = TONES[kind];
    if (tone === undefined) {
      delete this.notice.dataset["tone"];
    } else {
      this.notice.dataset["tone"] = tone;
    }
    const filled = freshness?.filled ?? 0;
    const count = freshness?.count ?? 0;
    const texts = TEXT.notice;
    const words: Readonly<Record<NoticeKind, readonly [string, string]>> = {
      broken: [texts.broken, texts.brokenDetail],
      canvas: [texts.canvas, texts.canvasDetail],
      protocol: [texts.protocol, texts.reloadDetail],
      outdated: [texts.outdated, texts.reloadDetail],
      disconnected: [
        texts.disconnected,
        knownUntil === null || freshness === null ? texts.disconnectedBefore : texts.disconnectedDetail(knownUntil),
      ],
      waiting: [texts.waiting, ""],
      empty: [texts.empty, texts.emptyDetail],
      stale: [texts.stale, freshness === null ? "" : staleText(freshness)],
      filling: [texts.filling(filled, count), texts.fillingDetail],
    };
    const [title, body] = words[kind];
    setText(this.#title, title);
    setText(this.#body, body);
    if (kind === "filling") {
      this.#tellFilling(filled, count);
    } else if (isNew && !TOLD_ELSEWHERE.includes(kind)) {
      this.announcer.say(TEXT.announce.notice(title, body));
    }
    setHidden(this.#progress, kind !== "filling");
    this.#progress.value = count === 0 ? 0 : filled / count;
    const isAction = ["disconnected", "protocol", "outdated", "broken", "canvas"].includes(kind);
    setHidden(this.#button, !isAction);
    const action = { disconnected: TEXT.tryNow, canvas: TEXT.share.table }[kind as string] ?? TEXT.reload;
    setText(this.#button, action);
  }

  /** Now and then, and nothing while nothing comes. */
  #tellFilling(filled: number, count: number): void {
    if (filled !== this.#filledTold && this.announcer.mention(TEXT.announce.filling(filled, count))) {
      this.#filledTold = filled;
    }
  }
}
