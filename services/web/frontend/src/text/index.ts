/** The texts in the reader's language. A translation is another file like `en.ts`, of the type `Texts`. */

import { EN } from "./en";

/** The shape of the English texts with any words in it. */
type Worded<T> = T extends string
  ? string
  : T extends (...values: infer V) => string
    ? (...values: V) => string
    : { readonly [K in keyof T]: Worded<T[K]> };

export type Texts = Worded<typeof EN>;

export const TEXT: Texts = EN;
