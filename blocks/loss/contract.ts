/** Losses: a scalar from the prediction, the target and the mask. */

import type { Tensor } from "../../graph/index.js";
import type { Definition, ModelContext } from "../block.js";
import type { Code } from "../code.js";
import { takeTokens } from "../nn/index.js";
import { choice, type Params, real, type ValuesOf } from "../params.js";

export interface LossInputs {
  /** [B, N, P] */
  readonly prediction: Tensor;
  /** [B, N, P] */
  readonly target: Tensor;
  /** int32 [B, V] and [B, N - V] */
  readonly visible: Tensor;
  readonly hidden: Tensor;
}

export interface Loss<P extends Params = Params> extends Definition<P, ModelContext> {
  /** Factor in the sum of all losses. */
  weight(p: ValuesOf<P>): number;
  /** -> scalar [], before its weight. */
  build(code: Code, p: ValuesOf<P>, inputs: LossInputs): Tensor;
}

export const defineLoss = <const P extends Params>(loss: Loss<P>): Loss<P> => loss;

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
  weight: real({ min: 0, openMin: true, default: 1, doc: "Factor in the sum of all losses." }),
};

/** Prediction and target of the chosen patches, [B, N', P] each. */
export function chosenPatches(
  code: Code,
  on: "hidden" | "visible" | "all",
  { prediction, target, ...indices }: LossInputs,
): readonly [prediction: Tensor, target: Tensor] {
  if (on === "all") return [prediction, target];
  return [
    code.let("predicted", takeTokens, prediction, indices[on]),
    code.let("wanted", takeTokens, target, indices[on]),
  ];
}
