/**
 * The stem and the block of ResNet with bottlenecks, whose convolutions have batch norms in place of biases. Weights are named as timm
 * names them. Under a mask, norms take the statistics of visible places, and hidden ones are zeros behind each.
 */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { type Parameter, parameter, type Weights } from "../parameters.js";
import { type BatchNormParameters, batchNormed, batchNormParameters } from "./batch-norm.js";
import type { Finer, Places } from "./boxes.js";
import { convolve, convolveDown, type KernelParameters } from "./convolution.js";
import { claim, declarer, layer } from "./layer.js";

interface KernelSize {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: Places;
}

/** A kernel without a bias, which starts as Kaiming's of the numbers that each input reaches. */
export const kaimingKernelParameters = declarer(
  "kaimingKernelParameters",
  ({ inputs, outputs, kernel }: KernelSize): KernelParameters<number, number> => ({
    weight: parameter([outputs, inputs, ...kernel], {
      kind: "normal",
      std: Math.sqrt(2 / (outputs * sizeOf(kernel))),
    }) as Parameter<[number, number, ...number[]]>,
  }),
) as <const O extends number>(size: KernelSize & { readonly outputs: O }) => KernelParameters<number, O>;

const square = (side: number, axes: number): number[] => Array.from({ length: axes }, () => side);

export type ResnetStemParameters<O extends number> = {
  readonly conv1: KernelParameters<number, O>;
  readonly bn1: BatchNormParameters<O>;
};

export type BottleneckParameters<O extends number> = {
  readonly conv1: KernelParameters<number, number>;
  readonly bn1: BatchNormParameters<number>;
  readonly conv2: KernelParameters<number, number>;
  readonly bn2: BatchNormParameters<number>;
  readonly conv3: KernelParameters<number, O>;
  readonly bn3: BatchNormParameters<O>;
};

export type BottleneckDownParameters<O extends number> = BottleneckParameters<O> & {
  readonly downsample: readonly [KernelParameters<number, O>, BatchNormParameters<O>];
};

interface BottleneckSize {
  readonly inputs: number;
  readonly outputs: number;
  readonly axes: number;
}

/** Features within a block, as a share of those that it gives: a quarter. */
const narrowing = 4;

/** What a block adds starts as nothing: the last norm scales by zero. */
const plainBottleneck = ({ inputs, outputs, axes }: BottleneckSize): BottleneckParameters<number> => {
  const narrow = outputs / narrowing;
  const last = batchNormParameters(outputs);
  return {
    conv1: kaimingKernelParameters({ inputs, outputs: narrow, kernel: square(1, axes) }),
    bn1: batchNormParameters(narrow),
    conv2: kaimingKernelParameters({ inputs: narrow, outputs: narrow, kernel: square(3, axes) }),
    bn2: batchNormParameters(narrow),
    conv3: kaimingKernelParameters({ inputs: narrow, outputs, kernel: square(1, axes) }),
    bn3: { ...last, weight: parameter([outputs], { kind: "zeros" }) },
  };
};

export const bottleneckParameters = declarer("bottleneckParameters", plainBottleneck) as <const O extends number>(
  size: BottleneckSize & { readonly outputs: O },
) => BottleneckParameters<O>;

/** Of a block that changes features or places: what it adds to passes a convolution of one place and a norm. */
export const bottleneckDownParameters = declarer(
  "bottleneckDownParameters",
  (size: BottleneckSize): BottleneckDownParameters<number> => ({
    ...plainBottleneck(size),
    downsample: [kaimingKernelParameters({ ...size, kernel: square(1, size.axes) }), batchNormParameters(size.outputs)],
  }),
) as <const O extends number>(size: BottleneckSize & { readonly outputs: O }) => BottleneckDownParameters<O>;

/** x normed by its batch; zeros where it is hidden. */
function normed(g: Builder, x: Tensor, w: unknown, kept: Tensor | undefined): Tensor {
  const y = batchNormed(g, x, w as Weights<BatchNormParameters<number>>, kept);
  return kept ? g.mul(y, kept) : y;
}

/** The larger of x and 0, whose slope at 0 is 0, as PyTorch has it: blocks that add nothing yet leave many zeros. */
const bent = (g: Builder, x: Tensor): Tensor =>
  g.select(g.less(g.constant(0), x) as Tensor as Tensor<number[], "bool">, x, 0);

