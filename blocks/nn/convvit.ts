/**
 * What ConvMAE's encoder has in front of its transformer: boxes that become places, and blocks whose places meet in a convolution of each
 * channel. Weights are named and start as in the official code; its convolutions of one place are matrices here. Under a mask, hidden places
 * enter that convolution as zeros, and nothing else brings places together.
 */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { type Parameter, parameter, type Weights } from "../parameters.js";
import type { Finer, Places } from "./boxes.js";
import { type ConvolutionParameters, convolveDown, convolvedByChannel } from "./convolution.js";
import { claim, claimAs, declarer, layer } from "./layer.js";
import { type LayerNormParameters, type LinearParameters, layerNorm, layerNormParameters, linear } from "./linear.js";

/** PyTorch's own, which the official code has in front of the transformer alone. */
const epsilon = 1e-5;

interface WindowSize {
  readonly inputs: number;
  readonly outputs: number;
  /** Sides of the window. */
  readonly kernel: readonly number[];
  /** If absent, 1. */
  readonly groups?: number;
}

/** A convolution as PyTorch starts it: weight and bias U(-b, b) with b = 1 / sqrt(numbers that a window reads). */
export const uniformConvolutionParameters = declarer(
  "uniformConvolutionParameters",
  ({ inputs, outputs, kernel, groups = 1 }: WindowSize): ConvolutionParameters<number, number, number[]> => {
    const start = { kind: "uniform", bound: 1 / Math.sqrt((inputs / groups) * sizeOf(kernel)) } as const;
    return { weight: parameter([outputs, inputs / groups, ...kernel], start), bias: parameter([outputs], start) };
  },
) as unknown as <const I extends number, const O extends number, const K extends readonly number[]>(
  size: WindowSize & { readonly inputs: I; readonly outputs: O; readonly kernel: K },
) => ConvolutionParameters<number, O, [...K]>;

const pointwise = (inputs: number, outputs: number): LinearParameters<number, number> => {
  const start = { kind: "uniform", bound: 1 / Math.sqrt(inputs) } as const;
  return { weight: parameter([outputs, inputs], start), bias: parameter([outputs], start) };
};

export type BoxEmbedParameters<O extends number> = {
  readonly proj: ConvolutionParameters<number, O, number[]>;
  readonly norm: LayerNormParameters<O>;
};

/** Boxes of sides `kernel` become places. */
export const boxEmbedParameters = declarer(
  "boxEmbedParameters",
  (size: WindowSize): BoxEmbedParameters<number> => ({
    proj: uniformConvolutionParameters(size) as ConvolutionParameters<number, number, number[]>,
    norm: layerNormParameters(size.outputs),
  }),
) as <const O extends number>(size: WindowSize & { readonly outputs: O }) => BoxEmbedParameters<O>;

/** x [B, ...stride P, I] -> [B, ...P, O]: one convolution of each box, a LayerNorm and the exact GELU. */
export const embedBoxes = layer(
  "embedBoxes",
  <B extends Rows, const P extends Places, const F extends number, I extends number, O extends number>(
    g: Builder,
    x: Finer<B, P, F, I>,
    w: Weights<BoxEmbedParameters<O>>,
    o: { readonly places: P; readonly stride: F },
  ): Tensor<[B, ...P, O]> => {
    const y = convolveDown(g, x as never, w.proj, o) as Tensor<[B, ...P, O]>;
    return claimAs(g.gelu(layerNorm(g, y as never, w.norm, { epsilon })));
  },
);

export type ConvVitBlockParameters<D extends number, H extends number> = {
  readonly norm1: LayerNormParameters<D>;
  readonly conv1: LinearParameters<D, D>;
  readonly attn: { readonly weight: Parameter<[D, number, ...number[]]>; readonly bias: Parameter<[D]> };
  readonly conv2: LinearParameters<D, D>;
  readonly norm2: LayerNormParameters<D>;
  readonly mlp: { readonly fc1: LinearParameters<D, H>; readonly fc2: LinearParameters<H, D> };
};

interface BlockSize<D extends number, H extends number> {
  readonly width: D;
  readonly hidden: H;
  /** Sides of the window. */
  readonly kernel: readonly number[];
}

export const convVitBlockParameters = declarer(
  "convVitBlockParameters",
  ({ width, hidden, kernel }: BlockSize<number, number>): ConvVitBlockParameters<number, number> => ({
    norm1: layerNormParameters(width),
    conv1: pointwise(width, width),
    attn: uniformConvolutionParameters({ inputs: width, outputs: width, kernel, groups: width }),
    conv2: pointwise(width, width),
    norm2: layerNormParameters(width),
    mlp: { fc1: pointwise(width, hidden), fc2: pointwise(hidden, width) },
  }),
) as <const D extends number, const H extends number>(size: BlockSize<D, H>) => ConvVitBlockParameters<D, H>;

/**
 * x [B, ...S, D] -> x + conv2(conv(conv1(LN x))) of each channel by a window of its own, then + MLP(LN x). `kept` [B, ...S, 1]: where
 * something is visible; if absent, everywhere.
 */
export const convVitBlock = layer(
  "convVitBlock",
  <B extends Rows, S extends number[], D extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    w: Weights<ConvVitBlockParameters<NoInfer<D>, H>>,
    kept?: Tensor<[NoInfer<B>, ...S, 1]>,
  ): Tensor<[B, ...S, D]> => {
    const given = x as Tensor as Tensor<[Rows, ...number[], D]>;
    const entered = linear(g, layerNorm(g, given, w.norm1, { epsilon }), w.conv1);
    const mixed = convolvedByChannel(g, (kept ? g.mul(entered, kept) : entered) as typeof given, w.attn);
    const between = g.add(given, linear(g, mixed, w.conv2));
    const hidden = g.gelu(linear(g, layerNorm(g, between, w.norm2, { epsilon }), w.mlp.fc1));
    return claim(g.add(between, linear(g, hidden as never, w.mlp.fc2)));
  },
);
