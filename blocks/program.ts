/**
 * What an emitted module exports: a model as functions over the builder, its weights, and its mask.
 * The runtime consumes this and knows nothing of specs.
 */

import type { Builder, Random, Tensor, TypedArray } from "../graph/index.js";
import type { ArrayShape } from "./arrays.js";
import type { DetectorFacts } from "./detection/dense.js";
import type { BoundField } from "./field.js";
import type { ParameterTree, Weights } from "./parameters.js";
import type { Moving, Progress } from "./progress.js";
import type { Lattice } from "./sets.js";

/** The mask of a model, bound to its values and grid. */
export interface MaskSampler {
  /** Tokens under it, of all arrays over which it lies. */
  readonly tokens: number;
  /** Number of visible tokens; where it varies, the largest. */
  readonly visible: number;
  /** Where it varies from batch to batch. */
  readonly varies?: {
    /** The numbers that there can be, ascending. */
    readonly counts: readonly number[];
    /** That of a batch. */
    readonly count: (progress: Progress, random: Random) => number;
  };
  /** Tokens that are never hidden, the first in raster order; if absent, there may be none. */
  readonly given?: number;
  /** All samples of a batch have one mask; if absent, each has its own. */
  readonly shared?: true;
  /** All views of a sample have one mask; if absent, each has its own. */
  readonly alike?: true;
  /**
   * A permutation of the tokens, visible ones first. `field`: the sample's numbers of the field `mask`, if there is one.
   * `visible`: how many of them are, where that varies.
   */
  readonly sample: (random: Random, field?: TypedArray, visible?: number) => Int32Array;
  /** What the graph is fed where it decides itself which tokens are hidden. */
  readonly guide?: GuideFeeds;
}

export interface GuideFeeds {
  /** Numbers drawn for a sample after its order, fed as `draws`. */
  readonly numbers: number;
  readonly draw: (random: Random) => Float32Array;
  /** Scalars that move during training, by the names under which they are fed. */
  readonly moving: Readonly<Record<string, (progress: Progress) => number>>;
}

/** The arrays of a batch by name, float32 [B, ...axes, C] each. */
export type Arrays = Readonly<Record<string, Tensor>>;

/**
 * The tensors fed at each training step, by name: the arrays; `visible`, `hidden` and `restore` (see `Places`), of several masks with their
 * names in front; fields that the model asks for; what a guided mask is fed; and `drops`, where parts are left out at random: elsewhere than
 * in training they are not there, and all parts are.
 */
export type Batch = Readonly<Record<string, Tensor>>;

export interface Losses {
  /** Scalar []: the weighted sum. */
  readonly total: Tensor;
  /** Each loss before its weight, scalar [], by name. */
  readonly terms: Readonly<Record<string, Tensor>>;
  /** The term of this name is added with a weight that follows from the gradients: `factor` times |gradient of total| / |of it|. */
  readonly balanced?: { readonly term: string; readonly factor: number };
}

/** A loss against the model's own, with weights of its own. */
export interface AdversaryProgram<T extends ParameterTree = ParameterTree> {
  /** Branches of the weights that it alone trains: the model's loss leaves them as they are. */
  readonly own: readonly string[];
  /** Branches of the model's weights that it trains too. */
  readonly shared: readonly string[];
  /** `alternate`: it takes a forward pass and an update after the model's; `joint`: both losses make one update. */
  readonly update: "alternate" | "joint";
  loss(g: Builder, w: Weights<T>, batch: Batch): Losses;
}

/** Views of a sample that pass together while a model is trained. */
export interface ViewProgram {
  /** The array that they are views of. */
  readonly of: string;
  /** Views of each sample; they are fed as rows of one batch, sample by sample. */
  readonly count: number;
  /** One of them. */
  readonly array: ArrayShape;
  /** Augmentations without a label draw once for all views of a sample; if absent, for each. */
  readonly shared?: true;
  /** Present where a mask hides tokens of them, of each view others. */
  readonly mask?: MaskSampler;
}

