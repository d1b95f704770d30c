/**
 * Trains a program: batch, step, metrics, checkpoints, probes. One loop for all methods; what differs between them is in
 * the program's graph. All randomness is a function of seed, epoch, step and sample, so a continued run equals one that
 * was never interrupted, bit for bit.
 */

import { basename } from "node:path";
import { type ModelProgram, namedParameters, probeName } from "../../blocks/index.js";
import type { StateSlot, Values } from "../../graph/index.js";
import { averageName } from "../checkpoint/stored.js";
import type { Session } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import type { CheckpointInterval, Training, TrainOptions, TrainResult } from "./contract.js";
import { isAnyEnding, leaveAfter, leaveDone } from "./end-together.js";
import { type BadStep, type Before, brokenOutput, checkpointState, errorOf, findTrouble } from "./failure.js";
import { firstBadValues } from "./guard.js";
import { type Length, learningRate, type Pace, paceMeter } from "./pace.js";
import { openBatches, openRun, type Run, type RunBatches, type Saved, save } from "./run.js";
import { runStep, stepFeeds, untilAborted } from "./run-step.js";
import { gradientNormOutput, lossOutput, termPrefix } from "./step.js";
import { isFirst } from "./together.js";

/**
 * Trains until the recipe's end or until the signal is aborted; the last state is always saved.
 *
 * @throws RunError `run/data`, `run/too-few-samples`, `run/run-exists`, `run/checkpoint-missing`,
 *   `run/checkpoint-mismatch`, `run/resume-mismatch`, `run/loss-not-finite`, `run/gradient-not-finite`, `run/weights-not-finite`, and what reading
 *   data, writing files and the executor throw. Checkpoints that were saved before stay whole.
 */
export async function train(program: ModelProgram, training: Training, options: TrainOptions): Promise<TrainResult> {
  const { run, saved } = await openRun(program, training, options).catch(async (error: unknown) => {
    await options.hosts?.leave(error instanceof RunError ? error.message : "it could not start");
    throw error;
  });
  try {
    const opening = openBatches(run, saved.step);
    // Hosts end together, before a step.
    const batches = options.hosts ? await opening : await untilAborted(opening, options.signal);
    if (batches === null) opening.then((late) => late.close()).catch(() => undefined);
    return await loop(run, saved, batches);
  } catch (error) {
    if (error instanceof RunError) run.log.write({ kind: "failure", code: error.code, text: error.message });
    throw error;
  } finally {
    await run.session.close();
    run.log.close();
  }
}

/** `opened`: null where the run is to end before its batches are open. Gives what came of it, and leaves the batches closed. */
async function loop(run: Run, start: Saved, opened: RunBatches | null): Promise<TrainResult> {
  const { options, length, training } = run;
  const { hosts, signal } = options;
  const isEnded = async (): Promise<boolean> => (hosts ? isAnyEnding(hosts, signal.aborted) : signal.aborted);
  const meter = paceMeter();
  const isSaveDue = dueMeter(options.checkpointEvery, length);
  const isPictureDue = dueMeter(options.draw?.every ?? {}, length);
  if (training.evaluate.length > 0 && options.probe === undefined) {
    options.report({ kind: "note", text: "The recipe's evaluations are left out: nothing here can run them." });
  }
  let batches = opened;
  let saved = start;
  let { step } = start;
  let loss: number | null = null;
  try {
    // The run may have been ended between a checkpoint and the probes of its step.
    if (step > 0) await probe(run, step, run.probed);
    while (batches !== null && step < length.totalSteps && !(await isEnded())) {
      const before = options.debugNan ? await stateNow(run, step) : checkpointState(run, saved);
      const began = performance.now();
      const feeds = stepFeeds(run, batches, step);
      const outputs = await runStep(run, feeds);
      if (outputs === null) break;
      step += 1;
      const spent = {
        seconds: (performance.now() - began) / 1000,
        waited: feeds.waited() / 1000,
        samples: feeds.samples,
      };
      const pace = meter(spent, length.totalSteps - step);
      const told = badOutput(outputs, step) ?? (options.debugNan ? await badState(run, step) : null);
      if (told === null) tell(run, step, Math.floor((step - 1) / length.stepsPerEpoch), outputs, pace);
      const isDue = told === null && (isSaveDue(step) || step === length.totalSteps);
      const after = isDue ? await saveOrSay(run, step) : null;
      const bad = told ?? (after !== null && "code" in after ? after : null);
      if (bad !== null && hosts) throw errorOf(run, { ...bad, step, pace }, saved, null);
      if (bad !== null) {
        step = await goBack(run, saved, before, { ...bad, step, pace });
        await batches.close();
        batches = await openBatches(run, step);
        continue;
      }
      loss = single(outputs, lossOutput);
      if (after !== null && "path" in after) saved = after;
      await probe(run, step, []);
      if (isPictureDue(step) && step < length.totalSteps) await draw(run, step);
    }
    if (saved.step !== step) saved = await save(run, step);
    if (hosts) await leaveDone(hosts);
  } catch (error) {
    // A step with another number of visible tokens is compiled in the middle of a run.
    const isWhole = error instanceof RunError && error.code === "run/compile-limit" && saved.step !== step;
    if (isWhole && !hosts) await save(run, step);
    throw hosts ? await leaveAfter(run, hosts, error, saved, step) : error;
  } finally {
    await batches?.close();
  }
  // Aborted in its last step, too: probes of it were left out, and whoever trains several runs is to stop.
  const interrupted = step < length.totalSteps || options.signal.aborted;
  run.log.write({ kind: "end", step, loss, interrupted });
  options.report({ kind: "end", step, loss: loss ?? NaN, interrupted });
  return { step, loss, interrupted, checkpoint: saved.path };
}

