/** The specs the tests of the grammar work on: correct, and in the one format. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Source } from "../../grammar/index.js";

const folder = fileURLToPath(new URL("cases/", import.meta.url));

export const examples: readonly Source[] = readdirSync(folder)
  .filter((name) => name.endsWith(".mae"))
  .map((name) => ({ path: name, text: readFileSync(`${folder}${name}`, "utf8") }));

/** A source with a text of its own. */
export function spec(text: string): Source {
  return { path: "test.mae", text };
}
