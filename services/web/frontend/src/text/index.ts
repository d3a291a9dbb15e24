/** The texts in the reader's language. A translation is another file like `en.ts`, of the same type. */

import { EN } from "./en";

export type Texts = typeof EN;

export const TEXT: Texts = EN;
