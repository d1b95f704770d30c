/** One step of a run: what its phases are fed, micro-batch by micro-batch, and what they tell of it. */

import { inSteps, type Mixing, type Progress, planesOf, type VisibleOf } from "../../blocks/index.js";
import { invariant, randomStream, sizeOf, type Values } from "../../graph/index.js";
import type { TrainingBatch } from "../data/batches.js";
import { mixArrays, mixNumbers } from "../data/mix.js";
import type { Phase, Training } from "./contract.js";
import { momentumInput } from "./follow.js";
import { feedsFor, movingFeeds, sampleDrops, sampleMasks, scalar, visibleAt } from "./inputs.js";
import { learningRate } from "./pace.js";
import { type LoadedPhase, type Run, type RunBatches, runAt } from "./run.js";
import { keepInput, lastStepInput, microBatchesOf } from "./step.js";
import { overHosts } from "./together.js";

/** What a step is fed, and what computes it: its micro-batches are asked for when the first phase needs them. */
export interface StepFeeds {
  /** Loaded when first asked for. */
  readonly phases: () => Promise<readonly LoadedPhase[]>;
  /** In all. */
  readonly samples: number;
  /** How often a phase is run. */
  readonly times: (phase: Phase) => number;
  /** What a phase is fed when it is run for the `i`-th time in this step. */
  readonly of: (phase: Phase, i: number) => Promise<Values>;
  /** Milliseconds spent waiting for data so far. */
  readonly waited: () => number;
}

/** The feeds of step number `step`, counted from 0, at whose first micro-batch the batches stand. */
export function stepFeeds(whole: Run, all: RunBatches, step: number): StepFeeds {
  const run = runAt(whole, step);
  const batches = all.at(step);
  const scalars = scalarsOf(run, whole.training, step);
  const visible = visibleAt(run.program, run.training.seed, { step, ...run.length });
  const count = microBatchesOf(run.training) / (run.options.hosts?.count ?? 1);
  // Another phase goes through them again.
  const readAgain = run.step.phases.filter(({ each }) => each === "micro-batch").length > 1;
  const known: Values[] = [];
  let waited = 0;
  const mixing = mixingsAt(run, step);
  const microBatch = async (i: number): Promise<Values> => {
    const before = known[i];
    if (before !== undefined) return before;
    const began = performance.now();
    const batch = await batches.next();
    waited += performance.now() - began;
    const feeds = {
      ...scalars,
      ...samplesOf(run, mixed(run, batch, mixing), visible),
      [keepInput]: scalar(i === 0 ? 0 : 1),
    };
    // The next one is written over it.
    if (readAgain) known[i] = count > 1 ? copied(feeds) : feeds;
    return feeds;
  };
  return {
    phases: () => run.phases(visible),
    samples: run.training.batch,
    times: ({ each }) => (each === "micro-batch" ? count : 1),
    of: async ({ graph, each }, i) => feedsFor(graph, each === "micro-batch" ? await microBatch(i) : scalars),
    waited: () => waited,
  };
}

/** `training`: of the recipe that others may stand beside. */
function scalarsOf({ program, length, counters }: Run, training: Training, step: number): Values {
  const progress = { step, ...length };
  const { definition, values } = training.optimizer;
  const moving = Object.entries(definition.moving?.(values) ?? {});
  return {
    ...Object.fromEntries(moving.map(([name, at]) => [name, scalar(at(progress))])),
    [lastStepInput]: scalar(lastStep(training, progress)),
    lr: scalar(learningRate(training, step, length)),
    ...counters.feeds(step),
    ...movingFeeds(program, { step, ...length }),
    ...(program.teacher ? { [momentumInput]: scalar(program.teacher.momentum({ step, ...length })) } : {}),
  };
}

/** The number of an update of prototypes that stay for a while, from 1; 0 while they do. */
function lastStep({ freezeLast }: Pick<Training, "freezeLast">, progress: Progress): number {
  const held = freezeLast ? Math.ceil(inSteps(freezeLast, progress)) : 0;
  return Math.max(0, progress.step + 1 - held);
}

/** How the samples of a step are mixed, in all its micro-batches alike. */
function mixingsAt({ program, training }: Run, step: number): readonly Mixing[] {
  const [array] = Object.values(program.arrays);
  invariant(array, "a model reads something");
  const { shape: picture } = planesOf(array);
  return training.augment.flatMap(({ definition, values }, i) => {
    const mixing = definition.mix?.(values, picture, randomStream(training.seed, "pairs", step, i));
    return mixing ? [mixing] : [];
  });
}

/** A batch whose samples were mixed where they lie. */
function mixed({ program }: Run, batch: TrainingBatch, mixings: readonly Mixing[]): TrainingBatch {
  const labels = Object.entries(program.fields ?? {}).filter(([, { kind }]) => kind === "head");
  for (const mixing of mixings) {
    for (const [name, shape] of Object.entries(program.arrays)) {
      mixArrays(batch.arrays[name] as Float32Array, shape, mixing);
    }
    for (const [name, { shape }] of labels) mixNumbers(batch.fields[name] as Float32Array, sizeOf(shape), mixing.share);
  }
  return batch;
}

const samplesOf = (
  { program, training }: Run,
  { arrays, fields, epoch, samples }: TrainingBatch,
  visible: VisibleOf,
): Values => ({
  ...arrays,
  ...fields,
  ...sampleDrops(program, training.seed, epoch, samples),
  ...sampleMasks(program, training.seed, epoch, samples, { fields, visible, training: true }),
});

const copied = (feeds: Values): Values =>
  Object.fromEntries(Object.entries(feeds).map(([name, values]) => [name, values.slice()]));

/**
 * Runs the phases of a step. Gives what they tell: of micro-batches the mean, the first one's word where two phases tell of
 * the same. Aborted before or between the micro-batches of the first phase, or while it waits for one, it gives null: nothing that a
 * checkpoint keeps has changed yet. Where several hosts train together, all finish the step: what is read of it is the mean over all.
 */
export async function runStep(run: Run, feeds: StepFeeds): Promise<Values | null> {
  const { hosts, signal } = run.options;
  const state = { session: run.session, sums: run.sources.flatMap(({ step }) => step.sums) };
  let told: Values = {};
  const loaded = hosts ? await feeds.phases() : await untilAborted(feeds.phases(), signal);
  if (loaded === null) return null;
  hosts?.compute(true);
  for (const [at, { phase, runner }] of loaded.entries()) {
    const times = feeds.times(phase);
    const each: Values[] = [];
    for (let i = 0; i < times; i++) {
      const coming = feeds.of(phase, i);
      const own = at === 0 && !hosts ? await untilAborted(coming, signal) : await coming;
      if (own === null) return null;
      each.push(await runner(own));
      // Lets signals and messages from workers in: a step may compute without ever giving way.
      await new Promise(setImmediate);
    }
    const mean = meanOf(each);
    told = { ...told, ...(hosts ? await overHosts(hosts, state, phase, mean) : mean), ...told };
    if (phase.changes.length > 0) run.torn.now = true;
  }
  run.torn.now = false;
  hosts?.compute(false);
  return told;
}

/** The mean of each scalar. */
function meanOf(each: readonly Values[]): Values {
  const [first = {}, second] = each;
  if (second === undefined) return first;
  const mean = (name: string): number =>
    each.reduce((sum, values) => sum + (values[name]?.[0] as number), 0) / each.length;
  return Object.fromEntries(Object.keys(first).map((name) => [name, scalar(mean(name))]));
}

/** What a promise gives; null when the signal is aborted first. Nobody hears then how the promise ends. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const leave = () => resolve(null);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
