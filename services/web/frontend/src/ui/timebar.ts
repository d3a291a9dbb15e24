/** The time slider: what time is shown and what it is, and every way to another one. */

import type { Moves } from "../moves";
import { TEXT } from "../text";
import {
  AHEAD_SECONDS,
  BACK_SECONDS,
  kindOf,
  type Moment,
  momentAt,
  placeOf,
  SPEEDS,
  STEPS,
  seconds,
  TICK_SECONDS,
} from "../time/axis";
import { day, utc } from "../time/words";
import { h, icon, iconButton, setHidden, setText } from "./dom";

export interface TimeHandlers extends Moves {
  /** The slider was moved: it says itself where it stands. */
  to(moment: Moment): void;
}

export interface TimeScene {
  readonly moment: Moment;
  readonly nowSeconds: number;
  readonly playing: boolean;
  readonly simulated: boolean;
  /** What is wrong or under way; empty when all is well. */
  readonly message: string;
}

export function kindText({ moment, nowSeconds, simulated }: Omit<TimeScene, "playing" | "message">): string {
  const kind = TEXT.time.kind[kindOf(moment, nowSeconds)];
  return simulated ? TEXT.time.simulated(kind) : kind;
}

export function timeText({ moment, nowSeconds }: Pick<TimeScene, "moment" | "nowSeconds">): string {
  const at = seconds(moment, nowSeconds);
  return TEXT.time.at(day(at), utc(at, nowSeconds * 1000, false));
}

const PLACES = (BACK_SECONDS + AHEAD_SECONDS) / TICK_SECONDS;
const PLAY = ["M8 5.5v13l10.5-6.5Z"];
const PAUSE = ["M8.5 6v12M15.5 6v12"];

export class TimeBar {
  readonly element: HTMLElement;
  readonly #time = h("strong", { class: "time-valid", "data-testid": "valid-time" });
  readonly #kind = h("span", { class: "time-kind", "data-testid": "time-kind" });
  readonly #message = h("span", { class: "fine", role: "status", hidden: true });
  readonly #slider = h("input", {
    type: "range",
    class: "time-slider",
    min: 0,
    max: PLACES,
    step: 1,
    "aria-label": TEXT.time.slider,
    "data-testid": "time-slider",
  });
  readonly #mark = tick("time-mark", TEXT.time.marks.now);
  readonly #play = iconButton(TEXT.time.play, PLAY, "play");
  readonly #now = h("button", { type: "button", class: "time-now", "data-testid": "time-now" }, TEXT.time.now);

  constructor(handlers: TimeHandlers) {
    const back = iconButton(TEXT.time.back, ["M17.5 6v12L9 12ZM6.5 6v12"], "time-back");
    const ahead = iconButton(TEXT.time.ahead, ["M6.5 6v12L15 12ZM17.5 6v12"], "time-ahead");
    back.addEventListener("click", () => handlers.step(-1));
    ahead.addEventListener("click", () => handlers.step(1));
    this.#play.addEventListener("click", () => handlers.play());
    this.#now.addEventListener("click", () => handlers.now());
    this.#slider.addEventListener("input", () => {
      handlers.to(momentAt(this.#slider.valueAsNumber, Number(this.#slider.dataset["now"])));
    });
    this.element = h(
      "section",
      {
        class: "time card",
        role: "group",
        "aria-label": TEXT.time.label,
        title: TEXT.time.keys,
        "data-testid": "time",
      },
      h(
        "div",
        { class: "time-head" },
        this.#time,
        this.#kind,
        this.#message,
        h(
          "span",
          { class: "time-choices" },
          select(TEXT.time.step, TEXT.time.steps, STEPS, 3_600, "time-step", (value) => handlers.stepSize(value)),
          select(TEXT.time.speed, TEXT.time.speeds, SPEEDS, 3, "time-speed", (value) => handlers.speed(value)),
        ),
      ),
      h(
        "div",
        { class: "time-row" },
        this.#play,
        back,
        h("span", { class: "time-track" }, this.#slider, ...fixedTicks(), this.#mark),
        ahead,
        this.#now,
      ),
    );
    for (const event of ["pointerenter", "focusin", "pointerdown"] as const) {
      this.element.addEventListener(event, () => handlers.near(), { passive: true });
    }
  }

  show(scene: TimeScene): void {
    const { moment, nowSeconds, playing, message } = scene;
    const place = placeOf(moment, nowSeconds);
    setText(this.#time, timeText(scene));
    setText(this.#kind, kindText(scene));
    this.#kind.dataset["kind"] = kindOf(moment, nowSeconds);
    setText(this.#message, message);
    setHidden(this.#message, message === "");
    this.#slider.dataset["now"] = String(nowSeconds);
    this.#slider.value = String(Math.round(place));
    this.#slider.setAttribute("aria-valuetext", TEXT.time.said(timeText(scene), kindText(scene)));
    this.#mark.style.setProperty("--at", String(placeOf("now", nowSeconds) / PLACES));
    this.#now.setAttribute("aria-pressed", String(moment === "now"));
    this.#play.setAttribute("aria-label", playing ? TEXT.time.pause : TEXT.time.play);
    if (this.#play.dataset["playing"] !== String(playing)) {
      this.#play.dataset["playing"] = String(playing);
      this.#play.replaceChildren(icon(...(playing ? PAUSE : PLAY)));
    }
  }
}

/** The ends of the axis, and a day ahead, as hours from now. */
function fixedTicks(): HTMLElement[] {
  const marks = TEXT.time.marks;
  return (
    [
      [marks.start, 0],
      [marks.day, (2 * BACK_SECONDS) / TICK_SECONDS],
      [marks.end, PLACES],
    ] as const
  ).map(([text, place]) => {
    const element = tick("", text);
    element.style.setProperty("--at", String(place / PLACES));
    return element;
  });
}

function tick(name: string, text: string): HTMLElement {
  return h("span", { class: `time-tick fine ${name}`, "aria-hidden": "true" }, text);
}

function select<T extends number>(
  label: string,
  names: Readonly<Record<`${T}`, string>>,
  values: readonly T[],
  chosen: T,
  testId: string,
  change: (value: T) => void,
): HTMLElement {
  const element = h("select", { class: "time-select", "aria-label": label, "data-testid": testId });
  for (const value of values) {
    const option = h("option", { value }, names[`${value}`]);
    option.selected = value === chosen;
    element.append(option);
  }
  element.addEventListener("change", () => change(Number(element.value) as T));
  return h("label", { class: "time-choice fine" }, h("span", { "aria-hidden": "true" }, label), element);
}
