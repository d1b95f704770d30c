/** How far one array, read where a displacement says, is from another, and how rough the displacement is. */

import type { Builder, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";
import { windowSums } from "./resize.js";
import { type Outside, warped } from "./warp.js";

const outside: Outside = "zeros";

/** The mean of the squares of what is between `fixed` and `moving` read where the displacement says. */
export const warpedError = layer(
  "warpedError",
  <S extends number[], D extends number, A extends number>(
    g: Builder,
    displacement: Tensor<["B", ...S, A]>,
    moving: Tensor<["B", ...S, D]>,
    fixed: Tensor<["B", ...S, NoInfer<D>]>,
  ): Tensor<[]> => {
    const error = g.sub(warped(g, moving, displacement, outside), fixed as Tensor);
    return claim(g.mean(g.mul(error, error)));
  },
);

/** 1 - the mean of the squared correlation of both in windows of so many places around each. */
export const warpedCorrelation = layer(
  "warpedCorrelation",
  <S extends number[], D extends number, A extends number>(
    g: Builder,
    displacement: Tensor<["B", ...S, A]>,
    moving: Tensor<["B", ...S, D]>,
    fixed: Tensor<["B", ...S, NoInfer<D>]>,
    o: { readonly window: number },
  ): Tensor<[]> => {
    const [a, b] = [warped(g, moving, displacement, outside), fixed as Tensor];
    const count = o.window ** (a.shape.length - 2);
    const sum = (x: Tensor): Tensor => windowSums(g, x, o.window);
    const [sumA, sumB] = [sum(a), sum(b)];
    const beyond = (x: Tensor, y: Tensor, sumX: Tensor, sumY: Tensor): Tensor =>
      g.sub(sum(g.mul(x, y)), g.mul(g.mul(sumX, sumY), 1 / count));
    const cross = beyond(a, b, sumA, sumB);
    const spread = g.mul(beyond(a, a, sumA, sumA), beyond(b, b, sumB, sumB));
    return claim(g.add(g.neg(g.mean(g.div(g.mul(cross, cross), g.add(spread, 1e-5)))), 1));
  },
);

/** The mean of the squares of what is between neighbours, of each axis, averaged over axes. */
export const roughness = layer(
  "roughness",
  <S extends number[], A extends number>(g: Builder, displacement: Tensor<["B", ...S, A]>): Tensor<[]> => {
    const shape = displacement.shape as readonly number[];
    const axes = shape.slice(1, -1).map((size, i) => {
      const axis = i + 1;
      const part = (begin: number): Tensor =>
        g.slice(
          displacement,
          shape.map((_, at) => (at === axis ? begin : 0)),
          shape.map((n, at) => (at === axis ? size - 1 : n)),
        );
      const step = g.sub(part(1), part(0));
      return g.mean(g.mul(step, step));
    });
    const total = axes.reduce((sum, one) => g.add(sum, one));
    return claim(g.mul(total, 1 / axes.length));
  },
);
