/** A recipe: its settings that are plain values, declared like a block's parameters, and what training is given of it. */

import type { Recompute } from "../graph/index.js";
import type { ArrayShape } from "./arrays.js";
import { type Augment, isChanged } from "./augment/index.js";
import type { Bound } from "./block.js";
import type { Dataset } from "./dataset/index.js";
import type { Freezing } from "./layers.js";
import type { Optimizer } from "./optimizer/index.js";
import {
  choice,
  type DurationValue,
  duration,
  int,
  type Param,
  type Params,
  parts,
  real,
  recipes,
  type SourceValue,
  sources,
} from "./params.js";
import type { Probe } from "./probe/index.js";
import type { Schedule } from "./schedule/index.js";

export const recipeSettings = {
  from: sources({
    doc: "Files of weights or runs that the weights start from, or parts of them; if absent, nothing.",
  }) as Param<readonly SourceValue[]>,
  fresh: parts({
    doc: "Parts of the model that start from scratch although `from` says where the weights come from.",
  }) as Param<readonly string[]>,
  adapt: choice({
    options: {
      channels: "Patches of another number of channels: summed to one, repeated to others and scaled, as timm does.",
    },
    doc: "What may differ in the weights of `from`, beside positions; if absent, nothing.",
  }) as Param<"channels">,
  beside: recipes({
    doc: "Recipes of models that have some of the same weights, whose steps take turns with those of this one; if absent, none.",
  }) as Param<readonly string[]>,
  mix: choice({
    options: {
      alternate: "One step of each, in the order in which they are named.",
      proportional: "As many steps of each as its samples fill, spread evenly.",
    },
    doc: "How the steps of recipes `beside` each other take turns; if absent, they alternate.",
  }) as Param<"alternate" | "proportional">,
  batch: int({ min: 1, default: 256, doc: "Samples of one optimizer step." }),
  epochs: int({ min: 1, doc: "Passes over the data; write this or `steps`." }) as Param<number>,
  steps: int({ min: 1, doc: "Optimizer steps; write this or `epochs`." }) as Param<number>,
  repeat: int({
    min: 1,
    max: 1024,
    doc: "How often each sample is taken in a pass over the data, each time cut, varied and masked anew; if absent, once.",
  }) as Param<number>,
  seed: int({ min: 0, default: 0, doc: "Seed of weights, masks, crops and order." }),
  clip: real({
    min: 0,
    openMin: true,
    doc: "Largest global norm of the gradients; if absent, no clipping.",
  }) as Param<number>,
  train: parts({
    doc: "Parts of the model that alone are trained, such as `target.student`; all others stay as they are. If absent, all are trained.",
  }) as Param<readonly string[]>,
  freeze: choice({
    options: {
      patches: "The matrix that makes tokens of the values of patches, with its bias.",
      embedding: "What comes before the first block of an encoder: patches, positions, class token.",
      encoder: "All that sees an input.",
    },
    doc: "Weights that stay as they are; if absent, none.",
  }) as Param<"patches" | "embedding" | "encoder">,
  freeze_blocks: int({
    min: 1,
    max: 1024,
    doc: "So many of the first blocks of each encoder stay as they are, and what comes before them; if absent, none.",
  }) as Param<number>,
  freeze_last: duration({
    doc: "How long the prototypes that end heads stay as they are, from the first step on; if absent, not at all.",
  }) as Param<DurationValue>,
  average: real({
    min: 0,
    openMin: true,
    max: 0.9999999,
    doc: "Share of its old value that a running average of each weight keeps at a step; what is judged, exported and trained on is then the average. If absent, there is none.",
  }) as Param<number>,
  on_nan: choice({
    options: {
      stop: "End the run.",
      rollback: "Go back to the last checkpoint, repeat the steps since but the one that broke, and go on.",
    },
    doc: "What is done when a loss, a gradient or a weight becomes infinite or not a number; if absent, `stop`.",
  }) as Param<"stop" | "rollback">,
  precision: choice({
    default: "float32",
    options: {
      float32: "All numbers in 32-bit floating point.",
      bfloat16:
        "Factors of matrix products and convolutions in bfloat16, on backends that have it; all else as in `float32`.",
    },
    doc: "Number format of training.",
  }),
} satisfies Params;

/**
 * Data or an augmentation, and the input that it is for, by the name of its array. If absent, of data, the only input; of augmentations, all
 * inputs that they change, as one plan where they are drawn.
 */
export type OfInput<B extends Bound> = B & { readonly input?: string };

/** What the factors of matrix products and convolutions are rounded to while a model trains; sums, weights and all else are float32. */
export type Precision = "float32" | "bfloat16";

/** A checked recipe, without the text it came from. */
export interface Training extends Freezing {
  /** One for each input of the model. */
  readonly data: readonly OfInput<Bound<Dataset>>[];
  readonly augment: readonly OfInput<Bound<Augment>>[];
  readonly optimizer: Bound<Optimizer>;
  readonly schedule: Bound<Schedule>;
  /** Samples of one optimizer step. */
  readonly batch: number;
  /**
   * Samples computed at once, of which a batch is a multiple; the gradients of a batch are the means of its micro-batches'.
   * If absent, all of them.
   */
  readonly microBatch?: number;
  /** What is computed again for gradients instead of kept; if absent, nothing. */
  readonly recompute?: Recompute;
  /** One of the two is set. */
  readonly epochs: number | null;
  readonly steps: number | null;
  /** How often an epoch has each sample; if absent, once. */
  readonly repeat?: number;
  /** How its steps take turns with those of recipes beside it; if absent, they alternate. */
  readonly mix?: "alternate" | "proportional";
  readonly seed: number;
  /** Largest global norm of the gradients; null: no clipping. */
  readonly clip: number | null;
  /** Share of its old value that the running average of each weight keeps at a step; if absent or null, there is none. */
  readonly average?: number | null;
  /** Whether a step tells the global norm of its gradients where they are not clipped, too. */
  readonly gradientNorm?: boolean;
  /** What is done when numbers break: the run ends, or goes on without the step that broke. If absent, it ends. */
  readonly onNan?: "stop" | "rollback";
  /** If absent, float32. */
  readonly precision?: Precision;
  readonly evaluate: readonly {
    readonly probe: Bound<Probe>;
    readonly every: { readonly amount: number; readonly unit: "epochs" | "steps" } | null;
  }[];
}

/** Whether samples of a batch are mixed with each other, two and two. */
export const mixesPairs = ({ augment }: Pick<Training, "augment">): boolean =>
  augment.some(({ definition }) => definition.mix !== undefined);

/** What of a recipe's augmentations is done to one of the arrays that a model reads, in order. */
export const augmentsOf = <A extends OfInput<Bound<Augment>>>(
  augment: readonly A[],
  name: string,
  arrays: Readonly<Record<string, ArrayShape>>,
): readonly A[] =>
  augment.filter(({ definition, input }) => {
    if (input !== undefined) return input === name;
    const array = arrays[name];
    return Object.keys(arrays).length === 1 || (array !== undefined && isChanged(array, definition));
  });
