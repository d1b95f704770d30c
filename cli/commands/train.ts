/** `mae train`: emits the model, runs what was emitted by the recipe, shows how it goes, and leaves a run behind. */

import { join } from "node:path";
import { type SampleIndex, wordsOf } from "../../blocks/index.js";
import {
  arraysOf,
  costOf,
  lineOfWeight,
  type Recipe,
  type RecipeStart,
  settingsOf,
  trainingOf,
} from "../../compiler/index.js";
import type {
  CheckpointInterval,
  Executor,
  Hosts,
  TrainEvent,
  Training,
  TrainOptions,
  TrainResult,
} from "../../runtime/index.js";
import { addressesOf, elsewhere, runProject, type Vocabulary } from "../config/index.js";
import { type BackendFlags, openBackend } from "../machine/backend.js";
import { type HostFlags, hostsAgain, placeAmongHosts } from "../machine/hosts.js";
import { writeRate } from "../machine/measured-rate.js";
import { type Computing, computingOf, type MemoryFlags } from "../machine/micro-batches.js";
import { dataMemory, defaultWorkers } from "../machine/process-memory.js";
import type { SettingFlags } from "../options.js";
import { packageVersion } from "../package-root.js";
import { checkedSpec } from "../runs/checked-spec.js";
import { continued, settingOptions, type Trained } from "../runs/continuation.js";
import { type EventLog, type LogName, openEventLog } from "../runs/event-log.js";
import { drawInTheMiddle, drawWherePossible, judgeInTheMiddle, usualSamples } from "../runs/in-training.js";
import { type Interrupts, listenForInterrupts } from "../runs/interrupts.js";
import { checkOwnSpec, openRun } from "../runs/open-run.js";
import {
  checkRunDirectory,
  clearRunDirectory,
  defaultRunDirectory,
  factsOf,
  pictureFile,
  type RunFacts,
  type RunSettings,
  type RunSource,
  readRunFacts,
  type ShorterTimes,
  writeRunFacts,
} from "../runs/run-directory.js";
import { lockRun } from "../runs/run-lock.js";
import { whatFailed } from "../runs/run-state.js";
import { shortened, shorterNotes } from "../runs/shorter-schedule.js";
import { withHosts } from "../runs/together.js";
import {
  type BesideData,
  besideComputing,
  besideTrainings,
  openBeside,
  openTrainingData,
} from "../runs/training-sources.js";
import {
  fileSources,
  readSources,
  requireFiles,
  requireNetworks,
  startOf,
  takenWeights,
} from "../runs/weights-from.js";
import { endWith } from "../session.js";
import { lineAt } from "../specs/analysis.js";
import { chooseRecipe, ownRecipes, type Spec } from "../specs/choose.js";
import { printedPath } from "../specs/files.js";
import { exitCode } from "../words/failure.js";
import { createProgress, jsonProgress, type Progress, type StepEvent, shortNumber } from "../words/progress.js";
import { count, stderrColors, tell } from "../words/terminal.js";

export interface TrainFlags extends SettingFlags, BackendFlags, MemoryFlags, HostFlags {
  readonly out?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly workers?: number;
  readonly checkpointEvery: CheckpointInterval;
  readonly debugNan?: boolean;
  readonly gradientNorm?: boolean;
  readonly picturesEvery?: CheckpointInterval;
  /** Where else the run is logged. */
  readonly log?: LogName;
  readonly json?: boolean;
  readonly config?: string;
}

/** Trains by the recipe of a file that `name` stands for. */
export async function train(spec: Spec, file: string, name: string | undefined, flags: TrainFlags): Promise<void> {
  const { vocabulary } = spec;
  const chosen = chooseRecipe(spec, name);
  const directory = flags.out ?? defaultRunDirectory(file, chosen.recipe.name, ownRecipes(spec).length > 1);
  const goOn = `mae train ${file} ${chosen.recipe.name} --resume${optionsAgain(flags)}`;
  await trainOne({ ...chosen, vocabulary, file, directory, flags, goOn });
}

