/** Losses: a scalar from the prediction and the target, or from the latent alone. */

import type { Tensor } from "../../graph/index.js";
import type { ArrayShape } from "../arrays.js";
import { type Definition, type ModelContext, ofKind, type Requirement } from "../block.js";
import type { BlockValue } from "../block-values.js";
import type { Code, Layer } from "../code.js";
import type { Encoder } from "../encoder/index.js";
import { meanOfFlagged, otherFlags, takeTokens } from "../nn/index.js";
import type { ParameterTree, Weights } from "../parameters.js";
import { choice, type Params, real, type ValuesOf } from "../params.js";
import type { Moving } from "../progress.js";
import type { Logits, Saying } from "../saying.js";
import type { Lattice } from "../sets.js";

export interface LossInputs {
  /** [B, N, P], of a head [B, K], of a detector [B, places, numbers], of places [B, ...axes, K]; decoded when it is first read, so a loss that never reads it decodes nothing. */
  readonly prediction: Tensor;
  /** [B, N, P], of a head the labels [B, K], of a detector what its places are to say, of places their classes [B, ...axes]; computed when it is first read. */
  readonly target: Tensor;
  /** Of a loss of where places go: the arrays between which they do, [B, ...axes, C] each; absent elsewhere. */
  readonly pair?: readonly [moving: Tensor, fixed: Tensor];
  /** Whether a mask hides some of what is predicted; if not, `visible` and `hidden` are not to be read. */
  readonly masked: boolean;
  /** int32 [B, V] and [B, N - V] */
  readonly visible: Tensor;
  readonly hidden: Tensor;
  /**
   * Where the number of hidden tokens differs from sample to sample, [B, N]: 1 for those, 0 for the others. Under one mask over several
   * inputs, `visible` and `hidden` are places among the tokens of all inputs; under one that chooses ids, `hidden` has those and as many others
   * as make up the number. null: every sample has as many.
   */
  readonly flags: Tensor | null;
  /** What the target is made of, how it is cut into tokens, and its values, [B, ...axes, C]. */
  readonly array: ArrayShape;
  readonly grid: Lattice;
  readonly original: Tensor;
  /** Of a loss of features: what encoders make of two inputs, the tokens of each, [B, V, D]. */
  readonly between: readonly [Tensor, Tensor];
  /**
   * What the encoder gives of the input that is predicted, [B, extra + V, D]; [B, extra + N, D] in raster order where its hidden tokens enter
   * the encoder. Under one mask over several inputs: of all of them.
   */
  readonly latent: Tensor;
  /** Tokens in front of the patches. */
  readonly extra: number;
  /** Whether `latent` is of latents, none of which is of a patch. */
  readonly latents: boolean;
  /**
   * [B, ...axes, C] each: the array as predicted, with its visible patches as they are where `hidden` is asked for, and the original. Only of
   * targets that lead back to pixels.
   */
  readonly pictures: (on: "hidden" | "all") => readonly [predicted: Tensor, original: Tensor];
  /** The encoder's final normalisation once more, on any of its tokens [..., D]. */
  readonly normalize: (tokens: Tensor) => Tensor;
  /** Of losses that say `readsLayers`. */
  readonly layers: LayersSeen;
  /** Present where views are compared: nothing else is to be read then. */
  readonly views?: ViewInputs;
}

/** What layers, counted from 1, make of the tokens that the encoder sees, before the final normalisation: [B, extra + V, D]. */
export interface LayersSeen {
  /** Those of the encoder. */
  readonly own: (layer: number) => Tensor;
  /** Those of a network that others have trained, with the weights that `LossContext.seeing` declared. */
  readonly given: (network: BlockValue<Encoder>, w: unknown, layer: number) => Tensor;
}

/** What stands for a view: its class token, the mean of its patches, each of its patches, or each that a mask hides. */
export type Standing = "class_token" | "mean" | "patches" | "hidden";

/** Views of a sample that pass together, `count` of each. */
export interface SeenStream {
  readonly name: string;
  readonly count: number;
  /** Whether a teacher sees them. */
  readonly isTaught: boolean;
  /** Whether a mask hides something of what the student sees of them. */
  readonly isMasked: boolean;
}

/** What a loss that compares views is given. It is made when it is first read. */
export interface ViewInputs {
  readonly streams: readonly SeenStream[];
  /** What is made of the views of a stream, sample by sample: [kB, D], of patches [kB, N, D]. */
  readonly student: (stream: string, standing: Standing) => Tensor;
  readonly taught: (stream: string, standing: Standing) => Tensor;
  /** What each decoder predicts of the masked views of a stream, [kB, N, P]: the student, or of views that only a predicting teacher sees, that. */
  readonly predicted: (stream: string) => readonly Tensor[];
  /** Of a stream under a mask: the places of its hidden patches, int32 [kB, U]. */
  readonly hidden: (stream: string) => Tensor;
  /** Scalars [] that move during training, by name. */
  readonly moving: Readonly<Record<string, Tensor>>;
}

/** What is known when a loss is checked. */
export interface JudgedTargets extends ModelContext {
  /** Whether what is predicted leads back to pixels. */
  readonly predictsPixels: boolean;
  /** An input that is predicted and judged, of which no mask hides anything; null: there is none. */
  readonly unmasked: string | null;
}

