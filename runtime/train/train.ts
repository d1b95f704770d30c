/**
 * Trains a program: batch, step, metrics, checkpoints, probes. One loop for all methods; what differs between them is in
 * the program's graph. All randomness is a function of seed, epoch, step and sample, so a continued run equals one that
 * was never interrupted, bit for bit.
 */

import { type ModelProgram, namedParameters } from "../../blocks/index.js";
import type { StateSlot, Values } from "../../graph/index.js";
import { averageName } from "../checkpoint/stored.js";
import type { TrainingBatches } from "../data/batches.js";
import type { Session } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import type { CheckpointInterval, Training, TrainOptions, TrainResult } from "./contract.js";
import { type BadStep, explainBadLoss } from "./failure.js";
import { type Length, learningRate, type Pace, paceMeter } from "./pace.js";
import { openBatches, openRun, type Run, type Saved, save } from "./run.js";
import { runStep, stepFeeds, untilAborted } from "./run-step.js";
import { gradientNormOutput, lossOutput, termPrefix } from "./step.js";

/**
 * Trains until the recipe's end or until the signal is aborted; the last state is always saved.
 *
 * @throws RunError `run/data`, `run/too-few-samples`, `run/run-exists`, `run/checkpoint-missing`,
 *   `run/checkpoint-mismatch`, `run/resume-mismatch`, `run/loss-not-finite`, `run/weights-not-finite`, and what reading
 *   data, writing files and the executor throw. Checkpoints that were saved before stay whole.
 */
export async function train(program: ModelProgram, training: Training, options: TrainOptions): Promise<TrainResult> {
  const { run, saved } = await openRun(program, training, options);
  let batches: TrainingBatches | null = null;
  try {
    const opening = openBatches(run, saved.step);
    batches = await untilAborted(opening, options.signal);
    if (batches === null) opening.then((late) => late.close()).catch(() => undefined);
    return await loop(run, saved, batches);
  } catch (error) {
    if (error instanceof RunError) run.log.write({ kind: "failure", code: error.code, text: error.message });
    throw error;
  } finally {
    await batches?.close();
    await run.session.close();
    run.log.close();
  }
}

/** `batches`: null where the run is to end before they are open. */
async function loop(run: Run, start: Saved, batches: TrainingBatches | null): Promise<TrainResult> {
  const { options, length, training } = run;
  const meter = paceMeter(training.batch);
  const isSaveDue = saveMeter(options.checkpointEvery, length);
  if (training.evaluate.length > 0 && options.probe === undefined) {
    options.report({ kind: "note", text: "The recipe's evaluations are left out: nothing here can run them." });
  }
  let saved = start;
  let { step } = start;
  let loss: number | null = null;
  // The run may have been ended between a checkpoint and the probes of its step.
  if (step > 0) await probe(run, step, run.probed);
  while (batches !== null && step < length.totalSteps && !options.signal.aborted) {
    const began = performance.now();
    const feeds = stepFeeds(run, batches, step);
    const outputs = await runStep(run, feeds);
    if (outputs === null) break;
    step += 1;
    loss = single(outputs, lossOutput);
    const pace = meter((performance.now() - began) / 1000, feeds.waited() / 1000, length.totalSteps - step);
    const bad = notFinite(outputs);
    if (bad !== null) throw await explainBadLoss(run, saved, { step, ...bad, pace });
    tell(run, step, Math.floor((step - 1) / length.stepsPerEpoch), outputs, pace);
    if (isSaveDue(step)) saved = await save(run, step);
    await probe(run, step, []);
  }
  if (saved.step !== step) saved = await save(run, step);
  // Aborted in its last step, too: probes of it were left out, and whoever trains several runs is to stop.
  const interrupted = step < length.totalSteps || options.signal.aborted;
  run.log.write({ kind: "end", step, loss, interrupted });
  options.report({ kind: "end", step, loss: loss ?? NaN, interrupted });
  return { step, loss, interrupted, checkpoint: saved.path };
}

