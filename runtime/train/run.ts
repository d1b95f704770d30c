/** A run while it goes on: opened anew or from its newest checkpoint, fed, and saved. What is done step by step is `train.ts`. */

import {
  hasStates,
  type ModelProgram,
  mixesPairs,
  parameterShapes,
  type SampleIndex,
  type VisibleOf,
  varyingMasks,
  withVisible,
} from "../../blocks/index.js";
import { sizeOf } from "../../graph/index.js";
import { listCheckpoints, newestCheckpoint, saveCheckpoint } from "../checkpoint/checkpoint.js";
import { type Checkpoint, type CheckpointFacts, stateFrom } from "../checkpoint/stored.js";
import { type TrainingBatches, trainingBatches } from "../data/batches.js";
import { type DataDigest, digestOf } from "../data/digest.js";
import { openData } from "../data/open.js";
import { repeated } from "../data/order.js";
import type { Runner, Session } from "../executors/executor.js";
import { version } from "../package.js";
import { RunError } from "../run-error.js";
import type { Phase, Training, TrainOptions } from "./contract.js";
import { firstBadValues } from "./guard.js";
import { type Log, openLog, rewindLog } from "./log.js";
import { type Length, lengthOf } from "./pace.js";
import { microBatchesOf, startingState, type TrainingStep, trainingStep } from "./step.js";
import { startingWeights } from "./weights.js";

/** What is loaded once and used by every step. */
export interface Run {
  readonly program: ModelProgram;
  readonly training: Training;
  readonly options: TrainOptions;
  readonly index: SampleIndex;
  readonly digest: DataDigest;
  readonly length: Length;
  /** Of the largest number of visible tokens. */
  readonly step: TrainingStep;
  readonly session: Session;
  /** The phases of a step with these numbers of visible tokens, of the masks in which they vary; loaded when first asked for. */
  readonly phases: (visible: VisibleOf) => Promise<readonly LoadedPhase[]>;
  readonly log: Log;
  /** Names of the probes that were run after the step that the run goes on from. */
  readonly probed: readonly string[];
  /** Steps that are left out because numbers broke in them, counted from 1. */
  readonly leftOut: Set<number>;
}

export interface LoadedPhase {
  readonly phase: Phase;
  readonly runner: Runner;
}

/** What a run goes back to: a checkpoint, and the steps done then. */
export interface Saved {
  readonly step: number;
  readonly path: string;
}

/**
 * Opens data, state, graph and log. A new run is saved at once, so that it can be continued from the start on, and so that a
 * disk that is full or closed is found now. Throws what `train` does; nothing stays open then.
 */
export async function openRun(
  program: ModelProgram,
  training: Training,
  options: TrainOptions,
): Promise<{ readonly run: Run; readonly saved: Saved }> {
  const { directory, executor, resume } = options;
  if (!resume) await checkFresh(directory);
  const checkpoint = resume ? await newestCheckpoint(directory) : null;
  const index = options.index ?? (await openData(training.data, "train", options.root, program));
  checkClasses(program, index);
  checkPairs(training);
  checkWhole(program, training);
  const length = lengthOf(training, index.length);
  const digest = await digestOf(index, options.root);
  if (checkpoint !== null) checkContinuation(checkpoint, training, index.length, digest);
  const step = trainingStep(program, training);
  const state =
    checkpoint === null
      ? startingState(step.slots, await startingWeights(program.parameters, training.seed, options.weights))
      : stateFrom(checkpoint, step.slots);
  const known = checkpoint === null ? [] : await rewindLog(directory, checkpoint.step);
  const log = openLog(directory, resume);
  let session: Session | null = null;
  try {
    session = await executor.open([...step.slots, ...step.sums], { ...state, ...startingState(step.sums, {}) });
    const phases = phaseLoader(program, training, session, step);
    await phases(most(program));
    const run: Run = {
      ...{ program, training, options, index, digest, length, step, session, phases, log },
      probed: known.flatMap((line) =>
        line.kind === "probe" && line.step === checkpoint?.step ? [String(line.name)] : [],
      ),
      leftOut: new Set(known.flatMap(({ kind, step }) => (kind === "rollback" && step !== undefined ? [step] : []))),
    };
    announce(run, checkpoint?.step ?? 0);
    return { run, saved: checkpoint ?? (await save(run, 0)) };
  } catch (error) {
    await session?.close();
    log.close();
    throw error;
  }
}

