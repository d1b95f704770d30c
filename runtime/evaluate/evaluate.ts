/**
 * Judges the features of a trained encoder with probes, beside the same probes on raw pixels and on an encoder that was
 * never trained: without these two a number says little.
 */

import {
  type Augment,
  DataError,
  type FeatureProbe,
  type Features,
  hasPictures,
  isPassProbe,
  type Passes,
  type PassProbe,
  type Probe,
  type ProbeResult,
  type SampleWords,
  wordsOf,
} from "../../blocks/index.js";
import { invariant, type Random, randomStream } from "../../graph/index.js";
import type { TrainingPass } from "../data/batches.js";
import type { Executor } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { initialWeights } from "../train/weights.js";
import {
  checkedLabels,
  collectFeatures,
  encoderReader,
  type FeatureReader,
  type LabelledBatch,
  predictionReader,
  type Selection,
} from "./features.js";
import type { Trained } from "./frozen.js";
import { pixelReader } from "./plain-values.js";

/** Whose features: the trained encoder's, those of the same encoder with first weights of its own, or the pixels. */
export type FeatureSource = "encoder" | "untrained" | "pixels";

/** What a probe judges: features, or the predictions of the model's own head. */
export type JudgedSource = FeatureSource | "head";

/** A data set, read from the beginning at each call; labels and test images are for the probes that need them. */
export interface LabelledData {
  readonly train: () => AsyncIterable<LabelledBatch>;
  readonly test: () => AsyncIterable<LabelledBatch>;
  readonly classes: readonly string[];
  /** The training images again and again, for probes that see them anew in each pass; if absent, those cannot judge. */
  readonly passes?: {
    /** Images of a pass. */
    readonly samples: number;
    /** `views`: what is done to them in place of the recipe's crops and flips. */
    readonly batches: (views: readonly Bound<Augment>[], pass: TrainingPass) => AsyncIterable<LabelledBatch>;
  };
}

export interface EvaluateOptions {
  readonly data: LabelledData;
  /** Images of a batch of `data`. */
  readonly batch: number;
  readonly executor: Executor;
  readonly sources: readonly FeatureSource[];
  /** Of the two encoders. */
  readonly selections: readonly Selection[];
  /** Seed of the probes and of the untrained encoder. */
  readonly seed: number;
  readonly report?: (progress: EvaluationProgress) => void;
}

export interface EvaluationProgress {
  /** `features` or the name of a probe. */
  readonly stage: string;
  readonly done: number;
  /** Null where it is not known. */
  readonly total: number | null;
}

/** One probe on one kind of features. */
export interface EvaluationRow {
  readonly source: JudgedSource;
  /** The output of a model of several arrays; if absent, its features of all of them. */
  readonly of?: string;
  /** Null for pixels and predictions. */
  readonly pool: Selection["pool"] | null;
  readonly layer: Selection["layer"] | null;
  /** Length of a feature vector. */
  readonly width: number;
  readonly probe: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Whether the scores are in [0, 1]. */
  readonly scale: "share" | "number";
  /** The first is the headline. */
  readonly scores: Readonly<Record<string, number>>;
  readonly protocol: string;
  /** What a probe has to tell beside its scores. */
  readonly details?: ProbeResult["details"];
  /** Of the probe alone. */
  readonly seconds: number;
}

/** A plain value that can be written as JSON. */
export interface Evaluation {
  readonly model: string;
  readonly seed: number;
  readonly classes: number;
  readonly class_names: readonly string[];
  readonly samples: { readonly train: number; readonly test: number };
  readonly executor: { readonly name: string; readonly backend: string; readonly device: string };
  /** Of reading images and computing all features. */
  readonly featureSeconds: number;
  readonly rows: readonly EvaluationRow[];
}

/** Features of one kind. */
interface Kind {
  readonly source: JudgedSource;
  readonly selection: Selection | null;
}

/** Those of the training and the test images. */
interface Judged extends Kind {
  readonly train: Features;
  readonly test: Features;
}

/**
 * Runs each probe on each kind of features.
 * @param model the program and the weights to judge.
 * @param probes with checked values; a probe draws the same random numbers for every kind of features.
 * @throws RunError `run/data` when the data cannot be used, `run/features` for features that the model does not have,
 * `run/weights-not-finite` for broken weights.
 */