/** Options that decide what comes of a run, as they were given, each behind a space: for the command that goes on. */
export function optionsAgain(flags: TrainFlags): string {
  const { out, config, backend } = flags;
  const chosen = { out, config, backend: backend === "auto" ? undefined : backend };
  const named = Object.entries(chosen).flatMap(([name, value]) => (value === undefined ? [] : [` --${name} ${value}`]));
  return [...named, settingOptions(flags), hostsAgain(flags)].join("");
}

/** What one run is about. */
export interface Order extends Trained {
  readonly file: string;
  readonly directory: string;
  readonly flags: TrainFlags;
  /** The command that goes on after an interruption. */
  readonly goOn: string;
  /** If absent, a new run starts with the weights that the model declares. */
  readonly inherits?: Inheritance;
  /** That train it together; if absent, this process alone. */
  readonly hosts?: Hosts;
  /** Hears of a failure that ends this run and leaves others sound; if absent, it is thrown. */
  readonly failed?: (text: string) => void;
}

/** What a new run starts with that others have trained. */
export interface Inheritance {
  /** Earlier stages. */
  readonly from: readonly RunSource[];
  /** All that is named, files among it. */
  readonly takes: RecipeStart["takes"];
  /** By name. */
  readonly weights: () => Promise<Readonly<Record<string, Float32Array>>>;
}

/** Trains one model into one folder, anew or from its newest checkpoint. Gives whether it was interrupted. */
export async function trainOne(order: Order): Promise<boolean> {
  const place = placeAmongHosts(order.flags);
  return place ? withHosts(order, place, (own, hosts) => trainHere({ ...own, hosts })) : trainHere(order);
}

async function trainHere(order: Order): Promise<boolean> {
  const { vocabulary, model, recipe: asWritten, directory, flags } = order;
  checkRunDirectory(directory, { resume: flags.resume ?? false, force: flags.force ?? false });
  const keeps = keepsRun(order);
  if (flags.resume && keeps) await checkCheckpoint(directory, vocabulary);
  const { recipe, times, opened } = flags.resume
    ? { recipe: continued(order, directory, flags), times: {}, opened: null }
    : await shortened(model, asWritten, flags);
  const spec = checkedSpec(model, recipe, vocabulary, flags);
  const inherits = flags.resume ? undefined : (order.inherits ?? (await inheritance(order, recipe)));
  const progress = progressOf(order);
  const note = (text: string) => progress({ kind: "note", text });
  for (const text of shorterNotes(asWritten, times)) note(text);
  let leave: (() => void) | null = null;
  const interrupts = listenForInterrupts({
    outcome: flags.resume ? "the run stays as it was" : "no step has been trained, so there is nothing to save",
    undo: () => {
      if (leave !== null && !flags.resume) clearRunDirectory(directory);
      leave?.();
    },
  });
  try {
    const { precision } = trainingOf(recipe);
    const before = flags.resume ? readRunFacts(directory) : null;
    const collectives = flags.collectives ? order.hosts : undefined;
    const executor = await openBackend({ ...flags, precision }, note, before, collectives);
    let logs: EventLog | null = null;
    try {
      logs =
        flags.log && keeps ? await openEventLog(flags.log, { directory, goesOn: flags.resume ?? false, note }) : null;
      const index = await openTrainingData(model, recipe, opened, note);
      const beside = await openBeside(recipe, note);
      leave = lockRun(directory);
      // Another training may have begun and ended here in the meantime.
      checkRunDirectory(directory, { resume: flags.resume ?? false, force: flags.force ?? false });
      if (!flags.resume) clearRunDirectory(directory);
      const started = { ...order, recipe, times, written: settingsOf(asWritten), spec, executor, index, beside };
      return await run(await prepared({ ...started, ...(inherits && { inherits }), progress, note, interrupts, logs }));
    } catch (error) {
      const text = order.failed ? await whatFailed(error) : null;
      if (text === null) throw error;
      order.failed?.(text);
      if (interrupts.signal.aborted) sayHowToGoOn(order);
      return interrupts.signal.aborted;
    } finally {
      await logs?.close();
      await executor.close();
    }
  } finally {
    leave?.();
    interrupts.stop();
  }
}

