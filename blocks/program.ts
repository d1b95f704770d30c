/**
 * What an emitted module exports: a model as functions over the builder, its weights, and its mask.
 * The runtime consumes this and knows nothing of specs.
 */

import type { Builder, Random, Tensor, TypedArray } from "../graph/index.js";
import type { Grid, ImageShape } from "./geometry.js";
import type { ParameterTree, Weights } from "./parameters.js";

/** The mask of a model, bound to its values and grid. */
export interface MaskSampler {
  /** Number of visible tokens. */
  readonly visible: number;
  /** A permutation of the grid's tokens, visible ones first. */
  readonly sample: (random: Random) => Int32Array;
}

/** The tensors fed at each training step. */
export interface Batch {
  readonly image: Tensor<["B", number, number, number], "float32">;
  /** Indices of the visible tokens, in the order in which the encoder sees them. */
  readonly visible: Tensor<["B", number], "int32">;
  /** Indices of the hidden tokens. */
  readonly hidden: Tensor<["B", number], "int32">;
  /** Place of each token in [visible, hidden]: the inverse of the mask's order. */
  readonly restore: Tensor<["B", number], "int32">;
}

export interface Losses {
  /** Scalar []: the weighted sum. */
  readonly total: Tensor;
  /** Each loss before its weight, scalar [], by name. */
  readonly terms: Readonly<Record<string, Tensor>>;
}

/** How a prediction becomes pixels again: host side, one image. */
export interface Picture {
  /**
   * prediction [N * P] of one image, image [H * W * C] as the model saw it -> pixels [H * W * C], every patch predicted,
   * in the scale of `image`. A patch-normalised prediction is de-normalised with the true mean and deviation of its patch.
   */
  readonly pixels: (prediction: Float32Array, image: Float32Array) => Float32Array;
}

// biome-ignore lint/suspicious/noExplicitAny: an emitted model's own weight type is narrower than any bound in argument position
export interface ModelProgram<T extends ParameterTree = any> {
  readonly name: string;
  readonly image: ImageShape;
  readonly grid: Grid;
  readonly mask: MaskSampler;
  readonly parameters: T;
  /** -> latent [B, extra + V, D] */
  readonly encode: (g: Builder, w: Weights<T>, image: Batch["image"], visible: Batch["visible"]) => Tensor;
  /**
   * -> latent [B, extra + N, D] of every token in raster order, for probes and export. With `layer` (1 to `layers`):
   * after that many blocks of the encoder. Its final norm is always applied.
   */
  readonly features: (g: Builder, w: Weights<T>, image: Batch["image"], layer?: number) => Tensor;
  /** Number of encoder blocks after which `features` can stop; absent: it has only the last. */
  readonly layers?: number;
  /** Number of tokens in front of the patches in `encode` and `features`. */
  readonly extraTokens: number;
  /** -> prediction [B, N, P] from the whole batch. */
  readonly predict: (g: Builder, w: Weights<T>, batch: Batch) => Tensor;
  readonly loss: (g: Builder, w: Weights<T>, batch: Batch) => Losses;
  /** Absent where the target is not pixels. */
  readonly picture?: Picture;
}

export type { TypedArray };
