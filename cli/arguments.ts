/** Values of options as they are written on the command line; what cannot be read says what can. */

import { InvalidArgumentError } from "commander";
import type { CheckpointInterval } from "../runtime/index.js";
import type { ReporterName } from "./report/index.js";

/** A reporter and where it writes; null: stdout. */
export interface ReporterChoice {
  readonly name: ReporterName;
  readonly file: string | null;
}

/** In the order in which they are told. */
export const reporterNames: readonly ReporterName[] = [
  "pretty",
  "compact",
  "markdown",
  "json",
  "sarif",
  "github",
  "gitlab",
  "junit",
];

export function chooseReporter(chosen: ReporterChoice[], written: string): ReporterChoice[] {
  const name = reporterNames.find((known) => known === written);
  if (!name) throw new InvalidArgumentError(`It is one of ${reporterNames.join(", ")}.`);
  chosen.push({ name, file: null });
  return chosen;
}

export function chooseFile(chosen: ReporterChoice[], file: string): ReporterChoice[] {
  const last = chosen.pop();
  if (!last || last.file !== null) throw new InvalidArgumentError("Name its reporter before it: --reporter sarif.");
  chosen.push({ ...last, file });
  return chosen;
}

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (written: string) => number {
  return (written) => {
    const value = Number(written);
    if (!/^\d+$/.test(written) || value < least || value > most) {
      const range = value > most ? `, at most ${most}` : `, at least ${least}`;
      throw new InvalidArgumentError(`It is a whole number${range}.`);
    }
    return value;
  };
}

/** Such numbers joined by commas. */
export function wholeNumbers(least: number): (written: string) => readonly number[] {
  const one = wholeNumber(least);
  return (written) => written.split(",").map((part) => one(part.trim()));
}

/** A number that is not negative, such as a temperature. */
export function amount(written: string): number {
  const value = Number(written);
  if (!/^\d+(\.\d+)?$/.test(written) || !Number.isFinite(value))
    throw new InvalidArgumentError("It is a number, zero or more.");
  return value;
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600 };

/** `500 steps`, `2 epochs`, `10 min`; a number alone counts steps. */
export function checkpointInterval(written: string): CheckpointInterval {
  const [, digits, unit = "steps"] = /^(\d+(?:\.\d+)?) *(steps?|epochs?|s|min|h)?$/.exec(written.trim()) ?? [];
  const amount = Number(digits);
  const isWhole = Number.isSafeInteger(amount);
  if (!(amount > 0) || (unit.startsWith("step") && !isWhole)) {
    throw new InvalidArgumentError('It is a number with a unit: "500 steps", "2 epochs", "30 s", "10 min" or "2 h".');
  }
  if (unit.startsWith("step")) return { steps: amount };
  return unit.startsWith("epoch") ? { epochs: amount } : { seconds: amount * (secondsIn[unit] as number) };
}

/** `90 s`, `10 min`: seconds. */
export function timeSpan(written: string): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?) *(s|min|h)$/.exec(written.trim()) ?? [];
  const seconds = Number(digits) * (secondsIn[unit] ?? 0);
  if (!(seconds >= 1 && seconds <= longestSpan))
    throw new InvalidArgumentError('It is a time from a second to a week: "90 s", "10 min" or "2 h".');
  return seconds;
}

/** Seconds; timers count no more than some weeks. */
const longestSpan = 7 * 24 * 3600;

/** Bytes. */
export function memorySize(written: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) *(MiB|GiB|TiB)$/i.exec(written) ?? [];
  if (amount === undefined || unit === undefined || Number(amount) === 0) {
    throw new InvalidArgumentError("It is a size like 16GiB or 512MiB.");
  }
  return Number(amount) * 2 ** { mib: 20, gib: 30, tib: 40 }[unit.toLowerCase() as "mib" | "gib" | "tib"];
}

export function listOfWords(written: string): string[] {
  const words = written.split(",").map((word) => word.trim());
  if (words.includes("")) throw new InvalidArgumentError("It is a list of names joined by commas.");
  return words;
}

/** Blocks joined by commas, each a name or a name with arguments: `knn, linear(epochs: 10, batch: 64)`. */
export function listOfBlocks(written: string): string[] {
  const blocks =
    written.match(/(?:[^,("]|"[^"]*"|\((?:[^()"]|"[^"]*"|\([^()]*\))*\))+/g)?.map((block) => block.trim()) ?? [];
  if (blocks.includes("") || blocks.join().replace(/\s/g, "") !== written.replace(/\s/g, "")) {
    throw new InvalidArgumentError("It is a list of blocks joined by commas, such as knn,linear(epochs: 10).");
  }
  return blocks;
}
