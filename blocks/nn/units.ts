/** What heads over maps are made of: convolutions with norms, maps spread to more places, and squeezed weights of channels and places. */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { parameter, type Weights } from "../parameters.js";
import { type BatchNormParameters, batchNormed, batchNormParameters } from "./batch-norm.js";
import { boxesTogether } from "./boxes.js";
import { convolve, type KernelParameters } from "./convolution.js";
import { claim, layer } from "./layer.js";
import { type LinearParameters, linear, linearParameters } from "./linear.js";

/** A convolution, a batch norm and what lies above zero. */
export type UnitParameters = {
  readonly conv: KernelParameters<number, number>;
  readonly norm: BatchNormParameters<number>;
};

/** A kernel without a bias, as Kaiming He starts it: its window has the same side along each axis. */
export const windowKernel = (
  inputs: number,
  outputs: number,
  side: number,
  axes: number,
): KernelParameters<number, number> => ({
  weight: parameter([outputs, inputs, ...Array.from({ length: axes }, () => side)], {
    kind: "normal",
    std: Math.sqrt(2 / (inputs * side ** axes)),
  }),
});

export const unitParameters = (inputs: number, outputs: number, side: number, axes: number): UnitParameters => ({
  conv: windowKernel(inputs, outputs, side, axes),
  norm: batchNormParameters(outputs),
});

/** x [B, ...S, I] -> [B, ...S, O] */
export const convolved = (g: Builder, x: Tensor, w: Weights<KernelParameters<number, number>>): Tensor =>
  convolve(g, x as Tensor<[Rows, number, number]>, w as never) as Tensor;

/** x [B, ...S, I] -> [B, ...S, O] */
export const unit = (g: Builder, x: Tensor, { conv, norm }: Weights<UnitParameters>): Tensor =>
  g.maximum(batchNormed(g, convolved(g, x, conv), norm), 0);

/** Several, one after the other. */
export const unitsParameters = (
  inputs: number,
  outputs: number,
  count: number,
  axes: number,
): readonly UnitParameters[] =>
  Array.from({ length: count }, (_, i) => unitParameters(i === 0 ? inputs : outputs, outputs, 3, axes));

export const units = (g: Builder, x: Tensor, all: readonly Weights<UnitParameters>[]): Tensor =>
  all.reduce<Tensor>((y, one) => unit(g, y, one), x);

/** Of `spread`: so many numbers for each place of the result. */
export const spreadParameters = (
  inputs: number,
  outputs: number,
  factors: readonly number[],
): LinearParameters<number, number> => linearParameters(inputs, outputs * sizeOf(factors));

/** x [B, ...S, I] -> [B, ...factors S, O]: a transposed convolution whose windows do not overlap. */
export function spread(
  g: Builder,
  x: Tensor,
  w: Weights<LinearParameters<number, number>>,
  factors: readonly number[],
): Tensor {
  const [batch, ...rest] = x.shape as readonly number[];
  const counts = rest.slice(0, -1);
  const y = linear(g, x as Tensor<[number, number, number, number]>, w);
  const width = (y.shape.at(-1) as number) / sizeOf(factors);
  return boxesTogether(g, y, { batch: batch as number, counts, sides: factors, width });
}

/** x [B, ...S, D] -> each channel of each sample normed over its places, without weights; as torch.nn.InstanceNorm3d. */
export function instanceNormed(g: Builder, x: Tensor): Tensor {
  const axes = x.shape.slice(1, -1).map((_, i) => i + 1);
  const centred = g.sub(x, g.mean(x, axes, "keep"));
  return g.mul(centred, g.rsqrt(g.add(g.mean(g.mul(centred, centred), axes, "keep"), 1e-5)));
}

/** Channels weighed by what they hold over all places, and places by what they hold over all channels. */
export type SqueezeParameters = {
  readonly squeeze: LinearParameters<number, number>;
  readonly excite: LinearParameters<number, number>;
  readonly place: LinearParameters<number, number>;
};

export const squeezeParameters = (width: number): SqueezeParameters => ({
  squeeze: linearParameters(width, Math.max(1, Math.floor(width / 2))),
  excite: linearParameters(Math.max(1, Math.floor(width / 2)), width),
  place: linearParameters(width, 1),
});

/** x [B, ...S, D] -> the larger of both, place by place (Roy et al., MICCAI 2018: scSE). */
export function squeezed(g: Builder, x: Tensor, w: Weights<SqueezeParameters>): Tensor {
  const axes = x.shape.slice(1, -1).map((_, i) => i + 1);
  const one = (y: Tensor, by: Weights<LinearParameters<number, number>>): Tensor =>
    linear(g, y as Tensor<[number, number, number, number]>, by);
  const means = g.mean(x, axes, "keep");
  const channels = g.sigmoid(one(g.maximum(one(means, w.squeeze), 0), w.excite));
  const places = g.sigmoid(one(x, w.place));
  return g.maximum(g.mul(x, channels), g.mul(x, places));
}

/** Maps of one size with their features beside each other, [B, ...S, sum of D]. */
export const joinMaps = layer(
  "joinMaps",
  <B extends Rows, S extends number[]>(
    g: Builder,
    maps: readonly Tensor[],
    _o?: { readonly places: S },
  ): Tensor<[B, ...S, number]> =>
    claim(maps.length === 1 ? (maps[0] as Tensor) : g.concat(maps, (maps[0] as Tensor).shape.length - 1)),
);
