/**
 * What the gradients of composites pass back in their turn, so that a gradient can be differentiated again. Each is written out: as few products
 * as there are, by the composites themselves where those say it.
 */

import type { Builder } from "./builder.js";
import type { Tensor } from "./shape.js";

type Maybe = Tensor | undefined;

/** The sum of what is there. */
export const sum = (g: Builder, parts: readonly Maybe[]): Maybe =>
  parts.reduce((all, part) => (all && part ? g.add(all, part) : (all ?? part)), undefined);

/** Along the last axis, which is kept. */
const along = (g: Builder, x: Tensor): Tensor => g.sum(x, [-1], "keep");
const meanAlong = (g: Builder, x: Tensor): Tensor => g.mul(along(g, x), 1 / (x.shape.at(-1) as number));

/** All axes but the last as one. */
const rows = (g: Builder, x: Tensor): Tensor => {
  const shape = x.shape as readonly number[];
  const width = shape.at(-1) as number;
  return g.reshape(x, [shape.slice(0, -1).reduce((product, n) => product * n, 1), width]);
};

/** x [..., D] -> [D] */
const summed = (g: Builder, x: Tensor): Tensor => g.sum(rows(g, x), [0]);

/** Of dx = dy W, dW = dy^T x and db = sum dy. */
export function linearAgain(
  g: Builder,
  [dy, x, weight]: readonly [Tensor, Tensor, Tensor],
  [a, b, c]: readonly Maybe[],
): readonly Maybe[] {
  const none = g.constant(0, [weight.shape[0] as number]);
  const through = a && g.linear(a as never, weight as never, (c ?? none) as never);
  return [
    sum(g, [
      through,
      a ? undefined : c && g.add(g.mul(dy, 0), c),
      b && g.linear(x as never, b as never, none as never),
    ]),
    b && g.matmul(dy, b),
    a && g.matmul(rows(g, dy), rows(g, a), { a: true }),
  ];
}

/** Of dx = dy gelu'(x): gelu''(x) is (2 - x^2) times the density of x. */
export function geluAgain(g: Builder, [dy, x]: readonly [Tensor, Tensor], a: Tensor): readonly Tensor[] {
  const square = g.mul(x, x);
  const density = g.mul(g.exp(g.mul(square, -0.5)), 1 / Math.sqrt(2 * Math.PI));
  const bent = g.mul(density, g.sub(g.constant(2), square));
  return [g.geluGrad(a, x), g.mul(g.mul(a, dy), bent)];
}

/** Of dx = y (dy - sum y dy), which is its own transpose. */
export function softmaxAgain(g: Builder, [dy, y]: readonly [Tensor, Tensor], a: Tensor): readonly [Tensor, Tensor] {
  const centred = g.sub(dy, along(g, g.mul(dy, y)));
  return [g.softmaxGrad(a, y), g.sub(g.mul(a, centred), g.mul(along(g, g.mul(a, y)), dy))];
}

/** Of dx = rstd (h - mean h - n mean(h n)), where n = (x - mean) rstd and h = dy gamma, of dgamma = sum dy n and dbeta = sum dy. */
export function layerNormAgain(
  g: Builder,
  [dy, x, gamma, mean, rstd]: readonly [Tensor, Tensor, Tensor, Tensor, Tensor],
  [a, b, c]: readonly Maybe[],
): readonly Maybe[] {
  const centred = g.sub(x, mean);
  const n = g.mul(centred, rstd);
  const h = g.mul(dy, gamma);
  const ones = g.constant(1, [gamma.shape[0] as number]);
  // Its own transpose in h.
  const turned = a && g.layerNormGrad(a, x, ones as never, mean, rstd)[0];
  const common = meanAlong(g, g.mul(h, n));
  const bent = a && g.neg(g.mul(rstd, g.add(g.mul(a, common), g.mul(meanAlong(g, g.mul(a, n)), h))));
  const dn = sum(g, [bent, b && g.mul(dy, b)]);
  const whole = a && along(g, g.mul(a, g.sub(g.sub(h, meanAlong(g, h)), g.mul(n, common))));
  return [
    sum(g, [turned && g.mul(turned, gamma), b && g.mul(n, b), c && g.add(g.mul(dy, 0), c)]),
    dn && g.mul(dn, rstd),
    turned && summed(g, g.mul(turned, dy)),
    dn && g.neg(along(g, g.mul(dn, rstd))),
    sum(g, [whole, dn && along(g, g.mul(dn, centred))]),
  ];
}

/** Of a mean and a reciprocal deviation of x along the last axis, what they pass back to it. */
export function statisticsBack(
  g: Builder,
  [x, mean, rstd]: readonly [Tensor, Tensor, Tensor],
  [dmean, drstd]: readonly Maybe[],
): Maybe {
  const share = 1 / (x.shape.at(-1) as number);
  const cube = g.mul(g.mul(rstd, rstd), rstd);
  return sum(g, [
    dmean && g.add(g.mul(x, 0), g.mul(dmean, share)),
    drstd && g.mul(g.mul(g.mul(drstd, cube), -share), g.sub(x, mean)),
  ]);
}

/** What probabilities of an attention pass back to its queries, its keys and, last, its scores; to values nothing. */
export function probabilitiesBack(
  g: Builder,
  [q, k, p]: readonly [Tensor, Tensor, Tensor],
  dp: Tensor,
  scale: number,
): readonly Maybe[] {
  const ds = g.softmaxGrad(dp, p);
  return [g.mul(g.matmul(ds, k), scale), g.mul(g.matmul(ds, q, { a: true }), scale), undefined, ds];
}

/** Of dv = P^T dy, and with dS = P (dP - sum P dP) and dP = dy v^T, of dq = scale dS k, dk = scale dS^T q and dS itself. */
export function attentionAgain(
  g: Builder,
  [dy, q, k, v, p]: readonly [Tensor, Tensor, Tensor, Tensor, Tensor],
  [aq, ak, av, as]: readonly Maybe[],
  scale: number,
): readonly Maybe[] {
  const scaled = (x: Maybe): Maybe => x && g.mul(x, scale);
  const dp = g.matmul(dy, v, { b: true });
  const ds = g.softmaxGrad(dp, p);
  const onScores = sum(g, [as, scaled(aq && g.matmul(aq, k, { b: true })), scaled(ak && g.matmul(q, ak, { b: true }))]);
  const [through, bent] = onScores ? softmaxAgain(g, [dp, p], onScores) : [];
  return [
    sum(g, [through && g.matmul(through, v), av && g.matmul(p, av)]),
    scaled(ak && g.matmul(ds, ak)),
    scaled(aq && g.matmul(ds, aq, { a: true })),
    through && g.matmul(through, dy, { a: true }),
    sum(g, [bent, av && g.matmul(dy, av, { b: true })]),
  ];
}
