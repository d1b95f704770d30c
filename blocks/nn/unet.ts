/** The block of SparK's light UNet: a transposed convolution doubles the places, two convolutions with batch norms follow. */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import { type BatchNormParameters, batchNormed, batchNormParameters } from "./batch-norm.js";
import type { Finer, Places } from "./boxes.js";
import {
  convolve,
  convolveUp,
  type KernelParameters,
  kernelParameters,
  type TransposedParameters,
  transposedParameters,
} from "./convolution.js";
import { claimAs, declarer, layer } from "./layer.js";

export type UpBlockParameters<I extends number, O extends number> = {
  readonly up_sample: TransposedParameters<I, I, number[]>;
  readonly conv: readonly [
    KernelParameters<I, I>,
    BatchNormParameters<I>,
    Readonly<Record<never, never>>,
    KernelParameters<I, O>,
    BatchNormParameters<O>,
  ];
};

/** Named as in SparK: the third of `conv` is the bend, which has no weights. */
export const upBlockParameters = declarer(
  "upBlockParameters",
  ({ inputs, outputs, axes }: { readonly inputs: number; readonly outputs: number; readonly axes: number }) => {
    const kernel = (side: number): number[] => Array.from({ length: axes }, () => side);
    return {
      up_sample: transposedParameters({ inputs, outputs: inputs, kernel: kernel(4) }),
      conv: [
        kernelParameters({ inputs, outputs: inputs, kernel: kernel(3) }),
        batchNormParameters(inputs),
        {},
        kernelParameters({ inputs, outputs, kernel: kernel(3) }),
        batchNormParameters(outputs),
      ],
    } as UpBlockParameters<number, number>;
  },
) as <const I extends number, const O extends number>(size: {
  readonly inputs: I;
  readonly outputs: O;
  readonly axes: number;
}) => UpBlockParameters<I, O>;

/** x [B, ...P, I] -> [B, ...2 P, O] */
export const upBlock = layer(
  "upBlock",
  <B extends Rows, const P extends Places, I extends number, O extends number>(
    g: Builder,
    x: Tensor<[B, ...P, I]>,
    w: Weights<UpBlockParameters<NoInfer<I>, O>>,
  ): Finer<B, P, 2, O> => {
    const [first, firstNorm, , second, secondNorm] = w.conv as unknown as readonly never[];
    const wide = convolveUp(g, x as never, w.up_sample as never, { stride: 2 }) as Tensor;
    const normed = batchNormed(g, convolve(g, wide as never, first as never), firstNorm as never);
    const bent = g.minimum(g.maximum(normed, 0), 6);
    return claimAs(batchNormed(g, convolve(g, bent as never, second as never), secondNorm as never));
  },
);
