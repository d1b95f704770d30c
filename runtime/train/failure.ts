/**
 * What is found out when numbers break: goes back to the last good state, repeats the steps since, looks where the first of them broke, and
 * keeps what it takes to see it again. Whether the run then ends or goes on is decided in `train.ts`.
 */

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Values } from "../../graph/index.js";
import { checkpointMetadata, readCheckpoint } from "../checkpoint/checkpoint.js";
import { stateFrom } from "../checkpoint/stored.js";
import { writeTensorFile } from "../checkpoint/tensor-file.js";
import { writeWhole } from "../checkpoint/whole-file.js";
import { batchOrder } from "../data/order.js";
import { RunError, type RunErrorCode, reasonOf } from "../run-error.js";
import { type BadTensor, countNotFinite, findBadTensor, firstBadValues } from "./guard.js";
import { learningRate, type Pace } from "./pace.js";
import { checkpointFacts, openBatches, type Run, runAt, type Saved, type Source } from "./run.js";
import { runStep, stepFeeds } from "./run-step.js";
import { gradientNormOutput, lossOutput, microBatchesOf, startingState } from "./step.js";

/** Steps are repeated only if that takes no longer, unless the recipe or a person asks to know. */
const patience = 180;

/** What told that numbers had broken. */
export interface BadStep {
  /** Counted from 1. */
  readonly step: number;
  readonly code: RunErrorCode;
  /** `The loss at step 7 is NaN` */
  readonly what: string;
  /** `blocks.0.norm1.weight: 1 of 64 values are not finite`; null: nothing was read but what was told. */
  readonly why: string | null;
  readonly pace: Pace;
}

/** What a run goes back to: the steps done then, and the values of its state. */
export interface Before {
  readonly step: number;
  readonly state: () => Promise<Values>;
}

/** What was found out. */
export interface Trouble {
  /** The step that broke, counted from 1: a gradient breaks weights that only a later loss tells of. null: it did not show again. */
  readonly step: number | null;
  /** Steps after which the session stands now, sound; null: nowhere that a run could go on from. */
  readonly standing: number | null;
  readonly error: RunError;
}

/**
 * What a step tells that is no finite number: the loss first, then its terms, for a later phase may break where the model's own loss still is
 * finite, then the norm of the gradients. null: all are well.
 */
export function brokenOutput(outputs: Values): { readonly name: string; readonly value: number } | null {
  const told = Object.entries(outputs).map(([name, values]) => ({ name, value: values[0] as number }));
  const bad = told.filter(({ value }) => !Number.isFinite(value));
  return (
    bad.find(({ name }) => name === lossOutput) ?? bad.find(({ name }) => name !== gradientNormOutput) ?? bad[0] ?? null
  );
}

export const checkpointState = (run: Run, saved: Saved): Before => ({
  step: saved.step,
  state: async () => stateFrom(await readCheckpoint(saved.path), run.step.slots),
});

/** Looks for what broke. What a run keeps of it is named in the error. */
export async function findTrouble(run: Run, saved: Saved, before: Before, bad: BadStep): Promise<Trouble> {
  const { options, training } = run;
  const steps = bad.step - before.step - 1;
  const isAsked = options.debugNan === true || training.onNan === "rollback";
  if (!isAsked && (steps * training.batch) / bad.pace.imagesPerSecond > patience) {
    return { step: null, standing: null, error: errorOf(run, bad, saved, null) };
  }
  if (steps > 0) {
    options.report({ kind: "note", text: `Numbers broke: repeating ${steps} steps to find out where.` });
  }
  const found = await repeatUntilBroken(run, before, bad.step);
  if (found === null) return { step: null, standing: null, error: errorOf(run, bad, saved, null) };
  if (!found.isBroken) return { step: null, standing: found.step, error: errorOf(run, bad, saved, null) };
  await run.session.write(found.state);
  const where = await searchStep(run, found.step);
  await run.session.write(found.state);
  const step = found.step + 1;
  const kept = await keepTrouble(run, { bad, where, before: found });
  return { step, standing: found.step, error: errorOf(run, bad, saved, { step, where, kept }) };
}

interface Repeated {
  /** Steps done. */
  readonly step: number;
  /** Weights, moments and sums after them. */
  readonly state: Values;
  /** Whether the step after them breaks; otherwise none up to the bad one did. */
  readonly isBroken: boolean;
}

/** Repeats steps until one tells or leaves behind what is not finite. null: the run is to end before that. */
async function repeatUntilBroken(run: Run, before: Before, last: number): Promise<Repeated | null> {
  const { options, session } = run;
  const names = run.step.slots.map(({ name }) => name);
  const sums = startingState(
    run.sources.flatMap(({ step }) => step.sums),
    {},
  );
  let state: Values = { ...(await before.state()), ...sums };
  await session.write(state);
  const batches = await openBatches(run, before.step);
  try {
    for (let done = before.step; done < last; done++) {
      if (options.signal.aborted) return null;
      if (run.leftOut.has(done + 1)) {
        for (let i = 0; i < microBatchesOf(runAt(run, done).training); i++) await batches.at(done).next();
        continue;
      }
      const told = await runStep(run, stepFeeds(run, batches, done));
      if (told === null) return null;
      const after = await session.read(names);
      const isBroken = brokenOutput(told) !== null || firstBadValues(after) !== null;
      if (isBroken) return { step: done, state, isBroken };
      state = { ...after, ...sums };
    }
  } finally {
    await batches.close();
  }
  return { step: last, state, isBroken: false };
}

/** A tensor that broke, with the samples that a broken feed is of. */
interface Place {
  readonly tensor: BadTensor;
  readonly phase: string;
  readonly samples: readonly string[];
}

