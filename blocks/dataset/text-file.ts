/** Files of text: their lines, and texts of several lines. UTF-8 is asked for, and a line may not be without end. */

import { grouped } from "../wording.js";
import { DataError, type Files } from "./contract.js";

/** Characters of the longest line that is taken for a text. */
const longestLine = 2 ** 20;

/** The lines of a file that are not empty, which are read when they are asked for. */
export interface Lines {
  readonly count: number;
  readonly line: (i: number) => string;
  /** The number of the line in its file, from 1. */
  readonly number: (i: number) => number;
  /** Whether an empty line stands between this one and the one before. */
  readonly begins: (i: number) => boolean;
}

/** Throws `DataError` for a file that is no UTF-8, or has a line without end. */
export async function readLines(files: Files, path: string): Promise<Lines> {
  const bytes = await files.read(path);
  if (bytes.length >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))) {
    throw new DataError(`${path} is in UTF-16`, "Save it in UTF-8: iconv -f UTF-16 -t UTF-8 does.");
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const starts: number[] = [];
  const ends: number[] = [];
  const numbers: number[] = [];
  const begins: boolean[] = [];
  let afterEmpty = true;
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    if (end - start > 4 * longestLine) throw endless(path, number, end - start);
    const text = decoded(decoder, bytes.subarray(start, end), path, number).trim();
    if (text.length > longestLine) throw endless(path, number, text.length);
    if (text !== "") {
      starts.push(start);
      ends.push(end);
      numbers.push(number);
      begins.push(afterEmpty);
    }
    afterEmpty = text === "";
    start = end + 1;
  }
  return {
    count: starts.length,
    line: (i) => decoded(decoder, bytes.subarray(starts[i], ends[i]), path, numbers[i] as number).trim(),
    number: (i) => numbers[i] as number,
    begins: (i) => begins[i] as boolean,
  };
}

const newline = 10;

function decoded(decoder: TextDecoder, bytes: Uint8Array, path: string, line: number): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new DataError(
      `${path} line ${line} is not UTF-8`,
      "Save the file in UTF-8: iconv -f LATIN1 -t UTF-8 does of Latin 1.",
    );
  }
}

const endless = (path: string, line: number, length: number): DataError =>
  new DataError(
    `${path} line ${line} has ${grouped(length)} characters`,
    "Write a text a line, and at most a million characters in each.",
  );