/** How the weights that follow others (`Parameter.follows`) move in each step. */
export interface TeacherProgram {
  /** They move before the losses of a step are computed; if absent, after it. */
  readonly first?: true;
  /** Share of its old value that a weight keeps, in [0, 1]. */
  readonly momentum: (progress: Progress) => number;
}

/** How a prediction becomes numbers of the array again, such as pixels: host side, one sample. */
export interface Picture {
  /**
   * prediction [N * P] of one image, image [H * W * C] as the model saw it -> pixels [H * W * C], every patch predicted,
   * in the scale of `image`. A patch-normalised prediction is de-normalised with the true mean and deviation of its patch.
   */
  readonly pixels: (prediction: Float32Array, image: Float32Array) => Float32Array;
  /**
   * Present where `pixels` uses the true mean and deviation of each patch: the same without those of hidden patches, for which stand the ones
   * of visible patches around them (`spreadFromKnown`), and 0 and 1 where no patch is visible.
   */
  readonly unaided?: (
    prediction: Float32Array,
    image: Float32Array,
    isHidden: (token: number) => boolean,
  ) => Float32Array;
  /** `pixels` in a graph: prediction [B, N, P], image [B, H, W, C] -> [B, H, W, C]. */
  readonly inGraph?: (g: Builder, prediction: Tensor, image: Tensor) => Tensor;
  /** Present where the numbers are points of tokens in space, whose order says nothing: errors are between nearest ones. */
  readonly inSpace?: true;
  /** Present where pixels are no affine function of the prediction: an error is then one of pixels, and has no scale of the prediction's. */
  readonly curved?: true;
  /** Present where the numbers are chances that places are filled. */
  readonly chances?: true;
  /** What a perfect prediction would show, [H * W * C]; absent where that is the image itself. */
  readonly truth?: (image: Float32Array) => Float32Array;
}

/** Parts of a model that are left out at random in training: so many numbers are drawn for a sample, each 0 at this rate. */
export interface Drop {
  readonly rate: number;
  readonly numbers: number;
}

/** What one encoder of a model of several arrays makes of whole arrays: of those that it reads, or of one of them alone. */
export interface Encoding<T extends ParameterTree = ParameterTree> {
  /** Number of tokens in front of the patches. */
  readonly extraTokens: number;
  /** -> [B, extra + N, D] of every token of the arrays that it reads */
  features(g: Builder, w: Weights<T>, arrays: Arrays): Tensor;
}

/** How a model decides what a mask hides. */
export interface Guiding<T extends ParameterTree = ParameterTree> {
  /** -> the order of the tokens, visible ones first, int32 [B, N] */
  order(g: Builder, w: Weights<T>, batch: Batch): Tensor;
}

/** What a model predicts of one of its arrays. */
export interface Prediction<T extends ParameterTree = ParameterTree> {
  readonly array: string;
  /** No encoder that it is made of sees anything of the array; if absent, what a mask shows. */
  readonly unseen?: true;
  /** -> prediction [B, N, P] */
  predict(g: Builder, w: Weights<T>, batch: Batch): Tensor;
  readonly picture?: Picture | undefined;
}

/** The codes of an array, of a model that predicts them. */
export interface CodesProgram<T extends ParameterTree = ParameterTree> {
  /** How many there are. */
  readonly count: number;
  /** -> the code of each token, int32 [B, N] */
  of(g: Builder, w: Weights<T>, arrays: Arrays): Tensor;
  /** codes int32 [B, N] -> what they look like, [B, ...axes, C] */
  draw(g: Builder, w: Weights<T>, codes: Tensor): Tensor;
}

/** What a model says of a head of its own. */
export type HeadFacts = Pick<
  ModelProgram,
  "classes" | "detector" | "number" | "parts" | "places" | "registers" | "severalClasses" | "values"
>;

/**
 * A model. Its functions are written as methods, which TypeScript compares loosely in their arguments: an emitted model
 * types them with its own literal shapes.
 */
