/** Optimizers: one update of one parameter, as graph operations, and the state it keeps. */

import type { Builder, Tensor } from "../../graph/index.js";
import { type Definition, ofKind } from "../block.js";
import { flag, type Params, type RateValue, type ValuesOf } from "../params.js";

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
  /** Whether it is a learned token or positions, to which some apply none either. */
  readonly token: boolean;
}

/** What every optimizer asks about weight decay besides its strength. */
export const decayTokens = flag({
  default: true,
  doc: "Whether learned tokens and positions decay too: in the official pre-training of MAE they do, in its fine-tuning they do not.",
});

/** The decay of a parameter. */
export const decayOf = (
  p: { readonly weight_decay: number; readonly decay_tokens: boolean },
  { decay, token }: Pick<UpdateInputs, "decay" | "token">,
): number => (decay && (p.decay_tokens || !token) ? p.weight_decay : 0);

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