/** Whether log, checkpoints and pictures are kept here: of several hosts, by the first. */
const keepsRun = ({ hosts }: Pick<Order, "hosts">): boolean => (hosts?.host ?? 0) === 0;

/** What is shown of a run: by a host that does not keep it, what is told in words. */
function progressOf(order: Order): Progress {
  const { model, flags } = order;
  const progress = flags.json ? jsonProgress : createProgress(wordsOf(arraysOf(model)).sample);
  if (keepsRun(order)) return progress;
  return (event) => {
    if (event.kind === "note") progress(event);
  };
}

/** What a new run starts with by its own recipe; undefined: nothing. Throws a `Failure` where a file is not here or does not fit. */
async function inheritance({ model, vocabulary }: Order, recipe: Recipe): Promise<Inheritance | undefined> {
  const start = await startOf(model, recipe, vocabulary);
  if (!start) return await requireNetworks(model, recipe);
  const { takes, mappings } = start;
  requireFiles(takes, recipe);
  const weights = async () => takenWeights(mappings, await readSources(takes, model));
  return { from: [], takes, weights };
}

/** Throws a `Failure` where the run that is to go on does not say of itself what its checkpoint does. */
async function checkCheckpoint(directory: string, vocabulary: Vocabulary): Promise<void> {
  const { newestCheckpoint } = await import("../../runtime/index.js");
  checkOwnSpec(directory, await newestCheckpoint(directory, "facts"), vocabulary, readRunFacts(directory));
}

/** Settles how a run is computed; of a new one, keeps with what it is started. */
async function prepared(started: Started): Promise<Job> {
  const { file, vocabulary, model, recipe, times, written, directory, flags, inherits, executor } = started;
  const { index, note, spec } = started;
  const batch = settingsOf(recipe).batch / (started.hosts?.count ?? 1);
  const before = flags.resume
    ? (readRunFacts(directory).computing ?? { micro_batch: settingsOf(recipe).batch, recompute: false })
    : null;
  const data = await dataMemory(model, recipe, index, flags.workers);
  const alone = await computingOf({ model, recipe, batch, data }, flags, executor, before, note);
  const computing = { ...alone, ...(await besideComputing(started, flags, executor, before)) };
  const project = runProject(model, recipe, vocabulary);
  const shorter = Object.keys(times).length > 0 ? { shorter: times } : {};
  const own = { computing, ...shorter, ...(project ? { project } : {}), ...(await sourcesOf(inherits)) };
  const facts = { ...factsOf(file, model, recipe, executor), ...own, written };
  if (!flags.resume) writeRunFacts(directory, facts, spec);
  return { ...started, computing, root: facts.root };
}

/** What of a run's facts says where its weights come from. */
async function sourcesOf(inherits: Inheritance | undefined): Promise<Pick<RunFacts, "from" | "files">> {
  if (!inherits) return {};
  const { from, takes } = inherits;
  const files = await fileSources(takes);
  return { ...(from.length > 0 ? { from } : {}), ...(files.length > 0 ? { files } : {}) };
}

/** A run whose backend is open. */
interface Started extends Order {
  /** What the text says, before the flags. */
  readonly written: RunSettings;
  readonly times: ShorterTimes;
  readonly spec: string;
  readonly executor: Executor;
  /** Of the data that it is trained on. */
  readonly index: SampleIndex;
  /** Of the recipes beside its own. */
  readonly beside: readonly BesideData[];
  readonly progress: Progress;
  /** Tells a line for people. */
  readonly note: (text: string) => void;
  readonly interrupts: Interrupts;
  readonly logs: EventLog | null;
}

interface Job extends Started {
  readonly root: string;
  readonly computing: Computing;
}