export interface ModelProgram<T extends ParameterTree = ParameterTree> {
  readonly name: string;
  /** What it reads of a sample, by name. */
  readonly arrays: Readonly<Record<string, ArrayShape>>;
  /** The tokens that each array is cut into. */
  readonly grids: Readonly<Record<string, Lattice>>;
  /** By the array whose tokens it hides; one alone may lie over all arrays. Of an array without one, nothing is hidden. */
  readonly masks: Readonly<Record<string, MaskSampler>>;
  readonly parameters: T;
  /** What training sees of a sample in place of its arrays, by the names under which that is fed; if absent, the arrays. */
  readonly views?: Readonly<Record<string, ViewProgram>>;
  /** Scalars that move during training, by the names under which they are fed. */
  readonly moving?: Readonly<Record<string, Moving>>;
  /** Branches of the weights that make up what sees inputs, by their dotted names; if absent, nobody asks. */
  readonly backbone?: readonly string[];
  /** Number of tokens in front of the patches in `encode` and `features`. */
  readonly extraTokens: number;
  /** Present where `encode` and `features` give latents, none of which is of a patch: how many. */
  readonly latents?: number;
  /** How many of those stand for no sample; if absent, none: the first is a class token. */
  readonly separators?: number;
  /** Layers of the encoder. */
  readonly layers: number;
  /**
   * Present where the model itself decides which tokens are hidden, by the names of those masks. The other functions are then given the
   * places that follow from it; see `maskedBatch`.
   */
  readonly guides?: Readonly<Record<string, Guiding<T>>>;
  /** -> latent of the visible tokens, [B, extra + V, D], of several arrays one after the other */
  encode(g: Builder, w: Weights<T>, batch: Batch): Tensor;
  /**
   * -> latent [B, extra + N, D] of every token of whole arrays, each in raster order, after the first `layers` layers; for probes and
   * export.
   */
  features(g: Builder, w: Weights<T>, arrays: Arrays, layers?: number): Tensor;
  /** Classes that `predict` tells apart, of whole arrays; if absent, it predicts patches. */
  readonly classes?: number;
  /** Whether its classes are judged each by itself, so that a sample may have several; if absent, it has one. */
  readonly severalClasses?: true;
  /** Present where `predict` says of places in the image which objects are there, [B, places, numbers]. */
  readonly detector?: DetectorFacts;
  /** Present where `predict` says where the places of the second of two arrays lie in the first, [B, ...axes, axes]: their names. */
  readonly registers?: { readonly moving: string; readonly fixed: string };
  /** Present where `predict` says of each place which class stands there, [B, ...axes, K]. */
  readonly places?: true;
  /** Present where these classes are parts: how many objects of each class have, one after the other; of one number, all objects. */
  readonly parts?: readonly number[];
  /** Present where `predict` says a number of the sample, [B, 1]. */
  readonly number?: true;
  /** Present where `predict` says a number of each place, [B, ...axes, 1]. */
  readonly values?: true;
  /** -> prediction [B, N, P]; of classes, a logit for each [B, K], or a number [B, 1]; absent where all that is learned are features */
  predict?(g: Builder, w: Weights<T>, batch: Batch): Tensor;
  loss(g: Builder, w: Weights<T>, batch: Batch): Losses;
  /** Absent where the target of `predict` cannot be shown as pixels. */
  readonly picture?: Picture | undefined;
  /** Of a model of several arrays, or with a head: what it predicts of them, by the names of targets. */
  readonly predictions?: Readonly<Record<string, Prediction<T>>>;
  /** What other decoders predict that imitate the model's own, by the labels of their targets; shown as what that predicts is. */
  readonly imitations?: Readonly<Record<string, Prediction<T>>>;
  /** Of a model of several arrays or encoders: what they make of some arrays, by name, `audio` or `joint.audio`. */
  readonly encodings?: Readonly<Record<string, Encoding<T>>>;
  /** Present where `predict` gives a logit of each code at each place, so that what it does not see can be generated. */
  readonly codes?: CodesProgram<T>;
  /** What is computed of each sample beside its image and fed with it, by name. */
  readonly fields?: Readonly<Record<string, BoundField>>;
  /** In the order in which they are fed in training, as `drops` [B, numbers of all]; if absent, nothing is left out. */
  readonly drops?: readonly Drop[];
  readonly adversary?: AdversaryProgram<T>;
  readonly teacher?: TeacherProgram;
}