export async function evaluate(
  model: Trained,
  probes: readonly Bound<Probe>[],
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { executor, seed, data } = options;
  const started = performance.now();
  const ofPasses = probes.filter(isOf(isPassProbe));
  const ofImages = probes.filter(isOf((probe): probe is FeatureProbe => !isPassProbe(probe)));
  const ofHead = ofImages.filter(({ definition }) => definition.sees === "predictions");
  const ofFeatures = ofImages.filter((probe) => !ofHead.includes(probe));
  const predicted = ofHead.length > 0 ? await readPredictions(model, options) : null;
  const isLabelled = ofFeatures.some(({ definition }) => definition.needs !== "images");
  const judged = ofFeatures.length > 0 ? await readAll(model, isLabelled, options) : [];
  const featureSeconds = secondsSince(started);
  const rows: EvaluationRow[] = [];
  if (predicted) for (const probe of ofHead) rows.push(await judge(predicted, probe, options));
  for (const features of judged) {
    for (const probe of ofFeatures) rows.push(await judge(features, probe, options));
  }
  const inPasses = await judgeInPasses(model, ofPasses, options);
  const read = judged[0] ?? predicted;
  return {
    model: model.program.name,
    seed,
    classes: data.classes.length,
    class_names: data.classes,
    samples: read ? { train: read.train.count, test: read.test.count } : inPasses.samples,
    executor: { name: executor.name, backend: executor.backend, device: executor.device },
    featureSeconds,
    rows: [...rows, ...inPasses.rows],
  };
}

const isOf =
  <P extends Probe>(is: (probe: Probe) => probe is P) =>
  (bound: Bound<Probe>): bound is Bound<P> =>
    is(bound.definition);

const judge = ({ train, test, ...kind }: Judged, probe: Bound<FeatureProbe>, options: EvaluateOptions) =>
  rowOf(kind, train.width, probe, options, (random, tick) =>
    probe.definition.run(probe.values, train, test, random, tick),
  );

/** A row of what a probe finds. Throws `run/data` where the data are not what it needs. */
async function rowOf(
  { source, selection }: Kind,
  width: number,
  { definition, values }: Bound<Probe>,
  { seed, report }: Pick<EvaluateOptions, "seed" | "report">,
  run: (random: Random, tick: (done: number, total: number) => void) => Promise<ProbeResult>,
): Promise<EvaluationRow> {
  const started = performance.now();
  const tick = (done: number, total: number) => report?.({ stage: definition.name, done, total });
  const { scores, protocol, details } = await run(randomStream(seed, "probe"), tick).catch((error: unknown) => {
    if (!(error instanceof DataError)) throw error;
    throw new RunError("run/data", { what: `${definition.name}: ${error.what}`, help: error.help }, { cause: error });
  });
  return {
    source,
    ...(selection?.of === undefined ? {} : { of: selection.of }),
    pool: selection?.pool ?? null,
    layer: selection?.layer ?? null,
    width,
    probe: definition.name,
    values,
    scale: definition.scale ?? "share",
    scores,
    protocol,
    ...(details ? { details } : {}),
    seconds: secondsSince(started),
  };
}

/** Probes that go through the images again and again, one kind of features after the other. */
async function judgeInPasses(
  model: Trained,
  probes: readonly Bound<PassProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  const rows: EvaluationRow[] = [];
  let samples = { train: 0, test: 0 };
  for (const probe of probes) {
    for (const kind of kindsFor(probe.definition, options)) {
      const selections = kind.selection ? [kind.selection] : [];
      const reader = await readerOf(kind.source as FeatureSource, model, { ...options, selections });
      try {
        const passes = passesOf(reader, model.program, probe, options);
        const { width } = passes;
        rows.push(
          await rowOf(kind, width, probe, options, (random, tick) =>
            probe.definition.runPasses(probe.values, passes, random, tick),
          ),
        );
        samples = { train: passes.samples, test: passes.seen() };
      } finally {
        await reader.close();
      }
    }
  }
  return { rows, samples };
}

/** Pixels have no tokens, and tokens are of a layer, whatever else is pooled. */
function kindsFor({ sees }: PassProbe, { sources, selections }: EvaluateOptions): readonly Kind[] {
  const ofTokens = selections.map(({ pool: _, ...rest }): Selection => ({ ...rest, pool: "tokens" }));
  const own = sees === "tokens" ? ofTokens.slice(0, 1) : selections;
  return sources.flatMap((source): readonly Kind[] => {
    if (source === "pixels") return sees === "tokens" ? [] : [{ source, selection: null }];
    return own.map((selection) => ({ source, selection }));
  });
}

