/** Probes: evaluations that judge frozen features, exactly as their published protocol says. */

import type { Random } from "../../graph/index.js";
import { type ArrayShape, hasPictures, isRecorded, isVolume, mediumOf } from "../arrays.js";
import type { Augment, PixelSize } from "../augment/index.js";
import { type Bound, type Definition, ofKind, type Requirement } from "../block.js";
import type { DetectorFacts } from "../detection/dense.js";
import type { ImageObject } from "../detection/objects.js";
import { int, labels, optional, type Params, ratio, type ValuesOf } from "../params.js";
import type { Saying } from "../saying.js";
import type { JudgedObject } from "./contours.js";
import type { Features, Passes } from "./features.js";
import type { JudgedPlaces } from "./overlaps.js";
import type { Propagation } from "./propagation.js";
import type { Looks, ScoredRecord } from "./scored-records.js";
import type { ShapeErrors } from "./shapes.js";
import { slidingOf } from "./sliding.js";
import type { ValueErrors } from "./value-errors.js";

export type { Features, Passes } from "./features.js";
export type { Looks, ScoredRecord } from "./scored-records.js";

export interface ProbeResult {
  /** Named scores, the first is the headline: `{ top1: 0.93, top5: 0.99 }`. In [0, 1] where the probe's scale is `share`. */
  readonly scores: Readonly<Record<string, number>>;
  /** The protocol in words, with the values used and what was chosen by validation. */
  readonly protocol: string;
  /** What scores are made of, class by class, where there is more to tell: plain values that can be written as JSON. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface ProbeContext {
  /** Classes of the model's head; null: it has none. */
  readonly classes: number | null;
  /** Features of a token. */
  readonly encoderWidth: number;
  /** What the model's head says; null: it has none. */
  readonly says: Saying | null;
  /** Whether that are parts of clouds. */
  readonly parts: boolean;
  /** What the model reads. */
  readonly arrays: readonly ArrayShape[];
  /** Targets that it predicts, and labels of those that are made of what its own decoder predicts. */
  readonly targets: number;
  readonly imitations: readonly string[];
}

/** What a probe is that judges features computed once. */
export interface FeatureProbe<P extends Params = Params> extends Definition<P, ProbeContext> {
  /**
   * What it is given as features: those of the encoder when absent, or what the model's own head says, a logit for each class or a
   * number, of the test images alone.
   */
  readonly sees?: "features" | "predictions";
  /** What of the data it needs: `labels` of training and test images when absent, numbers of both in their place, or training images alone. */
  readonly needs?: "labels" | "images" | "values";
  /** What its scores are; `share` when absent. */
  readonly scale?: "share" | "number";
  /** Whether it can judge samples with several classes; if absent, each has one. */
  readonly several?: true;
  run(
    p: ValuesOf<P>,
    train: Features,
    test: Features,
    random: Random,
    tick?: (done: number, total: number) => void,
  ): Promise<ProbeResult>;
}

/** What a probe is that trains on images cut and mirrored anew in each pass, or on tokens, of which there are too many to keep. */
export interface PassProbe<P extends Params = Params> extends Definition<P, ProbeContext> {
  /** One vector a sample when absent, or every patch's token. */
  readonly sees?: "features" | "tokens";
  readonly needs?: "labels";
  readonly scale?: "share";
  readonly several?: true;
  /** What is done to training images in place of the recipe's crops and flips. */
  views(p: ValuesOf<P>): readonly Bound<Augment>[];
  runPasses(
    p: ValuesOf<P>,
    passes: Passes,
    random: Random,
    tick?: (done: number, total: number) => void,
  ): Promise<ProbeResult>;
}

/** An image in which a detector has looked for objects. */
export interface SeenImage {
  /** What its places say, [places, numbers]. */
  readonly prediction: Float32Array;
  /** What is there. */
  readonly objects: readonly ImageObject[];
}

/** What a probe is that judges the objects found in test images. */
export interface ObjectProbe<P extends Params = Params> extends Definition<P, ProbeContext> {
  readonly sees?: "predictions";
  readonly needs?: "labels";
  readonly scale?: "share";
  readonly several?: true;
  judge(
    p: ValuesOf<P>,
    images: readonly SeenImage[],
    context: { readonly detector: DetectorFacts; readonly image: PixelSize },
    tick?: (done: number, total: number) => void,
  ): Promise<ProbeResult>;
}

