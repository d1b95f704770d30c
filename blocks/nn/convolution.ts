/**
 * Convolutions along one to three axes, channels last, with the weight layouts of PyTorch. Types say the places of what a layer
 * gives, as literals, and ask of what it is given that they fit: a window that halves the rows is told how many are left.
 */

import { type Builder, type Dims, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { type Initializer, type Parameter, parameter } from "../parameters.js";
import type { Finer, Places } from "./boxes.js";
import { claim, claimAs, declarer, layer } from "./layer.js";

/** Of a weight that may be of several groups: its inputs are checked when it is traced. */
type Kernel<O extends number> = { readonly weight: Tensor<[O, number, ...number[]]> };
type Bias<O extends number> = { readonly bias?: Tensor<[O]> | undefined };

export interface ConvolutionSize<I extends number, O extends number, K extends Dims> {
  readonly inputs: I;
  readonly outputs: O;
  /** Sides of the window. */
  readonly kernel: K;
  /** If absent, 1. */
  readonly groups?: number;
}

export type ConvolutionParameters<I extends number, O extends number, K extends Dims> = {
  readonly weight: Parameter<[O, I, ...K]>;
  readonly bias: Parameter<[O]>;
};

/** How convolutions start: a normal distribution cut at two deviations of 0.02. */
export const narrowNormal: Initializer = { kind: "truncated_normal", std: 0.02 };

type AnySize = ConvolutionSize<number, number, Dims>;

const kernelOf = ({ inputs, outputs, kernel, groups = 1 }: AnySize): [number, number, ...number[]] => [
  outputs,
  inputs / groups,
  ...kernel.map(Number),
];

/** Weight [outputs, inputs / groups, ...kernel], as `narrowNormal`; bias zero. `inputs` counts those of all groups. */
export const convolutionParameters = declarer("convolutionParameters", (size: AnySize) => ({
  weight: parameter(kernelOf(size), narrowNormal),
  bias: parameter([size.outputs], { kind: "zeros" }),
})) as <const I extends number, const O extends number, const K extends Dims>(
  size: ConvolutionSize<I, O, K>,
) => ConvolutionParameters<number, O, K>;

const repeated = (value: number, axes: number): readonly number[] => Array.from({ length: axes }, () => value);

interface Walk {
  readonly stride: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly groups: number;
}

function convolved(g: Builder, x: Tensor, w: Kernel<number> & Bias<number>, walk: Walk): Tensor {
  const axes = x.shape.length - 2;
  const { stride, before, after, groups } = walk;
  const windows = { strides: repeated(stride, axes), dilations: repeated(1, axes), before, after, groups };
  const y = g.conv(x, w.weight, windows);
  return w.bias ? g.add(y, w.bias) : y;
}

/** Of windows of odd sides: what must lie around for their places to be those of the numbers. */
const around = (weight: Tensor): readonly number[] => weight.shape.slice(2).map((n) => Math.floor(n / 2));

/** x [B, ...S, I] -> [B, ...S, O]: windows of odd sides at every place, zeros around. */
export const convolve = layer(
  "convolve",
  <B extends Rows, S extends number[], I extends number, O extends number>(
    g: Builder,
    x: Tensor<[B, ...S, I]>,
    w: Kernel<O> & Bias<NoInfer<O>>,
  ): Tensor<[B, ...S, O]> => {
    const padding = around(w.weight);
    return claim(convolved(g, x, w, { stride: 1, before: padding, after: padding, groups: 1 }));
  },
);

/** x [B, ...S, D] -> [B, ...S, D]: each channel by windows of its own, zeros around. */
export function convolvedByChannel<S extends Dims>(
  g: Builder,
  x: Tensor<S>,
  w: Kernel<number> & Bias<number>,
): Tensor<S> {
  const padding = around(w.weight);
  return claim(convolved(g, x, w, { stride: 1, before: padding, after: padding, groups: x.shape.at(-1) as number }));
}

/**
 * x [B, ...stride P, I] -> [B, ...P, O]: windows `stride` apart. With `padding`, so many zeros before each axis and what windows need
 * behind it; without, windows lie side by side.
 */
export const convolveDown = layer(
  "convolveDown",
  <B extends Rows, const P extends Places, const F extends number, I extends number, O extends number>(
    g: Builder,
    x: Finer<B, P, F, I>,
    w: Kernel<O> & Bias<NoInfer<O>>,
    o: { readonly places: P; readonly stride: F; readonly padding?: number },
  ): Tensor<[B, ...P, O]> => {
    const kernel = w.weight.shape.slice(2);
    const before = kernel.map(() => o.padding ?? 0);
    const after = kernel.map((n) => Math.max(0, n - o.stride - (o.padding ?? 0)));
    return claim(convolved(g, x as Tensor, w, { stride: o.stride, before, after, groups: 1 }));
  },
);

export type KernelParameters<I extends number, O extends number> = { readonly weight: Parameter<[O, I, ...number[]]> };

/** As `convolutionParameters`, without the bias. */
export const kernelParameters = declarer("kernelParameters", (size: AnySize) => ({
  weight: parameter(kernelOf(size), narrowNormal),
})) as <const I extends number, const O extends number, const K extends Dims>(
  size: ConvolutionSize<I, O, K>,
) => KernelParameters<I, O>;

export type TransposedParameters<I extends number, O extends number, K extends Dims> = {
  readonly weight: Parameter<[I, O, ...K]>;
  readonly bias: Parameter<[O]>;
};

/** Of a transposed convolution: weight [inputs, outputs, ...kernel], as torch.nn.ConvTranspose2d has it; bias zero. */
export const transposedParameters = declarer("transposedParameters", ({ inputs, outputs, kernel }: AnySize) => ({
  weight: parameter([inputs, outputs, ...kernel.map(Number)], {
    kind: "normal",
    // Kaiming's of the numbers that each input reaches.
    std: Math.sqrt(2 / (outputs * sizeOf(kernel.map(Number)))),
  }),
  bias: parameter([outputs], { kind: "zeros" }),
})) as <const I extends number, const O extends number, const K extends Dims>(
  size: ConvolutionSize<I, O, K>,
) => TransposedParameters<I, O, K>;

/** x [B, ...P, I] -> [B, ...stride P, O]: each number spread over a window, windows `stride` apart added up. */
export const convolveUp = layer(
  "convolveUp",
  <B extends Rows, const P extends Places, const F extends number, I extends number, O extends number>(
    g: Builder,
    x: Tensor<[B, ...P, I]>,
    w: { readonly weight: Tensor<[NoInfer<I>, O, ...number[]]>; readonly bias: Tensor<[NoInfer<O>]> },
    o: { readonly stride: F },
  ): Finer<B, P, F, O> => {
    const kernel = w.weight.shape.slice(2);
    const size = x.shape.slice(1, -1).map((n) => n * o.stride);
    // What a window has more than its stride lies half before and half behind.
    const before = kernel.map((n) => Math.floor((n - o.stride) / 2));
    const after = kernel.map((n, axis) => n - o.stride - (before[axis] as number));
    const attributes = {
      strides: repeated(o.stride, kernel.length),
      dilations: repeated(1, kernel.length),
      before,
      after,
      groups: 1,
      size,
    };
    return claimAs(g.add(g.convInput(x, w.weight, attributes), w.bias));
  },
);