/** `seen`: test samples of the last pass over them. */
function passesOf(
  reader: FeatureReader,
  { arrays, name }: Trained["program"],
  { definition, values }: Bound<PassProbe>,
  { data, seed }: EvaluateOptions,
): Passes & { readonly seen: () => number } {
  const classes = data.classes.length;
  const { passes } = data;
  if (!Object.values(arrays).some(hasPictures)) {
    throw new RunError("run/data", {
      what: `${definition.name} cuts and mirrors pictures, and ${name} reads ${wordsOf(arrays).sample}s`,
      help: "Judge by a probe of fixed features.",
    });
  }
  if (!passes || classes < 2 || passes.samples < 2) {
    throw new RunError("run/data", {
      what: `${definition.name} needs training samples of two classes or more, in passes over them`,
      help: "Name data with labels.",
    });
  }
  const views = definition.views(values);
  const length = reader.widths[0] as number;
  const tokens = reader.tokens?.[0] ?? 1;
  const width = length / tokens;
  let seen = 0;
  async function* read(batches: AsyncIterable<LabelledBatch>): AsyncGenerator<Features> {
    for await (const batch of batches) {
      const [numbers] = await reader.read(batch);
      invariant(numbers, "a reader reads what it is asked for");
      const labels = checkedLabels(batch, classes);
      const one = { values: numbers, labels, count: batch.count, width, classes };
      yield definition.sees === "tokens" ? { ...one, tokens } : one;
    }
  }
  return {
    samples: passes.samples,
    classes,
    width,
    tokens,
    seen: () => seen,
    train: (epoch) => read(passes.batches(views, { seed, epoch })),
    async *test() {
      seen = 0;
      for await (const features of read(data.test())) {
        seen += features.count;
        yield features;
      }
    },
  };
}

/** To the millisecond. */
const secondsSince = (start: number): number => Math.round(performance.now() - start) / 1000;

/** `isLabelled`: labels are asked for, and test images read. */
async function readAll(model: Trained, isLabelled: boolean, options: EvaluateOptions): Promise<readonly Judged[]> {
  const { data, sources, selections, report } = options;
  const readers: FeatureReader[] = [];
  try {
    for (const source of sources) readers.push(await readerOf(source, model, options));
    const tick = (done: number) => report?.({ stage: "features", done, total: null });
    const classes = isLabelled ? data.classes.length : null;
    const train = await collectFeatures(readers, data.train(), classes, tick);
    const test = await collectFeatures(readers, isLabelled ? data.test() : noImages(), classes, tick);
    const judged = sources.flatMap((source, r) =>
      (source === "pixels" ? [null] : selections).map(
        (selection, i): Judged => ({
          source,
          selection,
          train: train[r]?.[i] as Features,
          test: test[r]?.[i] as Features,
        }),
      ),
    );
    if (isLabelled) for (const features of judged) checkEnough(features, wordsOf(model.program.arrays));
    return judged;
  } finally {
    for (const reader of readers) await reader.close();
  }
}

async function* noImages(): AsyncGenerator<LabelledBatch> {}

/** The head's classes of the test images; nothing of the training images. */
async function readPredictions(model: Trained, { data, executor, batch, report }: EvaluateOptions): Promise<Judged> {
  const reader = await predictionReader(model, executor, batch);
  try {
    const tick = (done: number) => report?.({ stage: "predictions", done, total: null });
    const [[test] = []] = await collectFeatures([reader], data.test(), data.classes.length, tick);
    const width = reader.widths[0] as number;
    if (!test || test.count === 0) {
      const { sample } = wordsOf(model.program.arrays);
      throw new RunError("run/data", {
        what: `There are no test ${sample}s to judge classes on`,
        help: `Name a test split, or hold some ${sample}s out.`,
      });
    }
    const none: Features = { ...test, values: new Float32Array(0), labels: new Int32Array(0), count: 0, width };
    return { source: "head", selection: null, train: none, test };
  } finally {
    await reader.close();
  }
}

async function readerOf(
  source: FeatureSource,
  model: Trained,
  { executor, selections, batch, seed }: EvaluateOptions,
): Promise<FeatureReader> {
  const { program } = model;
  switch (source) {
    case "pixels":
      return pixelReader(program);
    case "encoder":
      return encoderReader(model, executor, selections, batch);
    case "untrained":
      return encoderReader({ program, weights: initialWeights(program.parameters, seed) }, executor, selections, batch);
  }
}

function checkEnough({ train, test }: Judged, { sample }: SampleWords): void {
  if (train.classes >= 2 && train.count >= train.classes && test.count > 0) return;
  throw new RunError("run/data", {
    what: `A probe cannot judge ${train.count} training and ${test.count} test ${sample}s of ${train.classes} classes`,
    help: `It needs two classes or more, at least as many training ${sample}s as classes, and test ${sample}s.`,
  });
}