/** What a probe is that judges the classes of places of test samples. */
export interface PlaceProbe<P extends Params = Params> extends Definition<P, ProbeContext> {
  readonly sees?: "predictions";
  readonly needs?: "labels";
  readonly scale?: "share" | "number";
  readonly several?: true;
  /** What the model's head says; `places` where absent. */
  readonly judges?: Saying;
  /** What is measured of each sample besides overlaps; if absent, nothing. */
  readonly measures?: "surfaces";
  /** It judges parts of clouds, and nothing else. */
  readonly ofParts?: true;
  judgePlaces(
    p: ValuesOf<P>,
    samples: readonly JudgedPlaces[],
    context: { readonly classes: number },
  ): Promise<ProbeResult>;
}

/** What a probe is that judges the numbers that a head says of places of test samples. */
export interface ValueProbe<P extends Params = Params> extends Definition<P, ProbeContext> {
  readonly sees?: "predictions";
  readonly needs?: "labels";
  readonly scale?: "number";
  readonly several?: true;
  judgeValues(p: ValuesOf<P>, samples: readonly ValueErrors[]): Promise<ProbeResult>;
}

/** What a model makes of two inputs of test samples, each by itself. */
export interface Pairs {
  readonly names: readonly [string, string];
  readonly first: Features;
  readonly second: Features;
}

/** What a probe is that compares what a model makes of two inputs of test samples. */
export interface PairProbe<P extends Params = Params> extends Definition<P, ProbeContext> {
  readonly sees?: "features";
  readonly needs?: "images";
  readonly scale?: "share";
  readonly several?: true;
  /** The two outputs; null: those of the first two inputs. */
  between(p: ValuesOf<P>): readonly string[] | null;
  /** Test samples that are looked at, at most. */
  samples(p: ValuesOf<P>): number;
  judgePairs(p: ValuesOf<P>, pairs: Pairs, tick?: (done: number, total: number) => void): Promise<ProbeResult>;
}

/** What a probe is that judges how features carry regions along sequences of frames, which it names itself. */
export interface SequenceProbe<P extends Params = Params> extends Definition<P, ProbeContext> {
  readonly sees?: "features";
  readonly needs?: "images";
  readonly scale?: "share";
  readonly several?: true;
  /** Folders of frames and of maps, and how labels are carried. */
  sequences(p: ValuesOf<P>): { readonly frames: string; readonly maps: string; readonly how: Propagation };
  judgeSequences(p: ValuesOf<P>, objects: readonly JudgedObject[]): Promise<ProbeResult>;
}

/** What a probe is that judges how badly a model completes test samples. */
export interface AnomalyProbe<P extends Params = Params> extends Definition<P, ProbeContext> {
  readonly sees?: "reconstructions";
  readonly needs?: "labels";
  readonly scale?: "share";
  looks(p: ValuesOf<P>): Looks;
  judgeRecords(p: ValuesOf<P>, records: readonly ScoredRecord[]): Promise<ProbeResult>;
}

/** What a probe is that judges predicted volumes of which no encoder sees anything, beside those that are there. */
export interface ShapeProbe<P extends Params = Params> extends Definition<P, ProbeContext> {
  readonly sees?: "reconstructions";
  readonly needs?: "images";
  readonly scale?: "number";
  readonly several?: true;
  /** From which number on a place is filled, and the distance within which a place of a surface counts as found. */
  shapes(p: ValuesOf<P>): { readonly threshold: number; readonly near: number };
  judgeShapes(p: ValuesOf<P>, samples: readonly ShapeErrors[]): Promise<ProbeResult>;
}

export type Probe<P extends Params = Params> =
  | FeatureProbe<P>
  | PassProbe<P>
  | ObjectProbe<P>
  | PlaceProbe<P>
  | ValueProbe<P>
  | PairProbe<P>
  | SequenceProbe<P>
  | AnomalyProbe<P>
  | ShapeProbe<P>;

/** Whether a probe goes through the images again and again: it takes far longer than one of features computed once. */
export const isPassProbe = (probe: Probe): probe is PassProbe => "runPasses" in probe;

