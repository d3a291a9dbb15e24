/** A choice of one out of few: native radio buttons, so that keys and screen readers work as everywhere. */

import { h } from "./dom";

export interface Option<T extends string> {
  readonly value: T;
  readonly label: string;
  /** What is shown where there is little room. */
  readonly short?: string;
  readonly icon?: SVGSVGElement;
  readonly testId?: string;
}

export interface Choice<T extends string> {
  readonly element: HTMLElement;
  set(value: T): void;
}

export function choice<T extends string>(
  name: string,
  legend: string,
  options: readonly Option<T>[],
  initial: T,
  onChange: (value: T) => void,
): Choice<T> {
  const inputs = new Map<T, HTMLInputElement>();
  const labels = options.map((option) => {
    const input = h("input", { type: "radio", name, value: option.value, class: "choice-input" });
    input.checked = option.value === initial;
    input.addEventListener("change", () => onChange(option.value));
    inputs.set(option.value, input);
    return h(
      "label",
      { class: "choice-option", "data-testid": option.testId ?? `${name}-${option.value}` },
      input,
      h(
        "span",
        { class: "choice-face" },
        option.icon ?? null,
        option.short === undefined || option.short === option.label
          ? option.label
          : h("span", { class: "long" }, option.label),
        option.short === undefined || option.short === option.label
          ? null
          : h("span", { class: "short" }, option.short),
      ),
    );
  });
  return {
    element: h("div", { class: "choice", role: "radiogroup", "aria-label": legend }, ...labels),
    set: (value) => {
      const input = inputs.get(value);
      if (input !== undefined) {
        input.checked = true;
      }
    },
  };
}
