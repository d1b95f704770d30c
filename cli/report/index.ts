/** The reporters of `mae check`, by the name that `--reporter` takes. */

import { github } from "./github.js";
import { gitlab } from "./gitlab.js";
import { json } from "./json.js";
import { junit } from "./junit.js";
import { compact, markdown } from "./lines.js";
import { pretty } from "./pretty.js";
import type { Reporter } from "./report.js";
import { sarif } from "./sarif.js";

export { applyEdits, disjoint } from "./edits.js";
export { describe } from "./pretty.js";
export { arrange, type CheckReport, type Medium, passes, tally, written } from "./report.js";

export const reporters = {
  pretty,
  compact,
  markdown,
  json,
  sarif,
  github,
  gitlab,
  junit,
} satisfies Record<string, Reporter>;

export type ReporterName = keyof typeof reporters;

/** Formats that must have stdout to themselves. */
export const documents: readonly ReporterName[] = ["json", "sarif", "gitlab", "junit"];
