/** Adversaries: networks that judge the model's predictions, and what each side pays for the judgement. */

import type { Tensor } from "../../graph/index.js";
import type { Definition, ModelContext } from "../block.js";
import type { Code } from "../code.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";

export interface AdversaryContext {
  /** Features of a token of the backbone. */
  readonly encoderWidth: number;
}

export interface AdversaryInputs {
  /** What the backbone gives for the whole image whose hidden patches are predicted, [B, extra + N, D], normalised. */
  readonly latent: Tensor;
  /** int32 [B, V], [B, N - V] and [B, N] */
  readonly visible: Tensor;
  readonly hidden: Tensor;
  readonly restore: Tensor;
  /** Tokens in front of the patches. */
  readonly extra: number;
  /** Patches, N. */
  readonly count: number;
}

export interface Adversary<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, ModelContext> {
  /** `shared`: it looks through the model's encoder and trains it too; `separate`: through a copy of its own. */
  backbone(p: ValuesOf<P>): "shared" | "separate";
  update(p: ValuesOf<P>): "alternate" | "joint";
  /** Factor of the model's part; `adaptive`: of the ratio of the gradients' norms. */
  weight(p: ValuesOf<P>): { readonly kind: "fixed" | "adaptive"; readonly factor: number };
  /** Weights beside the backbone's. */
  parameters(p: ValuesOf<P>, context: AdversaryContext): T;
  /** -> decisions [B, N]: logits that a patch is an original. */
  judge(code: Code, p: ValuesOf<P>, w: Weights<T>, inputs: AdversaryInputs): Tensor;
  /** decisions [B, N] -> a scalar. Each is asked for in its own function of the program. */
  ownLoss(code: Code, p: ValuesOf<P>, decisions: Tensor, inputs: Pick<AdversaryInputs, "visible" | "hidden">): Tensor;
  modelLoss(code: Code, p: ValuesOf<P>, decisions: Tensor, inputs: Pick<AdversaryInputs, "visible" | "hidden">): Tensor;
}

export const defineAdversary = <const P extends Params, T extends ParameterTree>(
  adversary: Adversary<P, T>,
): Adversary<P, T> => adversary;