/** Tells of each step in turn whether so much lies behind it. */
function dueMeter(
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

type Told = Pick<BadStep, "code" | "what" | "why">;

/** What of a step's outputs is not finite, in words; null: all are well. */
function badOutput(outputs: Values, step: number): Told | null {
  const bad = brokenOutput(outputs);
  if (bad === null) return null;
  const { name, value } = bad;
  if (name === gradientNormOutput) {
    return {
      code: "run/gradient-not-finite",
      what: `The norm of the gradients at step ${step} is ${value}`,
      why: null,
    };
  }
  const whose = name === lossOutput ? "The loss" : `\`${name.slice(termPrefix.length)}\` of the loss`;
  return { code: "run/loss-not-finite", what: `${whose} at step ${step} is ${value}`, why: null };
}

const stateNames = (run: Run): string[] => run.step.slots.map(({ name }) => name);

async function stateNow(run: Run, step: number): Promise<Before> {
  const state = await run.session.read(stateNames(run));
  return { step, state: async () => state };
}

const badWeights = (step: number, why: string): Told => ({
  code: "run/weights-not-finite",
  what: `The weights after step ${step} are not finite`,
  why,
});

async function badState(run: Run, step: number): Promise<Told | null> {
  const why = firstBadValues(await run.session.read(stateNames(run)));
  return why === null ? null : badWeights(step, why);
}

/** Weights that are not finite cannot be saved: then says so. */
async function saveOrSay(run: Run, step: number): Promise<Saved | Told> {
  try {
    return await save(run, step);
  } catch (error) {
    if (error instanceof RunError && error.code === "run/weights-not-finite") return badWeights(step, error.why ?? "");
    throw error;
  }
}

/** More steps that are left out say that the recipe is wrong, not a step. */
const mostLeftOut = 10;

/** Ends the run, or brings it back before the step that broke, which is left out from now on. Gives the step that is done with. */
async function goBack(run: Run, saved: Saved, before: Before, bad: BadStep): Promise<number> {
  const { training, log, options, leftOut } = run;
  const { step, standing, error } = await findTrouble(run, saved, before, bad);
  if (training.onNan !== "rollback") throw error;
  // Not found out in time: whoever goes on does so from the checkpoint, and finds it out.
  if (standing === null && options.signal.aborted) return saved.step;
  if (standing === null) throw error;
  if (step === null) return standing;
  if (leftOut.size >= mostLeftOut) {
    throw new RunError(error.code, {
      what: error.what,
      why: `${mostLeftOut} steps have been left out already${error.why === null ? "" : `; ${error.why}`}`,
      help: error.help,
    });
  }
  leftOut.add(step);
  const text = `step ${step} is left out: ${error.what}${error.why === null ? "" : `: ${error.why}`}`;
  log.write({ kind: "rollback", step, text });
  options.report({ kind: "note", text });
  return step;
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
  const gradientNorm = gradientNormOutput in outputs ? single(outputs, gradientNormOutput) : undefined;
  log.write({
    kind: "step",
    step,
    epoch,
    loss,
    terms,
    lr,
    ...(gradientNorm === undefined ? {} : { gradient_norm: gradientNorm }),
    images_per_second: pace.imagesPerSecond,
    waiting: pace.waiting,
    memory_bytes: memoryBytes,
    time: new Date().toISOString(),
  });
  const norm = gradientNorm === undefined ? {} : { gradientNorm };
  options.report({ kind: "step", step, epoch, loss, terms, lr, ...norm, memoryBytes, ...pace });
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
    const at = left.indexOf(probeName(probe));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  if (due.length === 0 || options.probe === undefined || !isFirst(options)) return;
  const weights = await judgedWeights(program, run.step.slots, session);
  const judge = options.probe;
  for (const { probe } of due) {
    const name = probeName(probe);
    const scores = await orLeftOut(run, step, name, () => judge({ probe, step, weights }));
    if (scores === null) continue;
    log.write({ kind: "probe", step, name, scores });
    options.report({ kind: "probe", step, name, scores });
  }
}

async function draw(run: Run, step: number): Promise<void> {
  const { program, options, session, log } = run;
  const picture = options.draw?.picture;
  if (picture === undefined || !isFirst(options)) return;
  const weights = await judgedWeights(program, run.step.slots, session);
  const path = await orLeftOut(run, step, "a picture", () => picture({ step, weights }));
  if (path === null) return;
  log.write({ kind: "picture", step, path: basename(path) });
  options.report({ kind: "picture", step, path });
}

/** What looks at weights beside the training: where it cannot be done, or is interrupted, says so and gives null. */
async function orLeftOut<T>(
  { options, log }: Run,
  step: number,
  name: string,
  act: () => Promise<T>,
): Promise<T | null> {
  const leaveOut = (why: string) => {
    const text = `${name} was left out: ${why}`;
    log.write({ kind: "note", step, text });
    options.report({ kind: "note", text });
    return null;
  };
  try {
    const { signal } = options;
    return (signal.aborted ? null : await untilAborted(act(), signal)) ?? leaveOut("the run was interrupted");
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    return leaveOut(error.message);
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