async function run(job: Job): Promise<boolean> {
  const { model, vocabulary, directory, executor, flags, progress, interrupts } = job;
  const [{ emitModule }, { loadProgram }, runtime] = await Promise.all([
    import("../../compiler/emit/index.js"),
    import("../specs/load-program.js"),
    import("../../runtime/index.js"),
  ]);
  const source = await emitModule(model, packageVersion(), elsewhere(vocabulary, directory));
  const program = await loadProgram(source, directory, model.name, addressesOf(vocabulary, directory));
  let lastStep: StepEvent | null = null;
  const report = (event: TrainEvent) => {
    if (event.kind === "step") lastStep = event;
    // A host that keeps nothing ends with the others; nobody waits for a step that is compiled.
    const hasBegun = flags.resume ? event.kind === "start" : !keepsRun(job) && event.kind !== "compiling";
    if (event.kind === "checkpoint" || hasBegun) interrupts.begin();
    progress(event);
    job.logs?.tell(event);
  };
  const own = { program, training: trainingOf(job.recipe), root: job.root };
  const options: TrainOptions = {
    directory,
    root: job.root,
    executor,
    ...(job.hosts ? { hosts: job.hosts } : {}),
    index: job.index,
    ...(job.beside.length > 0 ? { beside: await besideTrainings(job, job.computing, program) } : {}),
    resume: flags.resume ?? false,
    ...(job.inherits && !flags.resume ? { weights: await job.inherits.weights() } : {}),
    spec: job.spec,
    workers: flags.workers ?? defaultWorkers(),
    checkpointEvery: flags.checkpointEvery,
    debugNan: flags.debugNan ?? false,
    lineOf: (weight) => lineAt(lineOfWeight(model, weight)),
    signal: interrupts.signal,
    report,
    probe: ({ probe, weights }) => judgeInTheMiddle({ ...own, weights }, probe, job),
    ...(flags.picturesEvery && {
      draw: {
        every: flags.picturesEvery,
        picture: (now) => drawInTheMiddle({ ...now, ...own }, { ...now, directory, executor, note: job.note }),
      },
    }),
  };
  const result = await runtime.train(program, trainingHere(job), options);
  // All is saved.
  interrupts.stop();
  if (result.interrupted) {
    tell(`stopped after step ${result.step}; everything is saved in ${folderOf(job)}`);
    sayHowToGoOn(job);
  } else await finish(job, result, lastStep);
  return result.interrupted;
}

/** The recipe, computed as it is on this machine. */
const trainingHere = ({ recipe, computing, flags }: Job): Training => ({
  ...trainingOf(recipe),
  microBatch: computing.micro_batch,
  recompute: computing.recompute ? "layers" : "nothing",
  gradientNorm: flags.gradientNorm ?? flags.debugNan ?? false,
});

function sayHowToGoOn({ goOn }: Pick<Order, "goOn">): void {
  tell(`go on with: ${goOn}`);
  endWith(exitCode.interrupted);
}

async function finish(job: Job, { step, loss }: TrainResult, last: StepEvent | null): Promise<void> {
  const { model, executor, computing, note, hosts } = job;
  // The steps of several recipes take unlike times.
  if (last && job.beside.length === 0 && !hosts) {
    const { training } = costOf(model).flops;
    writeRate({
      flopsPerSecond: last.imagesPerSecond * training,
      flopsAtOnce: computing.micro_batch * training,
      device: `${executor.backend}, ${executor.device}`,
    });
  }
  if (keepsRun(job)) note(await drawAtEnd(job, step));
  const reached = loss === null ? "" : `, loss ${shortNumber(loss)}`;
  tell(`${stderrColors().green("✓")} ${count(step, "step")}${reached}; the run is in ${folderOf(job)}`);
}

/** Where the run is, in words. */
const folderOf = (job: Job): string => (keepsRun(job) ? printedPath(job.directory) : "the folder of the first host");

/** A run that is trained does not fail for want of a picture. */
async function drawAtEnd({ directory, executor, recipe, note, vocabulary, logs }: Job, step: number): Promise<string> {
  const run = await openRun(directory, {}, async () => vocabulary);
  const path = join(directory, pictureFile);
  const common = { executor, count: usualSamples, seed: settingsOf(recipe).seed, path, note };
  const { text, isDrawn } = await drawWherePossible({ ...run, root: run.facts.root }, common);
  if (isDrawn) logs?.tell({ kind: "picture", step, path });
  return text;
}
