/** Optimizers: one update of one parameter, as graph operations, and the state it keeps. */

import type { Builder, Tensor } from "../../graph/index.js";
import { type Definition, ofKind } from "../block.js";
import type { Params, RateValue, ValuesOf } from "../params.js";

export interface UpdateInputs {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** One tensor for each name in `state`, shaped as the parameter. */
  readonly state: readonly Tensor[];
  /** Scalars []: learning rate of this step, and the step counted from 1. */
  readonly lr: Tensor;
  readonly step: Tensor;
  /** Whether weight decay applies: matrices yes, biases, norms and other 1-D parameters no. */
  readonly decay: boolean;
}

export interface Optimizer<P extends Params = Params> extends Definition<P> {
  lr(p: ValuesOf<P>): RateValue;
  /** Names of the moments kept for each parameter. */
  readonly state: readonly string[];
  update(
    g: Builder,
    p: ValuesOf<P>,
    inputs: UpdateInputs,
  ): { readonly parameter: Tensor; readonly state: readonly Tensor[] };
}

export const defineOptimizer = <const P extends Params>(optimizer: Optimizer<P>): Optimizer<P> =>
  ofKind("optimizer", optimizer);