export const isAnomalyProbe = (probe: Probe): probe is AnomalyProbe => "judgeRecords" in probe;

export const isShapeProbe = (probe: Probe): probe is ShapeProbe => "judgeShapes" in probe;

export const isObjectProbe = (probe: Probe): probe is ObjectProbe => "judge" in probe;

export const isPlaceProbe = (probe: Probe): probe is PlaceProbe => "judgePlaces" in probe;

export const isPairProbe = (probe: Probe): probe is PairProbe => "judgePairs" in probe;

export const isValueProbe = (probe: Probe): probe is ValueProbe => "judgeValues" in probe;

export const isSequenceProbe = (probe: Probe): probe is SequenceProbe => "judgeSequences" in probe;

/** Whether a probe compares labels and takes one of each sample. */
export const needsOneClass = (probe: Probe): boolean =>
  !isAnomalyProbe(probe) &&
  !probe.several &&
  probe.needs !== "images" &&
  probe.needs !== "values" &&
  !isObjectProbe(probe) &&
  !isPlaceProbe(probe) &&
  !isValueProbe(probe);

/** Whether it looks at test samples: one of training samples alone does not, nor one that names its own sequences. */
export const needsTests = (one: Probe): boolean => !isSequenceProbe(one) && !("run" in one && one.needs === "images");

/** What a model's head has to say for a probe that judges it. */
export const sayingJudged = (probe: Probe): Saying =>
  isObjectProbe(probe)
    ? "objects"
    : isPlaceProbe(probe)
      ? (probe.judges ?? "places")
      : isValueProbe(probe)
        ? "values"
        : probe.sees === "predictions" && probe.needs === "values"
          ? "number"
          : "classes";

export const definePlaceProbe = <const P extends Params>(probe: PlaceProbe<P>): PlaceProbe<P> =>
  ofKind("probe", { ...probe, sees: "predictions" as const });

export const defineValueProbe = <const P extends Params>(probe: ValueProbe<P>): ValueProbe<P> =>
  ofKind("probe", { ...probe, sees: "predictions" as const, scale: "number" as const });

export const definePairProbe = <const P extends Params>(probe: PairProbe<P>): PairProbe<P> =>
  ofKind("probe", { ...probe, needs: "images" as const });

export const defineSequenceProbe = <const P extends Params>(probe: SequenceProbe<P>): SequenceProbe<P> =>
  ofKind("probe", { ...probe, needs: "images" as const });

export const defineObjectProbe = <const P extends Params>(probe: ObjectProbe<P>): ObjectProbe<P> =>
  ofKind("probe", { ...probe, sees: "predictions" });

/** Of probes that judge the classes of places. */
export const saysPlaces: Requirement<Params, ProbeContext> = {
  name: "places",
  at: null,
  doc: "The model has a head that says what stands at each place.",
  holds: (_, { says }) => says === "places",
  say: () => "the model does not say what stands at each place",
  help: () => "judge its features or classes, or give it a head such as `segmentation`",
};

/** Only what a model predicts can be compared with what is there. */
const predicts: Requirement<Params, ProbeContext> = {
  name: "predicts",
  at: null,
  doc: "The model completes what it sees: it has a target.",
  holds: (_, { targets }) => targets > 0,
  say: () => "the model predicts nothing of what it reads",
  help: () => "judge a model with a mask, a decoder and a target",
};

export const defineAnomalyProbe = <const P extends Params>(probe: AnomalyProbe<P>): AnomalyProbe<P> =>
  ofKind("probe", { ...probe, requires: [...(probe.requires ?? []), predicts] });

export const defineShapeProbe = <const P extends Params>(probe: ShapeProbe<P>): ShapeProbe<P> =>
  ofKind("probe", {
    ...probe,
    requires: [...(probe.requires ?? []), predicts],
    needs: "images" as const,
    scale: "number" as const,
  });

/** Whose features a probe judges: a parameter of all that see some. */
const ofOutput = {
  of: optional(
    labels({
      parts: true,
      doc: "The encoder whose features it judges, by label, such as `[joint]`, or what that makes of one input, `[joint.audio]`. If absent, the features of all inputs.",
    }),
  ),
};

