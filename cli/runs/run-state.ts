/** How far a run has come, read from its log: for those who look at several runs without opening any. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { printedPath } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { isAbandoned } from "./run-lock.js";

export interface RunState {
  /** Whether there is a checkpoint to go on from. */
  readonly saved: boolean;
  /** Whether it ended by itself with all that belongs to it, not by an interruption. */
  readonly finished: boolean;
  /** Why it ended where going on would end it again; null: it did not. */
  readonly failure: string | null;
  /** Steps done. */
  readonly step: number;
  /** Mean loss of the last steps, `lossSteps` of them at most; null before the first, and where the run failed. */
  readonly loss: number | null;
  /** The last scores of each probe, as `probe score`; null: not a finite number. */
  readonly scores: Readonly<Record<string, number | null>>;
}

/** Over how many steps the loss is averaged: one batch by itself says little. */
export const lossSteps = 20;

const nothing: RunState = { saved: false, finished: false, failure: null, step: 0, loss: null, scores: {} };

type Line = Readonly<Record<string, unknown>>;

const pathOfLog = (directory: string): string => join(directory, "log.jsonl");

const damaged = (path: string) =>
  runFailure(`${printedPath(path)} is damaged`, { help: "restore it, or train again with --force" });

/** The text of a run's log; "" where there is none. Throws a `Failure` where it cannot be read, or is longer than a text can be. */
export function readLog(directory: string): string {
  const path = pathOfLog(directory);
  if (!existsSync(path)) return "";
  try {
    if (statSync(path).isFile()) return readFileSync(path, "utf8");
  } catch {
    // Said below.
  }
  throw damaged(path);
}

/** Throws a `Failure` where the log is there and cannot be read. A folder without one is a run that has not begun. */
export function readRunState(directory: string): RunState {
  const lines = readLog(directory)
    .split("\n")
    .filter(Boolean)
    .map((line, i, all) => parsed(line, pathOfLog(directory), i === all.length - 1));
  if (lines.length === 0) return nothing;
  const steps = lines.filter(({ kind }) => kind === "step");
  const losses = steps.slice(-lossSteps).map(({ loss }) => Number(loss));
  const isEnd = ({ kind }: Line): boolean => ["end", "run", "resume", "failure"].includes(String(kind));
  const end = lines.findLast(isEnd);
  const failed = end?.kind === "failure" && isFinal(end.code);
  return {
    saved: readdirSync(directory).some((name) => /^checkpoint-\d+\.safetensors$/.test(name)),
    finished: end?.kind === "end" && end.interrupted === false && !isAbandoned(directory),
    failure: failed ? String(end.text) : null,
    step: wholeOf(steps.at(-1)?.step),
    loss: losses.length === 0 || failed ? null : losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    scores: Object.fromEntries(lines.filter(({ kind }) => kind === "probe").flatMap(scoresOf)),
  };
}

/** Steps that a line tells; 0 where it tells no such number. */
const wholeOf = (value: unknown): number => (Number.isSafeInteger(value) ? Math.max(0, value as number) : 0);

/** A line that a killed run left half written is the last, and says nothing. */
function parsed(line: string, path: string, isLast: boolean): Line {
  let value: unknown = null;
  try {
    value = JSON.parse(line);
  } catch {
    if (isLast) return {};
  }
  if (typeof value === "object" && value !== null) return value as Line;
  throw damaged(path);
}

/** The log has words for what is no finite number: "NaN". */
const scoresOf = ({ name, scores }: Line): readonly (readonly [string, number | null])[] =>
  Object.entries((scores ?? {}) as Readonly<Record<string, unknown>>).map(([score, value]) => [
    `${name} ${score}`,
    typeof value === "number" ? value : null,
  ]);

/** Numbers that break do so again: a run goes on bit for bit as it went. */
const isFinal = (code: unknown): boolean =>
  ["run/loss-not-finite", "run/gradient-not-finite", "run/weights-not-finite"].includes(String(code));

/** What an error says that ends one run and leaves others sound; null: it is another error. */
export async function whatFailed(error: unknown): Promise<string | null> {
  const { RunError } = await import("../../runtime/index.js");
  return error instanceof RunError && isFinal(error.code) ? error.message : null;
}