/** The largest numbers of visible tokens. */
const most = (program: ModelProgram): VisibleOf =>
  Object.fromEntries(varyingMasks(program).map(({ name, mask }) => [name, mask.visible]));

/** Loads the phases of a step once for all numbers of visible tokens that go together: the shapes of a graph are fixed. */
function phaseLoader(
  program: ModelProgram,
  training: Training,
  session: Session,
  largest: TrainingStep,
): Run["phases"] {
  const keyOf = (visible: VisibleOf): string => JSON.stringify(Object.entries(visible));
  const largestKey = keyOf(most(program));
  const known = new Map<string, Promise<readonly LoadedPhase[]>>();
  const load = async (visible: VisibleOf): Promise<readonly LoadedPhase[]> => {
    const isLargest = keyOf(visible) === largestKey;
    const step = isLargest ? largest : trainingStep(withVisible(program, visible), training);
    const loaded: LoadedPhase[] = [];
    for (const phase of step.phases) loaded.push({ phase, runner: await session.load(phase.graph) });
    return loaded;
  };
  return (visible) => {
    const key = keyOf(visible);
    const loading = known.get(key) ?? load(visible);
    known.set(key, loading);
    return loading;
  };
}

/** A model of classes is trained with the label of every sample. */
function checkClasses({ name, classes, severalClasses, detector, places }: ModelProgram, data: SampleIndex): void {
  // Whether there are maps is said where the first is read.
  if (places) return;
  const known = data.classes.length;
  if (classes !== undefined && !detector && known > 0 && data.sample(0).label === null) {
    throw new RunError("run/data", {
      what: "The data has no class of whole samples",
      why: `${name} learns to tell ${classes} apart`,
      help: "Use data with labels of samples, or a head that finds objects.",
    });
  }
  if (classes !== undefined && data.several && !severalClasses) {
    throw new RunError("run/data", {
      what: "The samples have any number of classes each",
      why: `the loss of ${name} is for one class of each`,
      help: "Write `loss class_bce`, or give each sample one label: of rows of flags with a single one, `numpy.argmax(labels, axis=1)`.",
    });
  }
  if (classes === undefined || (known > 0 && known <= classes)) return;
  throw new RunError("run/data", {
    what: known === 0 ? "The data has no classes" : `The data has ${known} classes`,
    why: `${name} learns to tell ${classes} apart`,
    help:
      known === 0
        ? detector
          ? "Use data with boxes, such as `coco(...)`."
          : "Use a folder with one sub-folder for each class, or label files."
        : `Write \`classes: ${known}\` in the model's head, or use other data.`,
  });
}

/** Samples that are mixed in pairs come in pairs. */
function checkPairs(training: Training): void {
  const { microBatch = training.batch } = training;
  if (microBatch % 2 === 0 || !mixesPairs(training)) return;
  const what = microBatch === training.batch ? "A batch" : "A part of a batch that is computed at once";
  throw new RunError("run/data", {
    what: `${what} has ${microBatch} samples, and the recipe mixes them in pairs`,
    help: "Write an even number.",
  });
}

/** What keeps statistics of batches is computed of a whole one at once. */
function checkWhole({ name, parameters }: ModelProgram, training: Training): void {
  const parts = microBatchesOf(training);
  if (parts === 1 || !hasStates(parameters)) return;
  throw new RunError("run/data", {
    what: `${name} keeps statistics of whole batches, and its batch would be computed in ${parts} parts`,
    why: "A batch norm or a centre would be moved by each part alone: another model would be trained.",
    help: "Leave `--micro-batch` out, write a smaller `batch` in the recipe, or compute on a machine with more memory.",
  });
}

/** An earlier run is never overwritten. */
async function checkFresh(directory: string): Promise<void> {
  if ((await listCheckpoints(directory)).length > 0) {
    throw new RunError("run/run-exists", {
      what: `${directory} already holds a run`,
      help: "Continue it with `--resume`, or choose another output folder.",
    });
  }
}

