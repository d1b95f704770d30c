/**
 * Judges the features of a trained encoder with probes, beside the same probes on raw pixels and on an encoder that was
 * never trained: without these two a number says little.
 */

import {
  type FeatureProbe,
  type Features,
  isAnomalyProbe,
  isObjectProbe,
  isPairProbe,
  isPassProbe,
  isPlaceProbe,
  isSequenceProbe,
  isShapeProbe,
  isValueProbe,
  missingOf,
  needsOneClass,
  type Probe,
  type SampleWords,
  viewsOfProbe,
  wordsOf,
} from "../../blocks/index.js";
import type { Views } from "../data/batches.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { judgeAnomalies } from "./anomaly.js";
import {
  type EvaluateOptions,
  type Evaluation,
  type EvaluationRow,
  type Kind,
  rowOf,
  secondsSince,
} from "./contract.js";
import { collectFeatures, type FeatureReader, type LabelledBatch, predictionReader } from "./features.js";
import type { Trained } from "./frozen.js";
import { classShares, eachShare, meanOverViews } from "./mean-views.js";
import { withMissingLeads } from "./missing-leads.js";
import { judgeObjects } from "./objects.js";
import { judgePairs } from "./pairs.js";
import { judgeInPasses, readerOf } from "./passes.js";
import { judgeValues } from "./place-values.js";
import { judgePlaces } from "./places.js";
import { judgeSequences } from "./sequences.js";
import { judgeShapes } from "./shapes.js";

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
  checkSeveral(data.several ?? false, probes);
  const ofPasses = probes.filter(isOf(isPassProbe));
  const ofObjects = probes.filter(isOf(isObjectProbe));
  const ofPlaces = probes.filter(isOf(isPlaceProbe));
  const ofPairs = probes.filter(isOf(isPairProbe));
  const ofValues = probes.filter(isOf(isValueProbe));
  const ofSequences = probes.filter(isOf(isSequenceProbe));
  const ofImages = probes.filter(isOf(isFeatureProbe));
  const ofRecords = probes.filter(isOf(isAnomalyProbe));
  const ofShapes = probes.filter(isOf(isShapeProbe));
  const ofHead = ofImages.filter(({ definition }) => definition.sees === "predictions");
  const ofFeatures = ofImages.filter((probe) => !ofHead.includes(probe));
  const rows: EvaluationRow[] = [];
  let [read, featureSeconds]: [Judged | null, number] = [null, 0];
  for (const group of byViews(ofHead)) {
    if (isOfNumbers(group.probes) && !data.valued) throw withoutNumbers();
    const predicted = await readPredictions(model, group, options);
    featureSeconds += secondsSince(started);
    for (const probe of group.probes) rows.push(await judge(predicted, probe, options));
    read = predicted;
  }
  for (const { probes: own, ...looking } of byViews(ofFeatures)) {
    const needs = new Set(own.map(({ definition }) => definition.needs ?? "labels"));
    if (needs.has("values") && !data.valued) throw withoutNumbers();
    const [isLabelled, isTested] = [needs.has("labels"), needs.has("labels") || needs.has("values")];
    const before = performance.now();
    const judged = await readAll(model, { isLabelled, isTested, ...looking }, options);
    featureSeconds += secondsSince(before);
    for (const features of judged) for (const probe of own) rows.push(await judge(features, probe, options));
    read = judged[0] ?? read;
  }
  const inPasses = await judgeInPasses(model, ofPasses, options);
  const found = await judgeObjects(model, ofObjects, options);
  const placed = await judgePlaces(model, ofPlaces, options);
  const valued = await judgeValues(model, ofValues, options);
  const paired = await judgePairs(model, ofPairs, options);
  const carried = await judgeSequences(model, ofSequences, options);
  const odd = await judgeAnomalies(model, ofRecords, options);
  const shaped = await judgeShapes(model, ofShapes, options);
  return {
    model: model.program.name,
    seed,
    classes: data.classes.length,
    ...(data.several ? { several: true as const } : {}),
    class_names: data.classes,
    samples: read
      ? { train: read.train.count, test: read.test.count }
      : ofPasses.length > 0
        ? inPasses.samples
        : ofPlaces.length > 0
          ? placed.samples
          : ofValues.length > 0
            ? valued.samples
            : ofObjects.length > 0
              ? found.samples
              : ofPairs.length > 0
                ? paired.samples
                : ofSequences.length > 0
                  ? carried.samples
                  : ofShapes.length > 0
                    ? shaped.samples
                    : odd.samples,
    executor: { name: executor.name, backend: executor.backend, device: executor.device },
    featureSeconds,
    rows: [...rows, ...[inPasses, found, placed, valued, paired, carried, odd, shaped].flatMap((one) => one.rows)],
  };
}

/** Throws for probes that compare one class of each sample, where samples have several. */
function checkSeveral(several: boolean, probes: readonly Bound<Probe>[]): void {
  const unfit = probes.filter(({ definition }) => needsOneClass(definition));
  if (!several || unfit.length === 0) return;
  throw new RunError("run/data", {
    what: `The samples have several classes each, and ${unfit.map(({ definition }) => definition.name).join(", ")} compares one of each`,
    help: "Judge by `linear`, or a head by `accuracy`, which judge each class by itself.",
  });
}

