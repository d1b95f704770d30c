/** The run's log: JSON lines, one a step, so that any tool can draw it. A continued run drops what its checkpoint does not know. */

import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { partialSuffix, unwritable } from "../checkpoint/whole-file.js";
import { systemCode } from "../run-error.js";

export const logName = "log.jsonl";

/** `kind` says what a line is: `run`, `resume`, `step`, `probe`, `note`, `failure`, `end`. Lines of a step carry `step`. */
export interface LogLine {
  readonly kind: string;
  readonly step?: number;
  readonly [field: string]: unknown;
}

export interface Log {
  write(line: LogLine): void;
  close(): void;
}

/** Of a host that keeps none. */
export const noLog: Log = { write: () => {}, close: () => {} };

/** Opens the log of a run, to go on with it or anew. Throws `run/unwritable` or `run/disk-full`, as does writing. */
export function openLog(directory: string, goOn: boolean): Log {
  const path = join(directory, logName);
  const guarded = <R>(act: () => R): R => {
    try {
      return act();
    } catch (error) {
      throw unwritable(path, error);
    }
  };
  const file = guarded(() => {
    mkdirSync(directory, { recursive: true });
    return openSync(path, goOn ? "a" : "w");
  });
  return {
    write: (line) => {
      guarded(() => writeSync(file, `${JSON.stringify(line, plainNumber)}\n`));
    },
    close: () => closeSync(file),
  };
}

/** JSON has no NaN and no infinity. */
const plainNumber = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

/** Drops the lines of steps beyond `step`, and a line that a killed run left half written. Gives the others. */
export async function rewindLog(directory: string, step: number): Promise<readonly LogLine[]> {
  const path = join(directory, logName);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw unwritable(path, error);
  }
  const lines = text.split("\n").flatMap((text) => {
    const line = lineOf(text);
    return line !== null && (line.step ?? 0) <= step ? [{ text, line }] : [];
  });
  try {
    await writeFile(path + partialSuffix, lines.map(({ text }) => `${text}\n`).join(""));
    await rename(path + partialSuffix, path);
  } catch (error) {
    throw unwritable(path, error);
  }
  return lines.map(({ line }) => line);
}

/** Null for what is no line of a log. */
function lineOf(text: string): LogLine | null {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === "object" && line !== null ? (line as LogLine) : null;
  } catch {
    return null;
  }
}
