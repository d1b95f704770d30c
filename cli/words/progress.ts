/**
 * How a training run shows itself: one live line on a terminal, a line every few seconds where there is none, JSON
 * lines for scripts. The wording is pure, so that it can be tested without a terminal.
 */

import { stripVTControlCharacters } from "node:util";
import type { TrainEvent } from "../../runtime/index.js";
import { streams } from "../session.js";
import { type Colors, count, grouped, printJson, stderrColors, tell } from "./terminal.js";
import { displayWidth } from "./text-width.js";

export type StepEvent = Extract<TrainEvent, { readonly kind: "step" }>;
export type Progress = (event: TrainEvent) => void;

/** Between redraws of the live line, in milliseconds: 10 Hz. */
const redrawAfter = 100;
/** Between lines where nothing can be redrawn, in milliseconds. */
const lineAfter = 5000;

/** Each event as one line of JSON on stdout, its fields in the spelling of all our documents: `total_steps`. */
export const jsonProgress: Progress = (event) => printJson(eventJson(event), 0);

/** An event as scripts read it. */
export const eventJson = (event: TrainEvent): object =>
  Object.fromEntries(Object.entries(event).map(([name, value]) => [snakeCase(name), value]));

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A live line on a terminal, plain lines elsewhere; both on stderr. `sample`: what one is called. */
export function createProgress(sample: string, clock: () => number = () => performance.now()): Progress {
  return streams().stderr.isTTY ? liveProgress(sample, clock) : plainProgress(sample, clock);
}

function liveProgress(sample: string, clock: () => number): Progress {
  const colors = stderrColors();
  let drawn = Number.NEGATIVE_INFINITY;
  let total = 0;
  let open = false;
  const draw = (step: StepEvent) => {
    streams().stderr.write(`\r\u001b[2K${liveLine(step, { total, sample }, streams().stderr.columns ?? 80, colors)}`);
    open = true;
  };
  const say = (line: string) => {
    if (open) streams().stderr.write("\r\u001b[2K");
    open = false;
    tell(line);
  };
  let last: StepEvent | null = null;
  return (event) => {
    if (event.kind === "start") total = event.totalSteps;
    if (event.kind === "step") {
      last = event;
      if (clock() - drawn < redrawAfter && event.step < total) return;
      drawn = clock();
      draw(event);
      return;
    }
    if (event.kind === "compiling") {
      streams().stderr.write(`\r\u001b[2K${compilingText(event.seconds)}`);
      open = true;
      return;
    }
    // The last state of the line stays on the screen above what comes next.
    if (event.kind === "end" && last) {
      draw(last);
      streams().stderr.write("\n");
      open = false;
    }
    for (const line of eventLines(event)) say(line);
  };
}

function plainProgress(sample: string, clock: () => number): Progress {
  let written = Number.NEGATIVE_INFINITY;
  let total = 0;
  return (event) => {
    if (event.kind === "start") total = event.totalSteps;
    if (event.kind === "step") {
      if (clock() - written < lineAfter && event.step < total) return;
      written = clock();
      tell(plainLine(event, { total, sample }));
      return;
    }
    if (event.kind === "compiling") {
      if (clock() - written < lineAfter) return;
      written = clock();
      tell(compilingText(event.seconds));
      return;
    }
    for (const line of eventLines(event)) tell(line);
  };
}

const compilingText = (seconds: number): string => `compiling the step: ${duration(seconds)}`;

/** Stages of a longer computation: a live line on a terminal, a line every few seconds elsewhere. */
export interface Stages {
  readonly show: (progress: { readonly stage: string; readonly done: number; readonly total: number | null }) => void;
  /** Takes the live line away. */
  readonly end: () => void;
}

