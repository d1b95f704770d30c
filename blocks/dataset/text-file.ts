/** Files of text: their lines, and texts of several lines. UTF-8 is asked for, and a line may not be without end. */

import { grouped } from "../wording.js";
import { DataError, type Files } from "./contract.js";

/** Characters of the longest line that is taken for a text. */
const longestLine = 2 ** 20;
/** Bytes that tell the encoding. */
const lookedAt = 4096;

/** The lines of a file that are not empty, which are read when they are asked for. */
export interface Lines {
  readonly count: number;
  readonly line: (i: number) => string;
  /** The number of the line in its file, from 1. */
  readonly number: (i: number) => number;
  /** Whether an empty line stands between this one and the one before. */
  readonly begins: (i: number) => boolean;
}

/** Throws `DataError` for bytes in UTF-16: with its mark, or with a 0 in every other byte or so, as letters of Latin have there. */
export function checkEncoding(bytes: Uint8Array, path: string): void {
  const [first, second] = bytes;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const beginning = bytes.subarray(0, lookedAt);
  const zeros = beginning.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  if (!isMarked && zeros <= beginning.length / 4) return;
  throw new DataError(
    isMarked ? `${path} is in UTF-16` : `${path} seems to be in UTF-16: it has a 0 in every other byte or so`,
    `Save it in UTF-8: iconv -f UTF-16${isMarked ? "" : first === 0 ? "BE" : "LE"} -t UTF-8 does.`,
  );
}

/** Throws `DataError` for a file that is no UTF-8, has a line without end, or is FASTQ, whose every second line is no text. */
export async function readLines(files: Files, path: string): Promise<Lines> {
  const bytes = await files.read(path);
  checkEncoding(bytes, path);
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
  const lines: Lines = {
    count: starts.length,
    line: (i) => decoded(decoder, bytes.subarray(starts[i], ends[i]), path, numbers[i] as number).trim(),
    number: (i) => numbers[i] as number,
    begins: (i) => begins[i] as boolean,
  };
  if (isFastq(lines)) {
    throw new DataError(
      `${path} is FASTQ, whose sequences stand among names and qualities`,
      "Make FASTA of it: seqtk seq -A does, or seqkit fq2fa.",
    );
  }
  return lines;
}

/** Whether the first record is one of FASTQ: a name behind @, a sequence, a line that begins with +, and a letter for the quality of each of the sequence. */
const isFastq = ({ count, line }: Lines): boolean =>
  count >= 4 && line(0).startsWith("@") && line(2).startsWith("+") && line(1).length === line(3).length;

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
