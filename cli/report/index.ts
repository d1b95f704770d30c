/** The reporters of `mae check`, by the name that `--reporter` takes. */

import { github } from "./github.js";
import { json } from "./json.js";
import { pretty } from "./pretty.js";
import type { Reporter } from "./report.js";
import { sarif } from "./sarif.js";

export { applyEdits, disjoint } from "./edits.js";
export { describe } from "./pretty.js";
export { arrange, type CheckReport, type Medium, passes, tally, written } from "./report.js";

export const reporters = { pretty, json, sarif, github } satisfies Record<string, Reporter>;

export type ReporterName = keyof typeof reporters;

/** Formats that must have stdout to themselves. */
export const documents: readonly ReporterName[] = ["json", "sarif"];
