/** `mae columns`: what the columns of a table are, as the input of a model writes them. */

import { columnsText } from "../../blocks/index.js";
import { printedPath } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { count, grouped, print, printJson, tell } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";

export interface ColumnsOptions {
  readonly without?: string;
  readonly names?: string;
  readonly json?: boolean;
}

/** Columns that are told to be left out. */
const mostTold = 20;

const listOf = (names: string): readonly string[] => names.split(",").map((name) => name.trim());

export async function columns(file: string, options: ColumnsOptions): Promise<void> {
  const { describeTable } = await import("../../runtime/index.js");
  const { without, names, json } = options;
  const described = await describeTable(file, process.cwd(), {
    without: without === undefined ? [] : listOf(without),
    names: names === undefined ? null : listOf(names),
  });
  const text = columnsText(described.columns);
  if (json) {
    printJson({ format_version: "1.0", file: printedPath(file), ...described, text });
    return;
  }
  for (const { name, why } of described.left.slice(0, mostTold)) tell(`left out ${visibleText(name)}: ${why}`);
  if (described.left.length > mostTold) tell(`left out ${count(described.left.length - mostTold, "column")} more`);
  for (const note of described.notes) tell(visibleText(note));
  if (described.columns.length === 0) {
    throw runFailure(`no column of ${printedPath(file)} can be read by a model`, {
      help: "name a table with a line of names and rows of different values below",
    });
  }
  tell(`${printedPath(file)}: ${grouped(described.rows)} rows, ${count(described.columns.length, "column")}`);
  print(`table(columns: ${JSON.stringify(text)})\n`);
}
