/** A run while it goes on: opened anew or from its newest checkpoint, fed, and saved. What is done step by step is `train.ts`. */

import { type ModelProgram, parameterShapes, type VisibleOf, varyingMasks, withVisible } from "../../blocks/index.js";
import { type Graph, type StateSlot, sizeOf } from "../../graph/index.js";
import { listCheckpoints, newestCheckpoint, saveCheckpoint } from "../checkpoint/checkpoint.js";
import { type CheckpointFacts, stateFrom } from "../checkpoint/stored.js";
import { type TrainingBatches, trainingBatches } from "../data/batches.js";
import { repeated } from "../data/order.js";
import type { Executor, Runner, Session } from "../executors/executor.js";
import { version } from "../package.js";
import { ofRecipe, RunError } from "../run-error.js";
import { type Counters, countersOf, stepBeside, tablesBeside } from "./beside.js";
import type { BesideTraining, Phase, Training, TrainOptions } from "./contract.js";
import { firstBadValues } from "./guard.js";
import { type Log, noLog, openLog, rewindLog } from "./log.js";
import { type Length, lengthOf } from "./pace.js";
import { checkContinuation, type OpenSource, openSource } from "./source.js";
import { microBatchesOf, startingState, type TrainingStep, trainingStep } from "./step.js";
import { agreeAndStart, checkHosts, isFirst, theirFolder } from "./together.js";
import { lengthInTurns, type Turns, turnsOf } from "./turns.js";
import { startingWeights } from "./weights.js";

/** What is loaded once for the steps of one recipe. */
export interface Source extends OpenSource {
  /** Of the largest number of visible tokens. */
  readonly step: TrainingStep;
  /** The phases of a step with these numbers of visible tokens, of the masks in which they vary; loaded when first asked for. */
  readonly phases: (visible: VisibleOf) => Promise<readonly LoadedPhase[]>;
}

/** What is loaded once and used by every step; of several recipes, with what is of the one that the others stand beside. */
export interface Run extends Source {
  readonly options: TrainOptions;
  readonly length: Length;
  readonly session: Session;
  /** The recipes whose steps take turns, its own first. */
  readonly sources: readonly Source[];
  readonly turns: Turns;
  readonly counters: Counters;
  readonly log: Log;
  /** Names of the probes that were run after the step that the run goes on from. */
  readonly probed: readonly string[];
  /** Whether the step that is being computed has changed weights, so that they are those of no step. */
  readonly torn: { now: boolean };
  /** Steps that are left out because numbers broke in them, counted from 1. */
  readonly leftOut: Set<number>;
}

export interface LoadedPhase {
  readonly phase: Phase;
  readonly runner: Runner;
}

/** The run as one of its steps sees it, counted from 0: with what is of the recipe whose turn it is. */
export const runAt = (run: Run, step: number): Run => ({
  ...run,
  ...(run.sources[run.turns.at(step).which] as Source),
});

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
  requirePrecision(executor, training);
  checkHosts(program, training, options);
  const keeps = isFirst(options);
  if (!resume && keeps) await checkFresh(directory);
  const checkpoint = resume && keeps ? await newestCheckpoint(directory) : null;
  const own = await openSource(program, training, options.index, options.root);
  const others = options.beside ?? [];
  const beside: OpenSource[] = [];
  for (const { name: recipe, program: its, training: of, index } of others) {
    beside.push({ ...(await ofRecipe(recipe, openSource(its, of, index, options.root))), recipe });
  }
  const turns = turnsOf(
    training.mix ?? "alternate",
    [own, ...beside].map(({ training: of, index }) => lengthOf(of, index.length).stepsPerEpoch),
  );
  const length = lengthInTurns(turns, training);
  if (checkpoint !== null) checkContinuation(checkpoint, training, [own, ...beside]);
  const counters = countersOf(program, others, turns);
  const settings = { ...training, counterOf: counters.of };
  const step = trainingStep(program, settings);
  const steps = others.map((other) => stepBeside(other, program, training, counters));
  const state =
    checkpoint === null
      ? startingState(step.slots, await startingWeights(program.parameters, training.seed, options.weights))
      : stateFrom(checkpoint, step.slots);
  const known = checkpoint === null ? [] : await rewindLog(directory, checkpoint.step);
  const log = keeps ? openLog(directory, resume) : noLog;
  let session: Session | null = null;
  try {
    const sums = allSums([step, ...steps]);
    const tables = others.flatMap(tablesBeside);
    session = await executor.open([...step.slots, ...sums, ...tables.map(({ slot }) => slot)], {
      ...state,
      ...startingState(sums, {}),
      ...Object.fromEntries(tables.map(({ slot, values }) => [slot.name, values])),
    });
    const opened = session;
    const from = await agreeAndStart(
      options,
      { sources: [own, ...beside], session, slots: step.slots, length },
      checkpoint?.step ?? 0,
    );
    const load = (graph: Graph): Promise<Runner> =>
      opened.load(graph, training.precision, (seconds) => options.report({ kind: "compiling", seconds }));
    const phases = phaseLoader(program, load, step, (seen) => trainingStep(seen, settings));
    await phases(most(program));
    const sources: readonly Source[] = [
      { ...own, step, phases },
      ...beside.map((one, i) => {
        const other = others[i] as BesideTraining;
        const of = (seen: ModelProgram) => stepBeside({ ...other, program: seen }, program, training, counters);
        const its = steps[i] as TrainingStep;
        return { ...one, step: its, phases: phaseLoader(one.program, load, its, of) };
      }),
    ];
    const run: Run = {
      ...(sources[0] as Source),
      ...{ options, length, session, sources, turns, counters, log },
      probed: known.flatMap((line) =>
        line.kind === "probe" && line.step === checkpoint?.step ? [String(line.name)] : [],
      ),
      torn: { now: false },
      leftOut: new Set(known.flatMap(({ kind, step }) => (kind === "rollback" && step !== undefined ? [step] : []))),
    };
    announce(run, from);
    return { run, saved: checkpoint ?? (await save(run, from)) };
  } catch (error) {
    await session?.close();
    log.close();
    throw error;
  }
}