export interface LossContext {
  /** Features of a latent token; where views are compared, numbers of what stands for one. */
  readonly encoderWidth: number;
  /** What it judges predictions of; of a loss of several, the first. */
  readonly array: ArrayShape;
  /** Of losses that say `readsLayers`: the weights of a given network that sees what the encoder sees, its tokens and positions among them. */
  readonly seeing: (network: BlockValue<Encoder>) => ParameterTree;
}

export interface Loss<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, JudgedTargets> {
  /** It compares samples of a batch with each other; if absent, it is the mean of losses of single samples. */
  readonly acrossSamples?: true;
  /**
   * What it compares: predictions of patches with their targets, where absent; points with those of a token, in any order; logits of ids with
   * those of a text; what is said of columns of a table with what they hold; logits of a head with labels; those of a detector with objects;
   * those of places with their classes or values; where places go, with two arrays; the features of two inputs, which it names by a parameter `between`; or
   * views of a sample, whose head or encoder it names by a parameter `of`.
   */
  readonly compares?: "patches" | "points" | "ids" | "columns" | "features" | "views" | Saying;
  /** Of a loss of patches: which logits it compares with zeros and ones; if absent, it compares numbers with numbers. */
  readonly logits?: Logits;
  /** Of a loss that compares views: it compares them with what a teacher makes of others. */
  readonly taught?: true;
  /** Of a loss that compares views with what a teacher makes of others: it compares what is predicted of them. */
  readonly ofPredictions?: true;
  /** Scalars that move during training, by name. */
  moving?(p: ValuesOf<P>): Readonly<Record<string, Moving>>;
  /** Of a loss of classes: it judges each by itself, so that samples may have several; if absent, each has one. */
  readonly several?: true;
  /** It reads of every token what lies in the input there, to weigh its error; if absent, no more than prediction and target. */
  readonly weighsTokens?: true;
  /** It compares layers of the encoder with those of a network of tokens that others have trained; if absent, it reads none. */
  readonly readsLayers?: true;
  /** It can judge tokens whose number differs from sample to sample; if absent, it cannot. */
  readonly uneven?: true;
  /** Factor in the sum of all losses. */
  weight(p: ValuesOf<P>): number;
  /** Weights of its own, trained with the model. */
  parameters?(p: ValuesOf<P>, context: LossContext): T;
  /** -> scalar [], before its weight. `w`: its own weights. */
  build(code: Code, p: ValuesOf<P>, inputs: LossInputs, w: Weights<T>): Tensor;
}

export const defineLoss = <const P extends Params, T extends ParameterTree>(loss: Loss<P, T>): Loss<P, T> =>
  ofKind("loss", loss);

/** What a loss counts for, of every loss. */
export const lossWeight = real({ min: 0, openMin: true, default: 1, doc: "Factor in the sum of all losses." });

/** The parameters of every loss between prediction and target. */
export const comparisonParams = {
  on: choice({
    default: "hidden",
    options: {
      hidden: "The patches that the encoder did not see.",
      visible: "The patches that the encoder saw.",
      all: "Every patch.",
    },
    doc: "The patches whose error counts.",
  }),
  weight: lossWeight,
};

/** What losses between prediction and target ask for. */
export const comparisonRequirements: readonly Requirement<typeof comparisonParams & Params, JudgedTargets>[] = [
  {
    name: "some-hidden",
    at: "on",
    doc: "Something of what is predicted is hidden, where hidden patches count.",
    holds: (p, { unmasked }) => p.on !== "hidden" || unmasked === null,
    say: (_, { unmasked }) => `no mask hides anything of \`${unmasked}\`, and the error of hidden patches counts`,
    help: (_, { unmasked }) => `write \`on: all\`, or a mask for \`${unmasked}\``,
  },
];

/** Prediction and target of the chosen patches, [B, N', P] each. */
export function chosenPatches(
  code: Code,
  on: "hidden" | "visible" | "all",
  inputs: LossInputs,
): readonly [prediction: Tensor, target: Tensor] {
  const { prediction, target } = inputs;
  if (on === "all" || !inputs.masked) return [prediction, target];
  return [
    code.let("predicted", takeTokens, prediction, inputs[on]),
    code.let("wanted", takeTokens, target, inputs[on]),
  ];
}

/**
 * The mean error of the chosen patches, []. Where their number differs from sample to sample, each sample counts alike that has any.
 * `mean`: of all patches that it is given. `each`: of every patch, [B, N].
 */
export function meanError(
  code: Code,
  name: string,
  on: "hidden" | "visible" | "all",
  inputs: LossInputs,
  { mean, each }: { readonly mean: Layer; readonly each: Layer },
  ...options: readonly unknown[]
): Tensor {
  const flags = on === "all" ? null : inputs.flags;
  if (flags === null) return code.let(name, mean, ...chosenPatches(code, on, inputs), ...options);
  const chosen = on === "hidden" ? flags : code.let("seen_flags", otherFlags, flags);
  return code.let(name, meanOfFlagged, code.let("errors", each, inputs.prediction, inputs.target, ...options), chosen);
}
