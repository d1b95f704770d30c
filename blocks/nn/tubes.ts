/** Pairs of transformer blocks over frames: one within each frame, one within tubes through all of them. */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";
import { type TransformerBlockParameters, transformerBlock, transformerBlockParameters } from "./transformer.js";
import { joinedWindows, windowsOf } from "./windows.js";

export type FrameTubeBlockParameters<D extends number, Q extends number, H extends number> = {
  readonly frame: TransformerBlockParameters<D, Q, H>;
  readonly tube: TransformerBlockParameters<D, Q, H>;
};

export const frameTubeBlockParameters = declarer(
  "frameTubeBlockParameters",
  (size: { readonly width: number; readonly hidden: number }): FrameTubeBlockParameters<number, number, number> => ({
    frame: transformerBlockParameters(size),
    tube: transformerBlockParameters(size),
  }),
) as <const D extends number, const H extends number>(size: {
  readonly width: D;
  readonly hidden: H;
}) => FrameTubeBlockParameters<D, number, H>;

interface BlockOptions {
  readonly heads: number;
  readonly epsilon?: number;
}

/** Tokens [B, N, D] that lie so through a block that sees each window by itself. */
function throughWindows(
  g: Builder,
  x: Tensor,
  w: Weights<TransformerBlockParameters<number, number, number>>,
  { counts, window, ...o }: BlockOptions & { readonly counts: readonly number[]; readonly window: readonly number[] },
): Tensor {
  const [batch, , width] = x.shape as readonly [number, number, number];
  const split = counts.map((count, i) => count / (window[i] as number));
  const windows = windowsOf(g, g.reshape(x, [batch, ...counts, width]), window, split);
  const seen = transformerBlock(g, claim<[Rows, number, number]>(windows), w, o);
  return g.reshape(joinedWindows(g, seen, window, split), [batch, sizeOf(counts), width]);
}

/** x [B, N, D], tokens of `counts` along each axis -> through a block within each frame, then through one within tubes of all frames. */
export const frameTubeBlock = layer(
  "frameTubeBlock",
  <B extends Rows, N extends number, D extends number, Q extends number, H extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<FrameTubeBlockParameters<NoInfer<D>, Q, H>>,
    { counts, tube, ...o }: BlockOptions & { readonly counts: readonly number[]; readonly tube: readonly number[] },
  ): Tensor<[B, N, D]> => {
    const { frame, tube: through } = w as unknown as Weights<FrameTubeBlockParameters<number, number, number>>;
    const [times = 1, ...places] = counts;
    const within = throughWindows(g, x, frame, { ...o, counts, window: [1, ...places] });
    return claim(throughWindows(g, within, through, { ...o, counts, window: [times, ...tube] }));
  },
);
