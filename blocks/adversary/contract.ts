/** Adversaries: networks that judge the model's predictions, and what each side pays for the judgement. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Code } from "../code.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";

/** What is known when an adversary is checked. */
export interface JudgedModel extends ModelContext {
  /** Whether what the model's decoder predicts can be brought back to pixels in the graph. */
  readonly predictsPixels: boolean;
}

export interface AdversaryContext {
  /** Features of a token of the backbone. */
  readonly encoderWidth: number;
}

/** Where the patches are. int32 [B, V] and [B, N - V] */
export interface JudgedPlaces {
  readonly visible: Tensor;
  readonly hidden: Tensor;
}

export interface AdversaryInputs {
  /** What the backbone gives for the whole image whose hidden patches are predicted, [B, extra + N, D], normalised. */
  readonly latent: Tensor;
  /** Tokens in front of the patches. */
  readonly extra: number;
  /** Patches, N. */
  readonly count: number;
}

export interface Adversary<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, JudgedModel> {
  /** `shared`: it looks through the model's encoder and trains it too; `separate`: through a copy of its own. */
  backbone(p: ValuesOf<P>): "shared" | "separate";
  update(p: ValuesOf<P>): "alternate" | "joint";
  /** What the model's part counts for: `factor` times it, `adaptive`: times the ratio of the gradients' norms as well. */
  weight(p: ValuesOf<P>): { readonly kind: "fixed" | "adaptive"; readonly factor: number };
  /** Weights beside the backbone's. */
  parameters(p: ValuesOf<P>, context: AdversaryContext): T;
  /** -> decisions [B, N, 1]: logits that a patch is an original. */
  judge(code: Code, p: ValuesOf<P>, w: Weights<T>, inputs: AdversaryInputs): Tensor;
  /** decisions [B, N, 1] -> a scalar, what the adversary minimises. */
  ownLoss(code: Code, p: ValuesOf<P>, decisions: Tensor, places: JudgedPlaces): Tensor;
  /** decisions [B, N, 1] -> a scalar, what the model minimises beside its other losses. */
  modelLoss(code: Code, p: ValuesOf<P>, decisions: Tensor, places: JudgedPlaces): Tensor;
}

export const defineAdversary = <const P extends Params, T extends ParameterTree>(
  adversary: Adversary<P, T>,
): Adversary<P, T> => ofKind("adversary", adversary);
