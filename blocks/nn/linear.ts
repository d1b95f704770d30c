/** Linear layers and layer normalisation, with the weight names and layouts of PyTorch. */

import type { Builder, Dims, Tensor } from "../../graph/index.js";
import { type Parameter, parameter } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";

export type LinearParameters<I extends number, O extends number> = {
  readonly weight: Parameter<[O, I]>;
  readonly bias: Parameter<[O]>;
};

/** Weight [outputs, inputs] Xavier-uniform, bias zero, as official MAE initialises every Linear. */
export const linearParameters = declarer(
  "linearParameters",
  <I extends number, O extends number>(inputs: I, outputs: O): LinearParameters<I, O> => ({
    weight: parameter([outputs, inputs], { kind: "xavier_uniform" }),
    bias: parameter([outputs], { kind: "zeros" }),
  }),
) as <I extends number, O extends number>(inputs: I, outputs: O) => LinearParameters<I, O>;

/** Weight [outputs, inputs] normal with deviation 0.02, cut at twice that, bias zero, as BERT starts every matrix. */
export const normalLinearParameters = declarer(
  "normalLinearParameters",
  <I extends number, O extends number>(inputs: I, outputs: O): LinearParameters<I, O> => ({
    weight: parameter([outputs, inputs], { kind: "truncated_normal", std: 0.02 }),
    bias: parameter([outputs], { kind: "zeros" }),
  }),
) as <I extends number, O extends number>(inputs: I, outputs: O) => LinearParameters<I, O>;

export type ProjectionParameters<I extends number, O extends number> = { readonly weight: Parameter<[O, I]> };

/** As `linearParameters`, without the bias. */
export const projectionParameters = declarer(
  "projectionParameters",
  <I extends number, O extends number>(inputs: I, outputs: O): ProjectionParameters<I, O> => ({
    weight: parameter([outputs, inputs], { kind: "xavier_uniform" }),
  }),
) as <I extends number, O extends number>(inputs: I, outputs: O) => ProjectionParameters<I, O>;

/**
 * The patch embedding: as `linearParameters`, but the bias keeps the start of the convolution it stands for,
 * U(-1/sqrt(inputs), 1/sqrt(inputs)). The weight acts on a patch vector with the channel fastest.
 */
export const patchEmbedParameters = declarer(
  "patchEmbedParameters",
  <I extends number, O extends number>(inputs: I, outputs: O): { readonly proj: LinearParameters<I, O> } => ({
    proj: {
      weight: { ...parameter([outputs, inputs], { kind: "xavier_uniform" }), over: "patches" as const },
      bias: parameter([outputs], { kind: "uniform", bound: 1 / Math.sqrt(inputs) }),
    },
  }),
) as <I extends number, O extends number>(inputs: I, outputs: O) => { readonly proj: LinearParameters<I, O> };

/** x [..., I] -> x weight^T + bias [..., O]. */
export const linear = layer(
  "linear",
  <L extends Dims, I extends number, O extends number>(
    g: Builder,
    x: Tensor<[...L, I]>,
    w: { readonly weight: Tensor<[O, NoInfer<I>]>; readonly bias: Tensor<[NoInfer<O>]> },
  ): Tensor<[...L, O]> => g.linear(x, w.weight, w.bias),
);

/** x [..., I] -> x weight^T [..., O]. */
export const project = layer(
  "project",
  <L extends Dims, I extends number, O extends number>(
    g: Builder,
    x: Tensor<[...L, I]>,
    w: { readonly weight: Tensor<[O, NoInfer<I>]> },
  ): Tensor<[...L, O]> => {
    const [outputs] = w.weight.shape as readonly [number, number];
    return g.linear(x, w.weight, claim<[NoInfer<O>]>(g.constant(new Float32Array(outputs), [outputs])));
  },
);

export type LayerNormParameters<D extends number> = {
  readonly weight: Parameter<[D]>;
  readonly bias: Parameter<[D]>;
};

export const layerNormParameters = declarer(
  "layerNormParameters",
  <D extends number>(width: D): LayerNormParameters<D> => ({
    weight: parameter([width], { kind: "ones" }),
    bias: parameter([width], { kind: "zeros" }),
  }),
) as <D extends number>(width: D) => LayerNormParameters<D>;

/** A patch embedding with a LayerNorm of the patches before it, and one of the tokens behind it. */
export const normedPatchEmbedParameters = declarer(
  "normedPatchEmbedParameters",
  <I extends number, O extends number>(inputs: I, outputs: O): NormedPatchEmbedParameters<I, O> => ({
    patch_norm: layerNormParameters(inputs),
    ...patchEmbedParameters(inputs, outputs),
    norm: layerNormParameters(outputs),
  }),
) as <I extends number, O extends number>(inputs: I, outputs: O) => NormedPatchEmbedParameters<I, O>;

type NormedPatchEmbedParameters<I extends number, O extends number> = {
  readonly patch_norm: LayerNormParameters<I>;
  readonly proj: LinearParameters<I, O>;
  readonly norm: LayerNormParameters<O>;
};

/** Official MAE's epsilon for every LayerNorm; PyTorch's own is 1e-5. */
export const layerNormEpsilon = 1e-6;

/** Normalises the last axis: (x - mean) / sqrt(variance + epsilon) weight + bias; absent, epsilon is 1e-6. */
export const layerNorm = layer(
  "layerNorm",
  <L extends Dims, D extends number>(
    g: Builder,
    x: Tensor<[...L, D]>,
    w: { readonly weight: Tensor<[NoInfer<D>]>; readonly bias: Tensor<[NoInfer<D>]> },
    o: { readonly epsilon?: number } = {},
  ): Tensor<[...L, D]> => claim(g.layerNorm(x, w.weight, w.bias, o.epsilon ?? layerNormEpsilon)[0]),
);