/**
 * x [B, ...stride P, C] -> [B, ...P, O]: a convolution that halves the places, unless the stride is 1, a norm and a bend. `kept` [B, ...P, 1]: where
 * something is visible; if absent, everywhere.
 */
export const resnetStem = layer(
  "resnetStem",
  <B extends Rows, const P extends Places, const F extends number, C extends number, O extends number>(
    g: Builder,
    x: Finer<B, P, F, C>,
    w: Weights<ResnetStemParameters<O>>,
    o: { readonly places: P; readonly stride: F },
    kept?: Tensor<[NoInfer<B>, ...P, 1]>,
  ): Tensor<[B, ...P, O]> => {
    const padding = Math.floor(((w.conv1.weight.shape[2] as number) - 1) / 2);
    const y = convolveDown(g, x as never, w.conv1 as never, { ...o, padding }) as Tensor;
    return claim(bent(g, normed(g, y, w.bn1, kept as Tensor | undefined)));
  },
);

/** x [B, ...2 P, D] -> [B, ...P, D]: the largest of each window of 3 a side, two places apart; none is negative, so that hidden zeros win nothing. */
export const largestPlaces = layer(
  "largestPlaces",
  <B extends Rows, const P extends Places, D extends number>(
    g: Builder,
    x: Finer<B, P, 2, D>,
    o: { readonly places: P },
    kept?: Tensor<[NoInfer<B>, ...P, 1]>,
  ): Tensor<[B, ...P, D]> => {
    const all = (n: number): number[] => o.places.map(() => n);
    const y = g.maxPool(x as Tensor, { kernel: all(3), strides: all(2), before: all(1), after: all(0) });
    return claim(kept ? g.mul(y, kept) : y);
  },
);

/** What a block adds: narrowed, mixed over windows of 3 a side that are `stride` apart, and widened. `before`: what is visible of x. */
function added(
  g: Builder,
  x: Tensor,
  w: Weights<BottleneckParameters<number>>,
  mixed: (narrow: Tensor) => Tensor,
  before: Tensor | undefined,
  kept: Tensor | undefined,
): Tensor {
  const narrow = bent(g, normed(g, convolve(g, x as never, w.conv1 as never), w.bn1, before));
  const across = bent(g, normed(g, mixed(narrow), w.bn2, kept));
  return normed(g, convolve(g, across as never, w.conv3 as never), w.bn3, kept);
}

/** x [B, ...S, D] -> bend(x + what the block adds). `kept` [B, ...S, 1]: where something is visible; if absent, everywhere. */
export const bottleneck = layer(
  "bottleneck",
  <B extends Rows, S extends number[], D extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    w: Weights<BottleneckParameters<NoInfer<D>>>,
    kept?: Tensor<[NoInfer<B>, ...S, 1]>,
  ): Tensor<[B, ...S, D]> => {
    const weights = w as unknown as Weights<BottleneckParameters<number>>;
    const mixed = (narrow: Tensor): Tensor => convolve(g, narrow as never, w.conv2 as never);
    return claim(bent(g, g.add(x as Tensor, added(g, x as Tensor, weights, mixed, kept, kept))));
  },
);

/** x [B, ...stride P, I] -> [B, ...P, O]. `before`, `kept`: where something is visible of x, and of what it becomes. */
export const bottleneckDown = layer(
  "bottleneckDown",
  <B extends Rows, const P extends Places, const F extends number, I extends number, O extends number>(
    g: Builder,
    x: Finer<B, P, F, I>,
    w: Weights<BottleneckDownParameters<O>>,
    o: { readonly places: P; readonly stride: F },
    before?: Tensor,
    kept?: Tensor<[NoInfer<B>, ...P, 1]>,
  ): Tensor<[B, ...P, O]> => {
    const weights = w as unknown as Weights<BottleneckParameters<number>>;
    const seen = kept as Tensor | undefined;
    const mixed = (narrow: Tensor): Tensor =>
      convolveDown(g, narrow as never, w.conv2 as never, { ...o, padding: 1 }) as Tensor;
    const [kernel, norm] = w.downsample as unknown as readonly [never, never];
    const shortcut = normed(g, convolveDown(g, x as never, kernel, o) as Tensor, norm, seen);
    return claim(bent(g, g.add(added(g, x as Tensor, weights, mixed, before, seen), shortcut)));
  },
);
