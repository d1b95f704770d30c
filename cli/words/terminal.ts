/**
 * What the command line knows of the terminal: colours, width, the two output streams. Results go to stdout, words
 * for people about the work to stderr, so that stdout can always be piped.
 */

import picocolors from "picocolors";
import { type Output, ofSession, streams } from "../session.js";
import { printable } from "./text-width.js";

export type Colors = ReturnType<typeof picocolors.createColors>;

/** What `--color` / `--no-color` said; null: neither. */
const forced = ofSession((): { wanted: boolean | null } => ({ wanted: null }));

/** Settles colours for the whole call. */
export function forceColor(wanted: boolean | null): void {
  forced().wanted = wanted;
}

/** The flag wins, then NO_COLOR, then FORCE_COLOR, then whether the stream is a terminal that can. */
function wantsColor(stream: Output, env: NodeJS.ProcessEnv = process.env): boolean {
  const { wanted } = forced();
  if (wanted !== null) return wanted;
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0";
  return stream.isTTY === true && env.TERM !== "dumb";
}

/** Colours for stdout. */
export const stdoutColors = (): Colors => picocolors.createColors(wantsColor(streams().stdout));

/** Colours for stderr. */
export const stderrColors = (): Colors => picocolors.createColors(wantsColor(streams().stderr));

/** No colours, for files. */
export const plainColors = (): Colors => picocolors.createColors(false);

/** Writes a result; nothing of the user's in it reaches a terminal as a command. */
export function print(text: string): void {
  streams().stdout.write(printable(text));
}

/** Writes a text of the user as it is, for the program that asked for it. */
export function printExact(text: string): void {
  streams().stdout.write(text);
}

/** Writes a line for people. */
export function tell(line: string): void {
  streams().stderr.write(`${printable(line)}\n`);
}

/** A value as JSON, with escapes for what a terminal would obey; two-space indented, or on one line. */
export const jsonText = (value: unknown, indent: 0 | 2 = 2): string =>
  JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** Writes a value as JSON to stdout: a document of its own, or one line of many. */
export function printJson(value: unknown, indent: 0 | 2 = 2): void {
  print(`${jsonText(value, indent)}\n`);
}

/** A reader that went away (`mae check | head`), or a terminal, is no failure of ours: the rest has no one to go to. */
const gone: readonly string[] = ["EPIPE", "EIO", "ERR_STREAM_DESTROYED"];

let lost: Error | null = null;

/** Why some of the results could not be written, as on a full disk; null: they were. The work goes on meanwhile. */
export const lostOutput = (): Error | null => lost;

/** From now on an output that cannot be written ends nothing: what is lost is known by `lostOutput`. */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // What stderr says has nowhere else to go.
      if (stream === process.stdout && !gone.includes(error.code ?? "")) lost ??= error;
    });
  }
}

/** Resolves when everything written to stdout has left this process, or can no longer. */
export function drained(): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout.destroyed) resolve();
    else process.stdout.write("", () => resolve());
  });
}

/** 1234567 -> 1,234,567. `toLocaleString` would load tables of all languages first, which takes longer than a check. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** Columns of the terminal that stdout is; what is written elsewhere is not wrapped. */
export const stdoutColumns = (): number => streams().stdout.columns ?? Number.POSITIVE_INFINITY;

/** "1 file", "3 files". */
export const count = (n: number, word: string): string => `${grouped(n)} ${word}${n === 1 ? "" : "s"}`;

/** 0.9321 -> "93.21 %". */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