/** Tells of each step in turn whether it is to be saved. */
function saveMeter(
  { steps, epochs, seconds }: CheckpointInterval,
  { stepsPerEpoch }: Length,
): (step: number) => boolean {
  const inSteps = [steps, epochs && Math.max(1, Math.round(epochs * stepsPerEpoch))].filter((n) => n !== undefined);
  let last = performance.now();
  return (step) => {
    const now = performance.now();
    const isDue = inSteps.some((n) => step % n === 0) || (seconds !== undefined && now - last >= seconds * 1000);
    if (isDue) last = now;
    return isDue;
  };
}

/** The loss, or a term of it: a later phase may break where the model's own loss still is finite. null: all are well. */
function notFinite(outputs: Values): Pick<BadStep, "term" | "value"> | null {
  const terms = Object.keys(outputs).filter((name) => name.startsWith(termPrefix));
  const bad = [lossOutput, ...terms].find((name) => !Number.isFinite(single(outputs, name)));
  if (bad === undefined) return null;
  return { term: bad === lossOutput ? null : bad.slice(termPrefix.length), value: single(outputs, bad) };
}

/** A scalar output. */
const single = (outputs: Values, name: string): number => outputs[name]?.[0] as number;

/** Writes a step's line and reports it. */
function tell(run: Run, step: number, epoch: number, outputs: Values, pace: Pace): void {
  const { training, length, log, options, session } = run;
  const terms = Object.fromEntries(
    Object.keys(outputs)
      .filter((name) => name.startsWith(termPrefix))
      .map((name) => [name.slice(termPrefix.length), single(outputs, name)]),
  );
  const loss = single(outputs, lossOutput);
  const lr = learningRate(training, step - 1, length);
  const memoryBytes = session.memory().bytes;
  log.write({
    kind: "step",
    step,
    epoch,
    loss,
    terms,
    lr,
    ...(gradientNormOutput in outputs ? { gradient_norm: single(outputs, gradientNormOutput) } : {}),
    images_per_second: pace.imagesPerSecond,
    waiting: pace.waiting,
    memory_bytes: memoryBytes,
    time: new Date().toISOString(),
  });
  options.report({ kind: "step", step, epoch, loss, terms, lr, memoryBytes, ...pace });
}

/**
 * Runs the recipe's `evaluate` lines that are due, but those that have been `done` already. One that cannot be run, or is
 * interrupted, is told, and training goes on.
 */
async function probe(run: Run, step: number, done: readonly string[]): Promise<void> {
  const { program, training, options, length, session, log } = run;
  const left = [...done];
  const due = training.evaluate.filter(({ every, probe }) => {
    if (!isDue(every, step, length)) return false;
    const at = left.indexOf(probe.definition.name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  if (due.length === 0 || options.probe === undefined) return;
  const weights = await judgedWeights(program, run.step.slots, session);
  for (const { probe } of due) {
    const { name } = probe.definition;
    const leaveOut = (why: string) => {
      const text = `${name} was left out: ${why}`;
      log.write({ kind: "note", step, text });
      options.report({ kind: "note", text });
    };
    try {
      const { signal } = options;
      const scores = signal.aborted ? null : await untilAborted(options.probe({ probe, step, weights }), signal);
      if (scores === null) {
        leaveOut("the run was interrupted");
        continue;
      }
      log.write({ kind: "probe", step, name, scores });
      options.report({ kind: "probe", step, name, scores });
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      leaveOut(error.message);
    }
  }
}

/** The weights, or their running averages where there are such. */
async function judgedWeights(
  { parameters }: ModelProgram,
  slots: readonly StateSlot[],
  session: Session,
): Promise<Readonly<Record<string, Float32Array>>> {
  const kept = new Set(slots.map(({ name }) => name));
  const judged = [...namedParameters(parameters)].map(([name]) => {
    const average = averageName(name);
    return [name, kept.has(average) ? average : name] as const;
  });
  const read = await session.read(judged.map(([, from]) => from));
  return Object.fromEntries(judged.map(([name, from]) => [name, read[from] as Float32Array]));
}

/** After the last step everything is; before it, what says how often. */
function isDue(
  every: Training["evaluate"][number]["every"],
  step: number,
  { stepsPerEpoch, totalSteps }: Length,
): boolean {
  if (step === totalSteps) return true;
  if (every === null) return false;
  const interval = every.unit === "epochs" ? Math.round(every.amount * stepsPerEpoch) : every.amount;
  return step % Math.max(1, interval) === 0;
}
