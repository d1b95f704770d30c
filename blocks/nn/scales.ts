/** Convolutions of several widths side by side: what varies fast and what varies slowly of the same values. */

import type { Builder, Mul, Rows, Tensor } from "../../graph/index.js";
import { convolve } from "./convolution.js";
import { claimAs, layer } from "./layer.js";

/** x [B, ...S, I] -> GELU of the convolutions by each of K windows of odd sides, zeros around, one after the other, [B, ...S, K O]. */
export const convolveScales = layer(
  "convolveScales",
  <
    B extends Rows,
    S extends number[],
    I extends number,
    O extends number,
    W extends readonly { readonly weight: Tensor<[O, number, ...number[]]>; readonly bias: Tensor<[O]> }[],
  >(
    g: Builder,
    x: Tensor<[B, ...S, I]>,
    w: W,
  ): Mul<W["length"], O> extends infer F extends number ? Tensor<[B, ...S, F]> : never => {
    const scales = w.map((one) => g.gelu(convolve(g, x as never, one as never) as Tensor));
    return claimAs(scales.length === 1 ? (scales[0] as Tensor) : g.concat(scales, x.shape.length - 1));
  },
);
