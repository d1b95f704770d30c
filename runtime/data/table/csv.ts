/**
 * Numbers in files of comma-separated values (RFC 4180): one line for each row, and perhaps a first line with the names of the
 * columns. What is no table of numbers is told with its line and column.
 */

import { cellsOf, counted, grouped } from "../../../blocks/index.js";
import { type PlainFile, readBytes } from "../../plain-file.js";
import { BrokenRecording, inMemory, type Recording } from "../recording/recording.js";

interface Table {
  readonly rows: number;
  readonly columns: number;
  /** Of the columns; null: the file has no line of names. */
  readonly names: readonly string[] | null;
  /** [rows, columns] */
  readonly values: Float32Array;
}

/** Larger files are not read. */
const largestFile = 64 * 2 ** 20;
/** The largest number of single precision. */
const maxFloat = 2 ** 128 - 2 ** 104;

const number = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;
const byteOrderMark = "\uFEFF";

/** A row for each time, a column for each channel. Throws `BrokenRecording` for what is no table of numbers. */
export async function openTable({ file, size }: PlainFile): Promise<Recording> {
  if (size > largestFile) throw new BrokenRecording("it has more than 64 MiB; save it in pieces, or as WFDB or EDF");
  const { rows, columns, names, values } = tableOf(new TextDecoder().decode(await readBytes(file, 0, size)));
  const channels = Array.from({ length: columns }, (_, c) =>
    Float32Array.from({ length: rows }, (_, t) => values[t * columns + c] as number),
  );
  return inMemory(channels, { rate: null, names });
}

function tableOf(text: string): Table {
  const lines = (text.startsWith(byteOrderMark) ? text.slice(1) : text).split(/\r\n|\n|\r/);
  while (lines.at(-1)?.trim() === "") lines.pop();
  if (lines.length === 0) throw new BrokenRecording("it is empty");
  const valuesOf = (at: number): readonly string[] => {
    const cells = cellsOf(lines[at] as string);
    if (cells === null) throw new BrokenRecording(`line ${grouped(at + 1)} has a quote that is not closed`);
    return cells.map((cell) => cell.trim());
  };
  const first = valuesOf(0);
  // Names where nothing in the line is a number: a line with one number has lost the others.
  const names = first.some((cell) => number.test(cell)) || first.every((cell) => cell === "") ? null : first;
  const begin = names === null ? 0 : 1;
  const [rows, columns] = [lines.length - begin, first.length];
  if (rows === 0) throw new BrokenRecording(`it has the names of ${counted(columns, "column")} and no numbers`);
  // Each number takes a character and one more, so that lines of unequal lengths take no memory for what they lack.
  const values = new Float32Array(Math.min(rows * columns, Math.ceil((text.length + 1) / 2)));
  for (let row = 0; row < rows; row++) {
    const at = row + begin;
    const cells = valuesOf(at);
    if (cells.length !== columns) throw new BrokenRecording(unequal(at, cells, columns));
    for (let column = 0; column < columns; column++) {
      const cell = cells[column] as string;
      const value = number.test(cell) ? Number(cell) : Number.NaN;
      if (!(Math.abs(value) <= maxFloat)) throw new BrokenRecording(noNumber(cell, at, column, names));
      values[row * columns + column] = value;
    }
  }
  return { rows, columns, names, values };
}

function unequal(at: number, cells: readonly string[], columns: number): string {
  const line = `line ${grouped(at + 1)}`;
  if (cells.length === 1 && cells[0] === "") return `${line} is empty`;
  return `${line} has ${counted(cells.length, "value")}, and line 1 has ${columns}`;
}

function noNumber(cell: string, at: number, column: number, names: readonly string[] | null): string {
  const name = names?.[column];
  const place = `line ${grouped(at + 1)}, column ${grouped(column + 1)}${name ? ` (${name})` : ""}`;
  if (cell === "") return `${place} has no value`;
  if (number.test(cell)) return `${place} is ${cell}, more than single precision holds`;
  const separator = [";", "\t"].find((one) => cell.includes(one));
  const hint =
    separator && `; columns are separated by commas, and not by ${separator === ";" ? "semicolons" : "tabs"}`;
  return `${place} is \`${beginning(cell)}\`, which is no number${hint ?? ""}`;
}

const beginning = (cell: string): string => (cell.length > 40 ? `${cell.slice(0, 40)}...` : cell);
