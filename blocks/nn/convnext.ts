/**
 * The block of ConvNeXt and of ConvNeXt V2: a convolution of each channel, then a perceptron at each place. Weights are named as the
 * official code names them. Under a mask, hidden places are zeroed where places meet: before and behind the convolution, and where
 * norms are taken over places; what stands there in between reaches nothing.
 */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import { type Parameter, parameter, type Weights } from "../parameters.js";
import { type ConvolutionParameters, convolutionParameters, convolvedByChannel, narrowNormal } from "./convolution.js";
import { declarer, layer } from "./layer.js";
import { type LayerNormParameters, type LinearParameters, layerNorm, layerNormParameters, linear } from "./linear.js";

interface BlockSize<D extends number> {
  readonly width: D;
  /** Sides of the window. */
  readonly kernel: number[];
}

type PlainParameters<D extends number, H extends number> = {
  readonly dwconv: ConvolutionParameters<number, D, number[]>;
  readonly norm: LayerNormParameters<D>;
  readonly pwconv1: LinearParameters<D, H>;
  readonly pwconv2: LinearParameters<H, D>;
};

export type ConvNextBlockParameters<D extends number, H extends number> = PlainParameters<D, H> & {
  readonly gamma: Parameter<[D]>;
};

export type ConvNextV2BlockParameters<D extends number, H extends number> = PlainParameters<D, H> & {
  readonly grn: { readonly gamma: Parameter<[H]>; readonly beta: Parameter<[H]> };
};

const pointwise = (inputs: number, outputs: number): LinearParameters<number, number> => ({
  weight: parameter([outputs, inputs], narrowNormal),
  bias: parameter([outputs], { kind: "zeros" }),
});

const plainParameters = ({ width, kernel }: BlockSize<number>): PlainParameters<number, number> => ({
  dwconv: convolutionParameters({ inputs: width, outputs: width, kernel, groups: width }),
  norm: layerNormParameters(width),
  pwconv1: pointwise(width, 4 * width),
  pwconv2: pointwise(4 * width, width),
});

/** With a scale of what is added at each channel, which starts at `scale`. */
export const convNextBlockParameters = declarer(
  "convNextBlockParameters",
  ({ scale, ...size }: BlockSize<number> & { readonly scale: number }): ConvNextBlockParameters<number, number> => ({
    ...plainParameters(size),
    gamma: parameter([size.width], { kind: "constant", value: scale }),
  }),
) as <const D extends number>(size: BlockSize<D> & { readonly scale: number }) => ConvNextBlockParameters<D, number>;

/** With a global response normalisation of the hidden features, which starts as none. */
export const convNextV2BlockParameters = declarer(
  "convNextV2BlockParameters",
  (size: BlockSize<number>): ConvNextV2BlockParameters<number, number> => ({
    ...plainParameters(size),
    grn: {
      gamma: parameter([4 * size.width], { kind: "zeros" }),
      beta: parameter([4 * size.width], { kind: "zeros" }),
    },
  }),
) as <const D extends number>(size: BlockSize<D>) => ConvNextV2BlockParameters<D, number>;

/** x, zeroed where it is hidden. */
const seen = <T extends Tensor>(g: Builder, x: T, kept: Tensor | undefined): T => (kept ? g.mul(x, kept) : x) as T;

/** What the perceptron is given: [B, ...S, H] behind its GELU. */
function inner<S extends number[], D extends number, H extends number>(
  g: Builder,
  x: Tensor<[Rows, ...S, D]>,
  w: Weights<PlainParameters<D, H>>,
  kept: Tensor | undefined,
): Tensor<[Rows, ...S, H]> {
  const mixed = seen(g, convolvedByChannel(g, seen(g, x, kept), w.dwconv), kept);
  return g.gelu(linear(g, layerNorm(g, mixed, w.norm), w.pwconv1)) as Tensor<[Rows, ...S, H]>;
}

/**
 * x [B, ...S, H] (1 + gamma n) + beta with n the length of a channel over all visible places of a sample, as a share of the mean of all
 * channels. The root's slope stays finite where a channel is dark.
 */
function responseNormed(
  g: Builder,
  x: Tensor,
  w: { readonly gamma: Tensor; readonly beta: Tensor },
  kept: Tensor | undefined,
): Tensor {
  const lit = seen(g, x, kept);
  const axes = x.shape.slice(1, -1).map((_, axis) => axis + 1);
  const lengths = g.sqrt(g.add(g.sum(g.mul(lit, lit), axes, "keep"), 1e-12)); // [B, 1, .., H]
  const share = g.div(lengths, g.add(g.mean(lengths, [-1], "keep"), 1e-6));
  return g.add(g.add(g.mul(g.mul(x, share), w.gamma), w.beta), x);
}

/** x [B, ...S, D] -> x + gamma MLP(LN(conv x)). `kept` [B, ...S, 1]: where something is visible; if absent, everywhere. */
export const convNextBlock = layer(
  "convNextBlock",
  <B extends Rows, S extends number[], D extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    w: Weights<ConvNextBlockParameters<NoInfer<D>, H>>,
    kept?: Tensor<[NoInfer<B>, ...S, 1]>,
  ): Tensor<[B, ...S, D]> => {
    const hidden = inner<S, D, H>(g, x as Tensor as Tensor<[Rows, ...S, D]>, w, kept);
    return g.add(x, g.mul(linear(g, hidden, w.pwconv2), w.gamma));
  },
);

/** x [B, ...S, D] -> x + MLP(LN(conv x)), the hidden features normed by their response. `kept`: as of `convNextBlock`. */
export const convNextV2Block = layer(
  "convNextV2Block",
  <B extends Rows, S extends number[], D extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    w: Weights<ConvNextV2BlockParameters<NoInfer<D>, H>>,
    kept?: Tensor<[NoInfer<B>, ...S, 1]>,
  ): Tensor<[B, ...S, D]> => {
    const hidden = inner<S, D, H>(g, x as Tensor as Tensor<[Rows, ...S, D]>, w, kept);
    const normed = responseNormed(g, hidden, w.grn, kept) as Tensor<[Rows, ...S, H]>;
    return g.add(x, linear(g, normed, w.pwconv2));
  },
);
