/**
 * Attention within windows as Swin V2 has it: by the directions of queries and keys, with a bias that a small network makes of the step from
 * one place to the other, and norms behind what is added. Weights are named as in Audio-MAE's decoder.
 */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import { type CosineAttentionParameters, cosineAttention, cosineAttentionParameters } from "./attention.js";
import { type Places, placesIn } from "./boxes.js";
import { claim, declarer, layer } from "./layer.js";
import {
  type LayerNormParameters,
  type LinearParameters,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
} from "./linear.js";
import { type PerceptronParameters, perceptron, perceptronParameters } from "./perceptron.js";
import { type Cut, cutOf, withinWindows } from "./windows.js";

/** Of a step along each axis, what is added to the scores of each head. */
type StepNetwork = {
  readonly fc1: LinearParameters<number, number>;
  readonly fc2: LinearParameters<number, number>;
};

/** Hidden features of that network. */
const stepFeatures = 384;

export type CosineWindowBlockParameters<D extends number> = {
  readonly attn: CosineAttentionParameters<D, number> & { readonly meta_mlp: StepNetwork };
  readonly norm1: LayerNormParameters<D>;
  readonly mlp: PerceptronParameters<D, number>;
  readonly norm2: LayerNormParameters<D>;
};

/** `axes`: along how many windows lie. */
export const cosineWindowBlockParameters = declarer(
  "cosineWindowBlockParameters",
  ({ width, hidden, heads, axes }: CosineWindowBlockSize<number>): CosineWindowBlockParameters<number> => ({
    attn: {
      ...cosineAttentionParameters(width, heads),
      meta_mlp: { fc1: linearParameters(axes, stepFeatures), fc2: linearParameters(stepFeatures, heads) },
    },
    norm1: layerNormParameters(width),
    mlp: perceptronParameters(width, hidden),
    norm2: layerNormParameters(width),
  }),
) as <const D extends number>(size: CosineWindowBlockSize<D>) => CosineWindowBlockParameters<D>;

interface CosineWindowBlockSize<D extends number> {
  readonly width: D;
  readonly hidden: number;
  readonly heads: number;
  readonly axes: number;
}

/** What is added to the scores of two places for each step between them, [steps, heads]; near steps are told apart more finely than far ones. */
function stepTable(g: Builder, w: Weights<StepNetwork>, window: Places): Tensor {
  const steps = placesIn(window.map((n) => 2 * n - 1)).flatMap((place) =>
    place.map((at, i) => at - (window[i] as number) + 1),
  );
  const finer = Float32Array.from(steps, (step) => Math.sign(step) * Math.log1p(Math.abs(step)));
  const known = g.constant(finer, [finer.length / window.length, window.length]) as Tensor<[number, number]>;
  const hidden = linear(g, known, w.fc1);
  const none = g.constant(0, [...hidden.shape]) as typeof hidden;
  // At first biases are zero, and so is all of a step to the place itself: there, as in PyTorch, nothing flows back.
  return linear(g, g.select(g.lessEqual(hidden, 0), none, hidden), w.fc2);
}

interface CosineWindowOptions {
  /** Places of a window along each axis, where there are so many. */
  readonly window: number;
  /** Of each axis, whether the windows of every second block are moved along it by half of one; if absent, along all. */
  readonly moved?: readonly boolean[];
  readonly epsilon?: number;
}

/** x [B, ...S, D] through blocks x + LN Attention(x), then + LN MLP(x), attending within windows. */
export const cosineWindowBlocks = layer(
  "cosineWindowBlocks",
  <B extends Rows, S extends number[], D extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    blocks: readonly Weights<CosineWindowBlockParameters<NoInfer<D>>>[],
    { window, moved, epsilon }: CosineWindowOptions,
  ): Tensor<[B, ...S, D]> => {
    const counts = x.shape.slice(1, -1).map(Number);
    const through = blocks.reduce<Tensor>((before, block, i) => {
      const w = block as unknown as Weights<CosineWindowBlockParameters<number>>;
      const normed = (value: Tensor, norm: Weights<LayerNormParameters<number>>): Tensor =>
        layerNorm(g, value as Tensor<[number, number]>, norm, epsilon === undefined ? {} : { epsilon });
      const attended = cosineWindowAttention(g, before, w.attn, cutOf(counts, window, i % 2 === 1 && (moved ?? true)));
      const between = g.add(before, normed(attended, w.norm1));
      return g.add(between, normed(perceptron(g, between as Tensor<[number, number]>, w.mlp), w.norm2));
    }, x as Tensor);
    return claim(through);
  },
);

const cosineWindowAttention = (
  g: Builder,
  x: Tensor,
  w: Weights<CosineWindowBlockParameters<number>>["attn"],
  cut: Cut,
): Tensor =>
  withinWindows(g, x, stepTable(g, w.meta_mlp, cut.window), cut, (windows, bias) =>
    cosineAttention(g, windows, w, bias),
  );