/** Looks into one phase after the other, with what the earlier ones left behind. The session stands before the step. */
async function searchStep(run: Run, done: number): Promise<Place | null> {
  const batches = await openBatches(run, done);
  try {
    const feeds = stepFeeds(run, batches, done);
    for (const { phase, runner } of await feeds.phases()) {
      for (let i = 0; i < feeds.times(phase); i++) {
        const own = await feeds.of(phase, i);
        const tensor = await findBadTensor(run.session, phase.graph, own);
        if (tensor !== null) {
          const samples = tensor.kind === "feed" ? badSamples(run, done, i, own[tensor.what] ?? []) : [];
          return { tensor, phase: phase.name, samples };
        }
        await runner(own);
      }
    }
    return null;
  } finally {
    await batches.close();
  }
}

/** The samples of a step, in its order. */
function samplesOf(run: Run, done: number) {
  const { index, training } = runAt(run, done);
  const { repeat = 1, batch } = training;
  return batchOrder(repeat * index.length, batch, run.training.seed)(run.turns.at(done).before);
}

/** What a sample is called: its path where it is a file. */
function sampleName({ index }: Source, i: number): string {
  const sample = index.sample(i % index.length);
  return "path" in sample ? sample.path : `sample ${i % index.length}`;
}

/** Names of the samples whose part of a feed is broken. */
function badSamples(run: Run, done: number, microBatch: number, values: ArrayLike<number>): readonly string[] {
  const source = runAt(run, done);
  const size = source.training.batch / microBatchesOf(source.training);
  const own = samplesOf(run, done).samples.subarray(microBatch * size, (microBatch + 1) * size);
  const length = values.length / size;
  const all = Float32Array.from(values);
  return [...own].flatMap((sample, i) =>
    countNotFinite(all.subarray(i * length, (i + 1) * length)) > 0 ? [sampleName(source, sample)] : [],
  );
}

const troubleFile = /^trouble-\d+\.(?:json|safetensors)$/;

/**
 * Keeps the state before the step that broke, and which samples it had, as `trouble-<step>`; of an earlier one nothing is left. No checkpoint
 * to go on from: what breaks soon may be far off already. Gives the path, or null where it cannot be written: the run has other trouble.
 */
async function keepTrouble(
  run: Run,
  { bad, where, before }: { readonly bad: BadStep; readonly where: Place | null; readonly before: Repeated },
): Promise<string | null> {
  const { options, training, length } = run;
  const { directory } = options;
  const step = before.step + 1;
  const weights = `trouble-${step}.safetensors`;
  const { epoch, samples } = samplesOf(run, before.step);
  const source = runAt(run, before.step);
  const facts = {
    format_version: "1.0",
    step,
    epoch,
    seed: training.seed,
    lr: learningRate(training, before.step, length),
    code: bad.code,
    what: bad.what,
    first_bad: where && { ...where.tensor, phase: where.phase, line: lineOf(run, where) },
    bad_samples: where?.samples ?? [],
    weights,
    samples: [...samples].map((sample) => ({ index: sample % source.index.length, name: sampleName(source, sample) })),
  };
  const path = join(directory, `trouble-${step}.json`);
  try {
    const old = (await readdir(directory)).filter((name) => troubleFile.test(name));
    for (const name of old) await rm(join(directory, name), { force: true });
    const tensors = run.step.slots.map(({ name, shape }) => ({
      name,
      shape,
      values: before.state[name] as Float32Array,
    }));
    await writeTensorFile(join(directory, weights), tensors, checkpointMetadata(checkpointFacts(run, before.step)));
    await writeWhole([{ path, parts: [new TextEncoder().encode(`${JSON.stringify(facts, null, 2)}\n`)] }]);
    return path;
  } catch (error) {
    options.report({ kind: "note", text: `What broke could not be kept: ${reasonOf(error)}` });
    return null;
  }
}

/** The line of the text that says the part of the model in which a tensor broke. */
function lineOf({ options }: Run, { tensor }: Place): string | null {
  for (const weight of tensor.weights) {
    const line = options.lineOf?.(weight);
    if (line != null) return line;
  }
  return null;
}

/** The error that ends a run whose numbers broke. `found`: where, if that was looked for. */
export function errorOf(
  run: Run,
  bad: BadStep,
  sound: Saved,
  found: { readonly step: number; readonly where: Place | null; readonly kept: string | null } | null,
): RunError {
  const { training, length } = run;
  const why = found?.where
    ? placeText(run, found.where, found.step === bad.step ? "" : ` at step ${found.step}`)
    : bad.why;
  const lr = learningRate(training, bad.step - 1, length);
  const clip = training.clip === null ? "write `clip 1` in the recipe, " : "";
  const help =
    found?.where?.tensor.kind === "feed"
      ? `Look at the data: ${someOf(found.where.samples)}.`
      : `Lower the learning rate (${lr.toPrecision(3)} at this step), ${clip}or warm up for longer, in a new run.`;
  const kept = found?.kept ? ` The step, its samples and the weights before it are kept in ${found.kept}.` : "";
  return new RunError(bad.code, {
    what: bad.what,
    ...(why === null ? {} : { why }),
    help: `${help} The last sound weights are in ${sound.path}.${kept}`,
  });
}

function placeText(run: Run, place: Place, when: string): string {
  const { what, share, reach, kind } = place.tensor;
  const line = lineOf(run, place);
  const read = reach === null ? "" : `; what it reads goes up to ${reach.toPrecision(3)}`;
  const from = kind === "feed" && place.samples.length > 0 ? ` of ${someOf(place.samples)}` : "";
  return `first bad tensor${when}: ${what}: ${share}${from}${read}${line === null ? "" : `; its part of the model is ${line}`}`;
}

/** At most three of some names. */
const someOf = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