/** Refuses a number format that the executor does not compute in: nothing else would be what the recipe says. */
function requirePrecision({ backend, precisions }: Executor, { precision }: Training): void {
  if (precision === undefined || precisions?.includes(precision)) return;
  throw new RunError("run/precision", {
    what: `the backend ${backend} does not train in ${precision}`,
    help: "Train with `--backend xla`, which does, or without `precision` in the recipe. `mae doctor` says what xla needs here.",
  });
}

/** The sums of all steps, each once. */
const allSums = (steps: readonly TrainingStep[]): readonly StateSlot[] => [
  ...new Map(steps.flatMap(({ sums }) => sums.map((slot) => [slot.name, slot]))).values(),
];

/** The largest numbers of visible tokens. */
const most = (program: ModelProgram): VisibleOf =>
  Object.fromEntries(varyingMasks(program).map(({ name, mask }) => [name, mask.visible]));

/** Loads the phases of a step once for all numbers of visible tokens that go together: the shapes of a graph are fixed. */
function phaseLoader(
  program: ModelProgram,
  loadGraph: (graph: Graph) => Promise<Runner>,
  largest: TrainingStep,
  stepOf: (program: ModelProgram) => TrainingStep,
): Source["phases"] {
  const keyOf = (visible: VisibleOf): string => JSON.stringify(Object.entries(visible));
  const largestKey = keyOf(most(program));
  const known = new Map<string, Promise<readonly LoadedPhase[]>>();
  const loadAll = async (visible: VisibleOf): Promise<readonly LoadedPhase[]> => {
    const isLargest = keyOf(visible) === largestKey;
    const step = isLargest ? largest : stepOf(withVisible(program, visible));
    const loaded: LoadedPhase[] = [];
    for (const phase of step.phases) loaded.push({ phase, runner: await loadGraph(phase.graph) });
    return loaded;
  };
  return (visible) => {
    const key = keyOf(visible);
    const loading = known.get(key) ?? loadAll(visible);
    known.set(key, loading);
    return loading;
  };
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

/** The batches of the recipes whose steps take turns. */
export interface RunBatches {
  /** Of the recipe whose turn a step is: they stand at its first micro-batch. */
  readonly at: (step: number) => TrainingBatches;
  close(): Promise<void>;
}

/** Micro-batches from the first of the step that follows `start` steps. */
export async function openBatches(run: Run, start: number): Promise<RunBatches> {
  const opened: TrainingBatches[] = [];
  const close = async (): Promise<void> => {
    for (const batches of opened) await batches.close();
  };
  try {
    for (const [which, source] of run.sources.entries()) {
      const { recipe } = source;
      const batches = await ofRecipe(recipe, sourceBatches({ ...run, ...source }, run.turns.before(which, start)));
      opened.push({ next: () => ofRecipe(recipe, batches.next()), close: () => batches.close() });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { at: (step) => opened[run.turns.at(step).which] as TrainingBatches, close };
}

const sourceBatches = (
  { recipe, program, training, options, index, log, sources }: Run,
  start: number,
): Promise<TrainingBatches> =>
  trainingBatches({
    index: repeated(index, training.repeat ?? 1),
    augment: training.augment,
    arrays: program.arrays,
    ...(program.views ? { streams: program.views } : {}),
    fields: program.fields ?? {},
    batch: training.batch / microBatchesOf(training),
    parts: microBatchesOf(training),
    ...(options.hosts ? { share: { which: options.hosts.host, of: options.hosts.count } } : {}),
    seed: training.seed,
    root: options.root,
    workers: Math.ceil(options.workers / sources.length),
    start,
    note(said) {
      const text = recipe === undefined ? said : `${recipe}: ${said}`;
      log.write({ kind: "note", text });
      options.report({ kind: "note", text });
    },
  });

/** What a checkpoint of the state after `step` steps says beside it. */
export const checkpointFacts = (
  { program, training, options, index, digest, length, sources }: Run,
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
  ...(sources.length === 1
    ? {}
    : {
        beside: sources.slice(1).map((other) => ({
          samples: other.index.length,
          batchSize: other.training.batch,
          data: other.digest,
        })),
      }),
});

/** Saves all state after `step` steps, where this host keeps checkpoints. */
export const save = async (run: Run, step: number): Promise<Saved> =>
  isFirst(run.options) ? saveHere(run, step) : { step, path: theirFolder };

/** Saves all state after `step` steps, unless some of it is not finite: what is saved can always be continued. */
export async function saveHere(run: Run, step: number): Promise<Saved> {
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
