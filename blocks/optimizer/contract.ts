/** Optimizers: one update of one parameter, as graph operations, and the state it keeps. */

import type { Builder, Tensor } from "../../graph/index.js";
import { type Definition, ofKind, type Requirement } from "../block.js";
import { flag, optional, type Param, type Params, type RateValue, real, type ValuesOf } from "../params.js";
import type { Moving } from "../progress.js";

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
  /** Scalars [] that move during training, by name; if absent, there are none. */
  readonly moving?: Readonly<Record<string, Tensor>>;
}

/** What every optimizer asks about weight decay besides its strength. */
export const decayTokens = flag({
  default: true,
  doc: "Whether learned tokens and positions decay too: in the official pre-training of MAE they do, in its fine-tuning they do not.",
});

/** Whether a parameter decays. */
export const isDecayed = (
  p: { readonly decay_tokens: boolean },
  { decay, token }: Pick<UpdateInputs, "decay" | "token">,
): boolean => decay && (p.decay_tokens || !token);

/** The decay of a parameter. */
export const decayOf = (
  p: { readonly weight_decay: number; readonly decay_tokens: boolean },
  kind: Pick<UpdateInputs, "decay" | "token">,
): number => (isDecayed(p, kind) ? p.weight_decay : 0);

export const momentumBelowOne: Requirement<{ readonly momentum: Param<number> }, unknown> = {
  name: "momentum-below-one",
  at: "momentum",
  doc: "The momentum is below 1: with 1 the sum of gradients grows without end.",
  holds: (p) => p.momentum < 1,
  say: (p) => `a \`momentum\` of ${p.momentum} must be below 1`,
  help: () => "the usual one is 0.9",
};

/** What is known of the model that is trained. */
export interface OptimizerContext {
  /** Classes that its head tells apart; null: it has no head. */
  readonly classes: number | null;
}

/** How much of the learning rate each layer passes on to the one before it. */
export const layerDecay = optional(
  real({
    min: 0,
    openMin: true,
    max: 1,
    doc: "The learning rate of each layer as a share of that of the layer after it, in fine-tuning; the head has the whole. If absent, all have it.",
  }),
);

/** What optimizers ask that keep a running sum of gradients with their decay. */
export const momentumParams = {
  momentum: real({ min: 0, max: 1, default: 0.9, doc: "Decay of the running sum of gradients; below 1." }),
  weight_decay: real({
    min: 0,
    default: 0,
    doc: "Added to the gradient times the weight, for matrices; biases and norms have none.",
  }),
  decay_tokens: decayTokens,
  layer_decay: layerDecay,
};

export const decaysTowardsInput: Requirement<{ readonly layer_decay: Param<number | null> }, OptimizerContext> = {
  name: "layer-decay-needs-head",
  at: "layer_decay",
  doc: "`layer_decay` is of models with a head: layers are counted back from it.",
  holds: (p, { classes }) => (p.layer_decay ?? 1) === 1 || classes !== null,
  say: (p) => `a \`layer_decay\` of ${p.layer_decay}, and the model has no head to count layers back from`,
  help: () => "remove it: all layers of a masked autoencoder are trained alike",
};

export interface Optimizer<P extends Params = Params> extends Definition<P, OptimizerContext> {
  lr(p: ValuesOf<P>): RateValue;
  /** Share of the learning rate that is left a layer further from the head; if absent, all of it. */
  layerDecay?(p: ValuesOf<P>): number | null;
  /** Scalars that move during training, by name; if absent, there are none. */
  moving?(p: ValuesOf<P>): Readonly<Record<string, Moving>>;
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
