/** What a diagnosis is asked and what it says: the numbers that `mae diagnose --json` prints. */

import type { ColourScale } from "../evaluate/colours.js";
import type { LabelledBatch } from "../evaluate/features.js";
import type { Trained } from "../evaluate/frozen.js";
import type { Executor } from "../executors/executor.js";

/** Attention between patches in a layer, a number for each head. */
export interface AttentionLayer {
  readonly layer: number;
  readonly distance: readonly number[];
  readonly entropy: readonly number[];
  readonly mutual_information: readonly number[];
}

/** Tokens of a sample after a layer, means over samples. */
export interface TokenLayer {
  readonly layer: number;
  readonly similarity: number;
  readonly similarity_variance: number;
  readonly feature_variance: number;
  /** Mean log amplitude of the shortest wave, less that of none; null: the tokens are no square. */
  readonly high_frequency: number | null;
}

export interface FeatureFacts {
  readonly pool: "cls" | "mean";
  readonly width: number;
  readonly effective_rank: number;
  readonly participation_ratio: number;
  /** Of a feature over samples, the mean over features. */
  readonly variance: number;
  readonly uniformity: number;
  /** Of features of one sample under two masks, without a class token the mean of visible patches; null: nothing is masked. */
  readonly alignment: number | null;
  /** Singular values of centred features, the largest first, over the root of the number of samples. */
  readonly spectrum: readonly number[];
  /** Shared information of as many clusters as there are classes and of the classes; null: there are no classes. */
  readonly clusters: number | null;
}

/** The largest of a class token's attention to patches over the median, geometric means over heads and samples, in the first layers. */
export interface ArtifactLayer {
  readonly layer: number;
  readonly whole: number;
  /** Where a mask hides patches; null: none does. */
  readonly masked: number | null;
}

/** What a decoder's layers have let through to hidden places by then: of one visible token, and of one hidden. */
export interface DecoderLayer {
  readonly layer: number;
  readonly visible: number;
  readonly hidden: number;
}

/** One sample whose patches are grouped. */
export interface GroupedSample {
  readonly array: Float32Array;
  /** By k-means over the patches of all shown samples. */
  readonly clusters: Int32Array;
  /** By the normalised cut of its own patches. */
  readonly sides: Uint8Array;
}

export interface Diagnosis {
  readonly samples: number;
  /** Null: a model of several inputs, or one whose layers attend to nothing. */
  readonly attention: readonly AttentionLayer[] | null;
  /** Null: a model of several inputs. */
  readonly tokens: readonly TokenLayer[] | null;
  readonly features: readonly FeatureFacts[];
  readonly artifacts: readonly ArtifactLayer[] | null;
  readonly decoder: readonly DecoderLayer[] | null;
  /** Mean over the shown samples of what lies between the two sides of a cut; null where tokens are null. */
  readonly gap: number | null;
  readonly grouped: readonly GroupedSample[];
  /** Of pooled features after each layer (rows) and each of another model (columns); null: there is none. */
  readonly likeness: readonly (readonly number[])[] | null;
}

export interface DiagnoseOptions {
  readonly executor: Executor;
  /** Read from the beginning at each call. */
  readonly batches: () => AsyncIterable<LabelledBatch>;
  /** Samples of a batch. */
  readonly batch: number;
  /** All samples. */
  readonly samples: number;
  /** How many classes the data have; 0: none. */
  readonly classes: number;
  readonly colours: (array: string) => ColourScale | null;
  readonly seed: number;
  /** Another model that reads the same arrays. */
  readonly against?: Trained;
  readonly report?: (done: number) => void;
}