export function createStages(clock: () => number = () => performance.now()): Stages {
  const live = streams().stderr.isTTY === true;
  let drawn = Number.NEGATIVE_INFINITY;
  let stage = "";
  return {
    show(progress) {
      stage = progress.stage;
      if (clock() - drawn < (live ? redrawAfter : lineAfter)) return;
      drawn = clock();
      const of = progress.total === null ? "" : ` of ${grouped(progress.total)}`;
      const line = `${stage}: ${grouped(progress.done)}${of}`;
      if (live) streams().stderr.write(`\r\u001b[2K${line}`);
      else tell(line);
    },
    end() {
      if (live && stage !== "") streams().stderr.write("\r\u001b[2K");
      stage = "";
    },
  };
}

/** What events other than steps say. Saved checkpoints are part of the log, not of the screen. */
export function eventLines(event: TrainEvent): string[] {
  switch (event.kind) {
    case "start": {
      const from = event.step > 0 ? `, going on from step ${event.step}` : "";
      const size = `${count(event.parameters, "parameter")}, ${count(event.samples, "sample")}`;
      return [`${size}, ${count(event.totalSteps, "step")}${from}`, ...event.notes];
    }
    case "probe": {
      const scores = Object.entries(event.scores).map(([name, value]) => `${name} ${shortNumber(value)}`);
      return [`${event.name} at step ${event.step}: ${scores.join(", ")}`];
    }
    case "note":
      return [event.text];
    case "checkpoint":
    case "compiling":
    case "picture":
    case "step":
    case "end":
      return [];
  }
}

/** What a step is one of: how many there are, and what a sample is called. */
export interface Course {
  readonly total: number;
  readonly sample: string;
}

/** The parts of a step in order of importance; the live line drops from the end what does not fit. */
function parts(step: StepEvent, sample: string, colors: Colors): string[] {
  return [
    `loss ${colors.bold(shortNumber(step.loss))}`,
    `${duration(step.secondsLeft)} left`,
    ...terms(step),
    `${shortNumber(step.imagesPerSecond)} ${sample}s/s`,
    `lr ${step.lr.toExponential(2)}`,
    `waiting ${(step.waiting * 100).toFixed(0)}%`,
    `${(step.memoryBytes / 2 ** 20).toFixed(0)} MiB`,
  ];
}

/** `mse 0.98`, of a loss that is a sum: what several phases or objectives pay, each before its weight. */
function terms({ terms }: StepEvent): readonly string[] {
  const all = Object.entries(terms);
  return all.length > 1 ? all.map(([name, value]) => `${name} ${shortNumber(value)}`) : [];
}

/** `████░░░░ 120/1000  loss 0.412  ...`, never wider than the terminal. */
export function liveLine(step: StepEvent, { total, sample }: Course, columns: number, colors: Colors): string {
  const where = `${step.step}/${total}`;
  const room = Math.max(20, columns) - 1;
  const bar = room >= 70 ? `${progressBar(step.step / Math.max(1, total), 16, colors)} ` : "";
  let line = `${bar}${where}`;
  for (const part of parts(step, sample, colors)) {
    const longer = `${line}  ${part}`;
    if (displayWidth(stripVTControlCharacters(longer)) > room) break;
    line = longer;
  }
  return line;
}

/** One line of a log that a person reads. */
export function plainLine(step: StepEvent, { total, sample }: Course): string {
  const percent = `${((100 * step.step) / Math.max(1, total)).toFixed(1)}%`;
  const [loss = "", left = "", ...rest] = parts(step, sample, { ...stderrColors(), bold: String });
  return [`step ${step.step}/${total} (${percent})`, loss, ...rest, left].join("  ");
}

function progressBar(share: number, width: number, colors: Colors): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return colors.cyan("█".repeat(full)) + colors.dim("░".repeat(width - full));
}

/** Four digits that matter. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2);
  return size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

/** `2 h 05 min`, `3 min 20 s`, `12 s`; seconds in. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown time";
  const whole = Math.max(0, Math.round(seconds));
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h} h ${String(min).padStart(2, "0")} min`;
  return min > 0 ? `${min} min ${String(s).padStart(2, "0")} s` : `${s} s`;
}
