/** Writes the licences of everything that the built page contains: they ask to go where the code goes. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Packages whose data is in the page, though none of their modules are. */
const DATA = ["world-atlas"];

export function licences(root: string): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle(_, bundle) {
      const packages = new Set(DATA.map((name) => join(root, "node_modules", name)));
      for (const chunk of Object.values(bundle)) {
        for (const id of chunk.type === "chunk" ? chunk.moduleIds : []) {
          const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replace(/^\0/, ""));
          if (found?.[1] !== undefined && existsSync(join(found[1], "package.json"))) {
            packages.add(found[1]);
          }
        }
      }
      const sections = [...packages].map(section).sort();
      this.emitFile({
        type: "asset",
        fileName: "licences.txt",
        source: `${sections.join(`\n\n${"-".repeat(80)}\n\n`)}\n`,
      });
    },
  };
}

function section(path: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Record<
    string,
    string
  >;
  const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? "" : `\n\n${readFileSync(join(path, file), "utf8").trim()}`;
  return `${name} ${version}, ${license ?? "see below"}${text}`;
}
