/**
 * The codes of findings in `mae.config.json` and in block files, each with the reason why it matters; one page each in
 * `spec/diagnostics/`. Closed, never reused or renamed.
 */

import type { Diagnostic, Source, Span } from "../../grammar/index.js";

export const configCodes = {
  // mae.config.json
  "config/syntax": "A project's file is JSON, without comments and without a comma after the last value.",
  "config/wrong-type": "Nothing is converted silently: what is written is what is meant.",
  "config/unknown-key": "A setting that nothing reads would change nothing.",
  "config/duplicate": "Only one of the two could count.",
  "config/block-path": "A project reads the same on every machine, and runs no code but its own.",
  "config/outside-root": "A project runs no code from outside the folder of its mae.config.json.",
  "config/missing-file": "The blocks that the file defines are not known without it.",
  // Block files
  "block/syntax": "A file that cannot be read defines no blocks.",
  "block/import": "A block file stands on maelang, on files of its project, and on what is installed there.",
  "block/throws": "What a block promises is asked for whenever a model uses it.",
  "block/no-definition": "A file named in `blocks` is there for the blocks that it exports.",
  "block/name-taken": "A name stands for one block of its kind: a spec never means something else in another project.",
  "block/malformed": "Checking, documentation and the emitted program are read from the definition.",
  "block/not-exported": "The emitted program calls a layer by its name, and imports it from the file that exports it.",
  "block/wrong-result": "The rest of the model is built on what a block gives.",
} as const satisfies Readonly<Record<string, string>>;

export type ConfigCode = keyof typeof configCodes;

/** What a finding says beside its message. */
export type Words = Pick<Diagnostic, "help" | "related">;

/** An error with the reason of its code. */
export const configError = (code: ConfigCode, span: Span, message: string, words: Words = {}): Diagnostic => ({
  code,
  severity: "error",
  span,
  message,
  reason: configCodes[code],
  ...words,
});

/** A file as a whole. */
export const topOf = (source: Source): Span => ({ source, start: 0, end: 0 });
