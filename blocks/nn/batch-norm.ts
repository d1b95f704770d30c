/** Batch normalisation: by the statistics of the batch in training, by their running means afterwards. Named as in PyTorch. */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { type Parameter, parameter, running, type Weights } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";

export type BatchNormParameters<D extends number> = {
  readonly weight: Parameter<[D]>;
  readonly bias: Parameter<[D]>;
  readonly running_mean: Parameter<[D]>;
  readonly running_var: Parameter<[D]>;
};

export const batchNormParameters = declarer(
  "batchNormParameters",
  (width: number): BatchNormParameters<number> => ({
    weight: parameter([width], { kind: "ones" }),
    bias: parameter([width], { kind: "zeros" }),
    running_mean: running([width], { kind: "zeros" }),
    running_var: running([width], { kind: "ones" }),
  }),
) as <const D extends number>(width: D) => BatchNormParameters<D>;

/** Of a norm with a scale and no shift. */
export const unshiftedBatchNormParameters = declarer(
  "unshiftedBatchNormParameters",
  (width: number): Omit<BatchNormParameters<number>, "bias"> => ({
    weight: parameter([width], { kind: "ones" }),
    running_mean: running([width], { kind: "zeros" }),
    running_var: running([width], { kind: "ones" }),
  }),
) as <const D extends number>(width: D) => Omit<BatchNormParameters<D>, "bias">;

/** Of a norm without scale and shift. */
export const plainBatchNormParameters = declarer(
  "plainBatchNormParameters",
  (width: number): Pick<BatchNormParameters<number>, "running_mean" | "running_var"> => ({
    running_mean: running([width], { kind: "zeros" }),
    running_var: running([width], { kind: "ones" }),
  }),
) as <const D extends number>(width: D) => Pick<BatchNormParameters<D>, "running_mean" | "running_var">;

/** PyTorch's: what is added to the variance, and the share of a batch in the running means. */
const epsilon = 1e-5;
const share = 0.1;

/** Mean and variance of each channel over all places of all samples, or over those where something is visible. */
function statistics(g: Builder, x: Tensor, kept: Tensor | undefined) {
  const axes = x.shape.slice(0, -1).map((_, axis) => axis);
  const places = sizeOf(x.shape.slice(0, -1));
  const count = kept ? g.sum(kept) : g.constant(places);
  const seen = (values: Tensor): Tensor => (kept ? g.mul(values, kept) : values);
  const mean = g.div(g.sum(seen(x), axes), count);
  const centred = g.sub(x, mean);
  const variance = g.div(g.sum(seen(g.mul(centred, centred)), axes), count);
  return { mean, centred, variance, count };
}

/** What is known of the batches so far, with a share of this one. A norm that is passed again in a step goes on from there. */
const renewed = (g: Builder, known: Tensor<[number], "float32">, now: Tensor): Tensor =>
  g.add(g.mul(g.moved(known), 1 - share), g.mul(g.stopGradient(now), share));

type Norm = Partial<Weights<BatchNormParameters<number>>> &
  Pick<Weights<BatchNormParameters<number>>, "running_mean" | "running_var">;

/** `batchNorm` for the layers that are made of it; without the scale and the shift of which there are no weights. */
export function batchNormed(g: Builder, x: Tensor, w: Norm, kept?: Tensor): Tensor {
  const scaled = (centred: Tensor, variance: Tensor): Tensor => {
    const normed = g.mul(centred, g.rsqrt(g.add(variance, epsilon)));
    const wide = w.weight ? g.mul(normed, w.weight) : normed;
    return w.bias ? g.add(wide, w.bias) : wide;
  };
  if (!g.training) return scaled(g.sub(x, w.running_mean), w.running_var);
  const { mean, centred, variance, count } = statistics(g, x, kept);
  g.move(w.running_mean, renewed(g, w.running_mean, mean));
  // As in PyTorch, of n - 1.
  g.move(w.running_var, renewed(g, w.running_var, g.mul(variance, g.div(count, g.sub(count, g.constant(1))))));
  return scaled(centred, variance);
}

/** x [B, ...S, D] -> each channel normed over all samples and places. `kept` [B, ...S, 1]: those that count; if absent, all. */
export const batchNorm = layer(
  "batchNorm",
  <B extends Rows, S extends number[], D extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    w: Weights<BatchNormParameters<NoInfer<D>>>,
    kept?: Tensor<[NoInfer<B>, ...S, 1]>,
  ): Tensor<[B, ...S, D]> => claim(batchNormed(g, x, w as Weights<BatchNormParameters<number>>, kept)),
);
