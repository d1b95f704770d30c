/** What is evaluated, and what comes of it. */

import {
  type Augment,
  conditionName,
  DataError,
  type Probe,
  type ProbeResult,
  type Sliding,
} from "../../blocks/index.js";
import { type Random, randomStream } from "../../graph/index.js";
import type { EvaluationBatch, TrainingPass, Views } from "../data/batches.js";
import type { Canvas } from "../data/image/png.js";
import type { Parts, SampleRecord } from "../data/records.js";
import type { WholeSample } from "../data/whole.js";
import type { Executor } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import type { ColourScale } from "./colours.js";
import type { LabelledBatch, Selection } from "./features.js";

/** Whose features: the trained encoder's, those of the same encoder with first weights of its own, or the pixels. */
export type FeatureSource = "encoder" | "untrained" | "pixels";

/** What a probe judges: features, the predictions of the model's own head, what it predicts when it is shown nothing, or what can be told without a model. */
export type JudgedSource = FeatureSource | "head" | "blank" | "plain";

/** A data set, read from the beginning at each call; labels and test images are for the probes that need them. */
export interface LabelledData {
  readonly train: (views?: Views) => AsyncIterable<LabelledBatch>;
  /** `views`: each sample in so many rows, one after another; if absent, in one. */
  readonly test: (views?: Views) => AsyncIterable<LabelledBatch>;
  /** Test samples with what the places of a model's head are judged by; if absent, they cannot be. */
  readonly places?: () => AsyncIterable<LabelledBatch>;
  /** The same samples as wholes, which may be larger than the model's input; if absent, windows cannot lie over them. */
  readonly wholes?: (pictures: Sliding["pictures"]) => AsyncIterable<WholeSample>;
  /** Where sequences are that probes name, and how colours of frames are normalised; if absent, they lie in the working folder and are not. */
  readonly sequences?: { readonly root: string; readonly colours: ColourScale | null };
  readonly classes: readonly string[];
  /** Whether samples have any number of classes; if absent, each has one. */
  readonly several?: true;
  /** Whether samples have a number that features are to tell; if absent, they have none. */
  readonly valued?: true;
  /** The test samples as records in time, and a row for each of their parts, one record after another; if absent, anomalies are not looked for. */
  readonly records?: (parts: Parts) => Promise<{
    readonly records: readonly SampleRecord[];
    /** Of the test samples: training samples of anomalies are of none, or of one alone. */
    readonly classes: readonly string[];
    readonly batches: () => AsyncIterable<EvaluationBatch>;
  }>;
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
  /** Is given a picture of each sequence through which regions were carried. */
  readonly draw?: (sequence: string, canvas: Canvas) => Promise<void>;
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
  /** Where samples have any number of classes. */
  readonly several?: true;
  readonly class_names: readonly string[];
  readonly samples: { readonly train: number; readonly test: number };
  readonly executor: { readonly name: string; readonly backend: string; readonly device: string };
  /** Of reading images and computing all features. */
  readonly featureSeconds: number;
  readonly rows: readonly EvaluationRow[];
}

/** Features of one kind. */
export interface Kind {
  readonly source: JudgedSource;
  readonly selection: Selection | null;
}

/** A row of what a probe finds. Throws `run/data` where the data are not what it needs. */
export async function rowOf(
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
    probe: conditionName({ definition, values }),
    values,
    scale: definition.scale ?? "share",
    scores,
    protocol,
    ...(details ? { details } : {}),
    seconds: secondsSince(started),
  };
}

/** To the millisecond. */
export const secondsSince = (start: number): number => Math.round(performance.now() - start) / 1000;
