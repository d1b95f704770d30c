/** `mae tokenizer`: a vocabulary made of files of text, which the data of a text model names. */

import { writeFileSync } from "node:fs";
import { checkOutput, printedPath, unwritable } from "../specs/files.js";
import { count, grouped, printJson, tell } from "../words/terminal.js";

export interface TokenizerOptions {
  readonly kind: "wordpiece" | "bytes" | "smiles" | "letters";
  readonly size: number;
  readonly cased?: boolean;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export async function tokenizer(files: readonly string[], options: TokenizerOptions): Promise<void> {
  const { kind, size, cased = false, out } = options;
  checkOutput(out, options.force ?? false);
  const { vocabularyOf } = await import("../../runtime/index.js");
  const made = await vocabularyOf(files, process.cwd(), { kind, size, cased });
  try {
    writeFileSync(out, made.json);
  } catch (error) {
    throw unwritable(out, error);
  }
  if (options.json) {
    const { json: _, ...facts } = made;
    printJson({ format_version: "1.0", file: printedPath(out), kind, ...facts });
    return;
  }
  const short = made.size < size ? `; the texts have no more than that, and ${grouped(size)} were asked for` : "";
  tell(
    `${printedPath(out)}: ${count(made.size, "id")}${short}, of ${count(made.words, "word")}, ${grouped(made.different)} different ones`,
  );
  tell(`in the model: input text(length: ..., vocabulary: ${made.size}, mask: ${made.mask})`);
}