/** How many parts of a sample are looked at, whose features or shares of classes are averaged: of all probes that go over the samples once. */
const ofViews = {
  clips: int({
    min: 1,
    max: 1024,
    default: 1,
    doc: "Parts of each video or recording, evenly spread from its beginning to its end, that count together as their mean; of 1, the middle.",
  }),
  crops: int({
    min: 1,
    max: 64,
    default: 1,
    doc: "Parts of each picture, evenly spread along its longer side, that count together as their mean; of 1, the middle.",
  }),
};

/** What of test samples is not there: of all probes that go over the samples once. */
const ofMissing = {
  missing: optional(
    ratio({
      max: 0.99,
      doc: "Share of the leads of each test signal that are missing, drawn for each sample: zeros stand for them. If absent, none.",
    }),
  ),
};

const isTimed = (array: ArrayShape): boolean => mediumOf(array) === "video" || isRecorded(array);
const hasLeads = ({ axes }: ArrayShape): boolean => axes[0]?.name === "lead";
const isCropped = (array: ArrayShape): boolean => hasPictures(array) && !isVolume(array);

const viewsFit: readonly Requirement<Params, ProbeContext>[] = [
  {
    name: "clips",
    at: "clips",
    doc: "Of videos and recordings alone several clips are looked at.",
    holds: ({ clips }, { arrays }) => (clips as number) === 1 || arrays.some(isTimed),
    say: () => "the model reads nothing that lies in time",
    help: () => "remove `clips`",
  },
  {
    name: "crops",
    at: "crops",
    doc: "Of pictures alone several crops are looked at.",
    holds: ({ crops }, { arrays }) => (crops as number) === 1 || arrays.some(isCropped),
    say: () => "the model reads no pictures that are cropped",
    help: () => "remove `crops`",
  },
];

const missingFits: Requirement<Params, ProbeContext> = {
  name: "missing",
  at: "missing",
  doc: "Leads are missing of signals alone.",
  holds: ({ missing }, { arrays }) => !missing || arrays.some(hasLeads),
  say: () => "the model reads no leads that could be missing",
  help: () => "remove `missing`",
};

/** Share of the leads of test signals that a probe leaves out. */
export const missingOf = ({ values }: Pick<Bound<Probe>, "values">): number => (values.missing ?? 0) as number;

/** The parts of a sample that a probe looks at. */
export const viewsOfProbe = ({
  values,
}: Pick<Bound<Probe>, "values">): { readonly clips: number; readonly crops: number } => ({
  clips: (values.clips ?? 1) as number,
  crops: (values.crops ?? 1) as number,
});

export const definePassProbe = <const P extends Params>(probe: PassProbe<P>): PassProbe<P> =>
  ofKind("probe", { ...probe, params: { ...probe.params, ...ofOutput } });

export const defineProbe = <const P extends Params>(probe: FeatureProbe<P>): FeatureProbe<P> =>
  ofKind("probe", {
    ...probe,
    params: {
      ...probe.params,
      ...(probe.sees === "predictions" ? {} : ofOutput),
      ...ofViews,
      ...(probe.needs === "images" ? {} : ofMissing),
    },
    requires: [...(probe.requires ?? []), ...viewsFit, ...(probe.needs === "images" ? [] : [missingFits])],
  });

/** The output that a probe judges, by name; undefined: the features of all inputs. */
export const judgedOutput = ({ values }: Pick<Bound<Probe>, "values">): string | undefined =>
  ((values.of ?? []) as readonly string[])[0];

/** `knn`, `knn without 50 % of leads`, or `segmentation by windows`. */
export function conditionName(probe: Bound<Probe>): string {
  const missing = missingOf(probe);
  const name = `${probe.definition.name}${slidingOf(probe) ? " by windows" : ""}`;
  return missing === 0 ? name : `${name} without ${Number((100 * missing).toPrecision(4))} % of leads`;
}

/** `knn`, or `knn of joint`: what scores are told under. */
export function probeName(probe: Bound<Probe>): string {
  const of = judgedOutput(probe);
  return of === undefined ? conditionName(probe) : `${conditionName(probe)} of ${of}`;
}

/** Gives the caller's timers and signals their turn: a progress bar moves, an interrupt is heard. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