/** A continuation must see the samples that the uninterrupted run would have seen. */
function checkContinuation(
  { path, seed, cursor, data }: Checkpoint,
  training: Training,
  samples: number,
  digest: DataDigest,
): void {
  const numbers = [
    { what: "samples", before: cursor.samples, now: samples },
    { what: "samples a batch", before: cursor.batchSize, now: training.batch },
    { what: "as seed", before: seed, now: training.seed },
  ].filter(({ before, now }) => before !== now);
  const parts = [
    { what: "the files have other names", part: "names" },
    { what: "samples have other labels", part: "labels" },
    { what: "samples have other contents under the same names", part: "contents" },
  ] as const;
  // With other names, all is other.
  const other = numbers.length === 0 ? parts.find(({ part }) => data && data[part] !== digest[part]) : undefined;
  const changed = [
    ...numbers.map(({ what, before, now }) => `it had ${before} ${what} and now there are ${now}`),
    ...(other ? [other.what] : []),
  ];
  if (changed.length === 0) return;
  throw new RunError("run/resume-mismatch", {
    what: `The run of ${path} cannot be continued exactly`,
    why: changed.join("; "),
    help: "Restore the data and the recipe (the checkpoint keeps its spec), or start a new run.",
  });
}

function announce({ program, training, options, index, length, step, log }: Run, start: number): void {
  const parameters = [...parameterShapes(program.parameters).values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  const { executor } = options;
  log.write({
    kind: options.resume ? "resume" : "run",
    step: start,
    time: new Date().toISOString(),
    maelang: version,
    node: process.version,
    executor: executor.name,
    backend: executor.backend,
    device: executor.device,
    program: program.name,
    parameters,
    state: step.slots.length,
    samples: index.length,
    batch: training.batch,
    micro_batch: training.microBatch ?? training.batch,
    recompute: training.recompute ?? "nothing",
    steps: length.totalSteps,
    steps_per_epoch: length.stepsPerEpoch,
    seed: training.seed,
  });
  options.report({
    kind: "start",
    step: start,
    totalSteps: length.totalSteps,
    stepsPerEpoch: length.stepsPerEpoch,
    samples: index.length,
    parameters,
    notes: index.notes,
  });
}

/** Micro-batches from the first of the step that follows `start` steps. */
export const openBatches = ({ program, training, options, index, log }: Run, start: number): Promise<TrainingBatches> =>
  trainingBatches({
    index: repeated(index, training.repeat ?? 1),
    augment: training.augment,
    arrays: program.arrays,
    ...(program.views ? { streams: program.views } : {}),
    fields: program.fields ?? {},
    batch: training.batch / microBatchesOf(training),
    parts: microBatchesOf(training),
    seed: training.seed,
    root: options.root,
    workers: options.workers,
    start,
    note: (text) => {
      log.write({ kind: "note", text });
      options.report({ kind: "note", text });
    },
  });

/** What a checkpoint of the state after `step` steps says beside it. */
export const checkpointFacts = (
  { program, training, options, index, digest, length }: Run,
  step: number,
): CheckpointFacts => ({
  program: program.name,
  step,
  seed: training.seed,
  spec: options.spec,
  cursor: {
    epoch: Math.floor(step / length.stepsPerEpoch),
    batch: step % length.stepsPerEpoch,
    samples: index.length,
    batchSize: training.batch,
  },
  data: digest,
});

/** Saves all state after `step` steps, unless some of it is not finite: what is saved can always be continued. */
export async function save(run: Run, step: number): Promise<Saved> {
  const { options, session } = run;
  const valuesOf = async (name: string): Promise<Float32Array> => {
    const read = await session.read([name]);
    const bad = firstBadValues(read);
    if (bad !== null) {
      throw new RunError("run/weights-not-finite", {
        what: `The weights after step ${step} are not finite`,
        why: bad,
        help: "Lower the learning rate, write `clip 1` in the recipe, or warm up for longer, in a new run.",
      });
    }
    return read[name] as Float32Array;
  };
  const tensors = run.step.slots.map(({ name, shape }) => ({ name, shape, fetch: () => valuesOf(name) }));
  const path = await saveCheckpoint(options.directory, checkpointFacts(run, step), tensors);
  options.report({ kind: "checkpoint", step, path });
  return { step, path };
}
