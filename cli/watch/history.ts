/**
 * What the log of a run says so far, in bounded memory, however long the log is and whoever wrote it. Read again, it goes on where it
 * stopped. What is shown of it is the business of `page.ts`.
 */

import { constants, existsSync, lstatSync, readdirSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { isAbandoned } from "../runs/run-lock.js";
import { visibleText } from "../words/text-width.js";
import { type Curve, createCurve } from "./curve.js";

export type RunStatus = "starting" | "training" | "finished" | "interrupted" | "failed";

export interface Remark {
  readonly step: number | null;
  readonly text: string;
  /** Whether numbers broke, or the run ended. */
  readonly isTrouble: boolean;
}

export interface History {
  readonly directory: string;
  /** `loss`, `loss/<term>`, `learning rate`, `samples/s`, `gradient norm`, `waiting`, by name. */
  readonly curves: ReadonlyMap<string, Curve>;
  /** By probe and score. */
  readonly scores: ReadonlyMap<string, Curve>;
  /** The newest. */
  readonly remarks: readonly Remark[];
  readonly step: number;
  /** null: not said yet. */
  readonly totalSteps: number | null;
  readonly status: RunStatus;
  /** Names of the pictures in its folder, oldest first. */
  readonly pictures: readonly string[];
  /** Reads what has been written since. */
  readonly update: () => Promise<void>;
}

/** Bytes that are read at once, and those of the longest line that is looked at. */
const chunkSize = 2 ** 20;
const mostCurves = 64;
const mostRemarks = 100;
const longestText = 500;
export const mostPictures = 200;

export const pictureName = /^reconstruction(?:-(\d{1,15}))?\.png$/;

type Line = Readonly<Record<string, unknown>>;

/** State that a log builds up; a log that was replaced begins anew. */
interface Told {
  readonly curves: Map<string, Curve>;
  readonly scores: Map<string, Curve>;
  remarks: Remark[];
  step: number;
  totalSteps: number | null;
  end: "finished" | "interrupted" | "failed" | null;
}

const nothingTold = (): Told => ({
  curves: new Map(),
  scores: new Map(),
  remarks: [],
  step: 0,
  totalSteps: null,
  end: null,
});

export function createHistory(directory: string): History {
  const path = join(directory, "log.jsonl");
  let told = nothingTold();
  let [file, offset] = ["", 0];
  /** The begin of a line whose end is not there yet; null: a line that is too long is being left out. */
  let rest: Buffer | null = Buffer.alloc(0);
  const read = async (handle: FileHandle): Promise<void> => {
    const { dev, ino, size } = await handle.stat();
    const id = `${dev}.${ino}`;
    if (id !== file || size < offset) [told, file, offset, rest] = [nothingTold(), id, 0, Buffer.alloc(0)];
    const chunk = Buffer.alloc(chunkSize);
    while (offset < size) {
      const { bytesRead } = await handle.read(chunk, 0, chunkSize, offset);
      if (bytesRead === 0) return;
      offset += bytesRead;
      rest = linesIn(rest, chunk.subarray(0, bytesRead), (line) => tell(told, line));
    }
  };
  return {
    directory,
    get curves() {
      return told.curves;
    },
    get scores() {
      return told.scores;
    },
    get remarks() {
      return told.remarks;
    },
    get step() {
      return told.step;
    },
    get totalSteps() {
      return told.totalSteps;
    },
    get status() {
      return statusOf(directory, told);
    },
    get pictures() {
      return picturesIn(directory);
    },
    async update() {
      // Nothing is waited for that is no file: a pipe of this name might never answer.
      const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
      try {
        if (handle && (await handle.stat()).isFile()) await read(handle);
      } finally {
        await handle?.close();
      }
    },
  };
}

/** Gives whole lines to `take`, and what is left. */
function linesIn(before: Buffer | null, chunk: Buffer, take: (line: string) => void): Buffer | null {
  let rest = before;
  let from = 0;
  for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
    if (rest !== null) take(Buffer.concat([rest, chunk.subarray(from, end)]).toString("utf8"));
    rest = Buffer.alloc(0);
    from = end + 1;
  }
  if (rest === null || rest.length + chunk.length - from > chunkSize) return null;
  return Buffer.concat([rest, chunk.subarray(from)]);
}

const finite = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

const shortText = (value: unknown): string => visibleText(String(value).slice(0, longestText)).replaceAll("\n", " ");

function tell(told: Told, text: string): void {
  let line: Line;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return;
    line = parsed as Line;
  } catch {
    return;
  }
  const step = finite(line.step);
  switch (line.kind) {
    case "run":
    case "resume":
      told.totalSteps = finite(line.steps) ?? told.totalSteps;
      told.end = null;
      return;
    case "step":
      if (step !== null) tellStep(told, step, line);
      return;
    case "probe":
      for (const [score, value] of entriesOf(line.scores)) {
        add(told.scores, `${shortText(line.name)} ${score}`, step ?? told.step, null, value);
      }
      return;
    case "note":
    case "rollback":
    case "failure":
      told.remarks.push({ step: step ?? told.step, text: shortText(line.text), isTrouble: line.kind !== "note" });
      told.remarks = told.remarks.slice(-mostRemarks);
      if (line.kind === "failure") told.end = "failed";
      return;
    case "end":
      told.end = line.interrupted === false ? "finished" : "interrupted";
  }
}

function tellStep(told: Told, step: number, line: Line): void {
  told.step = step;
  told.end = null;
  const time = typeof line.time === "string" ? finite(Date.parse(line.time)) : null;
  const tell = (name: string, value: unknown) => add(told.curves, name, step, time, value);
  tell("loss", line.loss);
  const terms = entriesOf(line.terms);
  if (terms.length > 1) for (const [name, value] of terms) tell(`loss/${name}`, value);
  tell("learning rate", line.lr);
  tell("gradient norm", line.gradient_norm);
  tell("samples/s", line.images_per_second);
  tell("waiting for data", line.waiting);
}

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value)
        .slice(0, mostCurves)
        .map(([name, one]) => [shortText(name).slice(0, 100), one])
    : [];

function add(curves: Map<string, Curve>, name: string, step: number, time: number | null, value: unknown): void {
  const number = finite(value);
  if (number === null) return;
  let curve = curves.get(name);
  if (!curve) {
    if (curves.size >= mostCurves) return;
    curve = createCurve();
    curves.set(name, curve);
  }
  curve.add(step, time, number);
}

function statusOf(directory: string, { end, step }: Told): RunStatus {
  if (end !== null) return end;
  const isTraining = existsSync(join(directory, "training.lock")) && !isAbandoned(directory);
  if (isTraining) return step === 0 ? "starting" : "training";
  return "interrupted";
}

function picturesIn(directory: string): readonly string[] {
  try {
    const names = readdirSync(directory).filter(
      (name) => pictureName.test(name) && lstatSync(join(directory, name)).isFile(),
    );
    const stepOf = (name: string): number => Number(pictureName.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
    return names.sort((a, b) => stepOf(a) - stepOf(b)).slice(-mostPictures);
  } catch {
    return [];
  }
}