const isFeatureProbe = (probe: Probe): probe is FeatureProbe => "run" in probe;

const isOf =
  <P extends Probe>(is: (probe: Probe) => probe is P) =>
  (bound: Bound<Probe>): bound is Bound<P> =>
    is(bound.definition);

const judge = ({ train, test, ...kind }: Judged, probe: Bound<FeatureProbe>, options: EvaluateOptions) =>
  rowOf(kind, train.width, probe, options, async (random, tick) => {
    const result = await probe.definition.run(probe.values, train, test, random, tick);
    const { clips, crops } = viewsOfProbe(probe);
    const what =
      kind.source !== "head" ? "features" : probe.definition.needs === "values" ? "numbers" : "shares of classes";
    const parts = [...(clips > 1 ? [`${clips} clips`] : []), ...(crops > 1 ? [`${crops} crops`] : [])].join(" x ");
    return parts === "" ? result : { ...result, protocol: `${result.protocol}; ${what} averaged over ${parts}` };
  });

/** What of samples is looked at. */
interface Looking {
  readonly views: Views;
  /** Share of the leads of test samples that are missing. */
  readonly missing: number;
}

/** Probes that look at the same parts of samples, of which features are read once. */
function byViews(probes: readonly Bound<FeatureProbe>[]) {
  const groups = new Map<string, Looking & { readonly probes: Bound<FeatureProbe>[] }>();
  for (const probe of probes) {
    const [views, missing] = [viewsOfProbe(probe), missingOf(probe)];
    const key = `${views.clips}x${views.crops}, ${missing}`;
    const group = groups.get(key) ?? { views, missing, probes: [] };
    group.probes.push(probe);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const withoutNumbers = (): RunError =>
  new RunError("run/data", {
    what: "The samples have no number that features could tell",
    help: 'Name where the numbers are in the recipe\'s data: `table(..., value: "price")`, `text(..., values: "energies.txt")`.',
  });

/** `isLabelled`: labels are asked for. `isTested`: test images are read. */
async function readAll(
  model: Trained,
  { isLabelled, isTested, views, missing }: Looking & { readonly isLabelled: boolean; readonly isTested: boolean },
  options: EvaluateOptions,
): Promise<readonly Judged[]> {
  const { data, sources, selections, seed, report } = options;
  const readers: FeatureReader[] = [];
  try {
    for (const source of sources) readers.push(await readerOf(source, model, options));
    const tick = (done: number) => report?.({ stage: "features", done, total: null });
    const classes = isLabelled ? data.classes.length : null;
    const averaged = (all: readonly (readonly Features[])[]) =>
      all.map((kinds) => kinds.map((features) => meanOverViews(features, views)));
    const train = averaged(await collectFeatures(readers, data.train(views), classes, tick));
    const shown = isTested ? withMissingLeads(data.test(views), model.program, { views, missing, seed }) : noImages();
    const test = averaged(await collectFeatures(readers, shown, classes, tick));
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

const isOfNumbers = (probes: readonly Bound<FeatureProbe>[]): boolean =>
  probes.some(({ definition }) => definition.needs === "values");

/** What the head says of the test images; nothing of the training images. */
async function readPredictions(
  model: Trained,
  { views, missing, probes }: Looking & { readonly probes: readonly Bound<FeatureProbe>[] },
  { data, executor, batch, seed, report }: EvaluateOptions,
): Promise<Judged> {
  const reader = await predictionReader(model, executor, batch);
  const isOfClasses = !isOfNumbers(probes);
  try {
    const tick = (done: number) => report?.({ stage: "predictions", done, total: null });
    const [[all] = []] = await collectFeatures(
      [reader],
      withMissingLeads(data.test(views), model.program, { views, missing, seed }),
      isOfClasses ? data.classes.length : null,
      tick,
    );
    const shares = all?.several ? eachShare : classShares;
    const test = all && meanOverViews(all, views, isOfClasses ? shares : undefined);
    const width = reader.widths[0] as number;
    if (!test || test.count === 0) {
      const { sample } = wordsOf(model.program.arrays);
      throw new RunError("run/data", {
        what: `There are no test ${sample}s to judge the head on`,
        help: `Name a test split, or hold some ${sample}s out.`,
      });
    }
    const none: Features = { ...test, values: new Float32Array(0), labels: new Int32Array(0), count: 0, width };
    return { source: "head", selection: null, train: none, test };
  } finally {
    await reader.close();
  }
}

function checkEnough({ train, test }: Judged, { sample }: SampleWords): void {
  if (train.classes >= (train.several ? 1 : 2) && train.count >= train.classes && test.count > 0) return;
  throw new RunError("run/data", {
    what: `A probe cannot judge ${train.count} training and ${test.count} test ${sample}s of ${train.classes} classes`,
    help: `It needs two classes or more, at least as many training ${sample}s as classes, and test ${sample}s.`,
  });
}
