/**
 * Small graphs that together apply every operation, in shapes where backends go wrong: broadcast, ragged, scalar, empty,
 * of many axes. `case.ts` adds the gradients.
 */

import { averagePlaces, integrated, resizePlaces, warp } from "../../../blocks/index.js";
import type { OperationName, Tensor } from "../../../graph/index.js";
import { type Case, type CaseSpec, caseOf } from "./case.js";
import {
  bool,
  convolutions,
  each,
  elementwise,
  float,
  int,
  pairwise,
  poolings,
  products,
  scattered,
  shapes,
  tokens,
  transformerBlock,
} from "./case-families.js";

const linearShapes = [
  [[6, 4], 3],
  [[2, 5, 7], 9],
  [[2, 2, 3, 8], 1],
  [[1, 1], 1],
  // Many rows.
  [[4200, 5], 66],
] as const;

const attentionShapes = [
  [1, 1, 1, 1, 1],
  [2, 3, 5, 7, 4],
  [2, 2, 33, 40, 32],
] as const;

/** Rows of a table, the shape of a row, of the index, and an index that asks for some rows several times and for some never. */
const tables = [
  [4, [3], [5], [1, 3, 1, 1, 0]],
  [9, [], [2, 3], [8, 0, 8, 2, 2, 2]],
  [3, [2, 2], [2, 2], [2, 0, 0, 2]],
  [1, [5], [], [0]],
  [50, [33], [40], Array.from({ length: 40 }, (_, i) => (i * i) % 50)],
] as const;

const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.05 };

/** Exhaustive: an operation without a case does not compile. */
const specs: { readonly [O in OperationName]: readonly CaseSpec[] } = {
  input: each([float([3, 2])], (_, x) => x),
  constant: each(
    [float([2, 3])],
    (g, x) => g.add(x, g.constant(Float32Array.of(1, 2, 3), [3])),
    (g, x) => g.concat([x, g.constant(0.5, [1, 3])], 0),
  ),
  neg: elementwise("neg"),
  exp: elementwise("exp"),
  log: elementwise("log", "positive"),
  sqrt: elementwise("sqrt", "positive"),
  rsqrt: elementwise("rsqrt", "positive"),
  abs: elementwise("abs"),
  sign: elementwise("sign", "tied"),
  erf: elementwise("erf"),
  tanh: elementwise("tanh"),
  sigmoid: elementwise("sigmoid"),
  softplus: [...elementwise("softplus"), ...each([float([6], [-100, -20, -1, 1, 20, 100])], (g, x) => g.softplus(x))],
  sin: elementwise("sin"),
  cos: elementwise("cos"),
  floor: elementwise("floor", "tied"),

  add: pairwise("add"),
  sub: pairwise("sub"),
  mul: pairwise("mul"),
  div: pairwise("div", "positive", false),
  maximum: pairwise("maximum", "tied"),
  minimum: pairwise("minimum", "tied"),
  less: pairwise("less", "tied"),
  lessEqual: pairwise("lessEqual", "tied"),
  equal: [...pairwise("equal", "tied"), ...each([bool([5]), bool([5])], (g, x, y) => g.equal(x, y))],

  select: [
    ...each([bool([2, 3, 4]), float([2, 3, 4]), float([2, 3, 4])], (g, c, a, b) => g.select(c as never, a, b)),
    ...each([bool([2, 3, 1]), float([4]), float([2, 1, 4])], (g, c, a, b) => g.select(c as never, a, b)),
    ...each([bool([2, 1, 2, 2, 3]), float([2, 3, 2, 2, 3]), float([])], (g, c, a, b) => g.select(c as never, a, b)),
    ...each([bool([3]), int([2, 3], { below: 9 }), int([], [4])], (g, c, a, b) => g.select(c as never, a, b)),
  ],
  cast: [
    ...each(
      [float([6], [-1.5, -0.5, 0, 0.5, 1, 2.5])],
      (g, x) => g.cast(x, "int32"),
      (g, x) => g.cast(x, "bool"),
    ),
    ...each(
      [int([4], { below: 4 })],
      (g, x) => g.cast(x, "float32"),
      (g, x) => g.cast(x, "bool"),
    ),
    ...each(
      [bool([5])],
      (g, x) => g.cast(x, "float32"),
      (g, x) => g.cast(x, "int32"),
    ),
  ],
  stopGradient: elementwise("stopGradient"),
  barrier: elementwise("barrier"),

  sum: [
    ...each(
      [float([2, 3, 2, 3, 2])],
      (g, x) => g.sum(x, [1, 3]),
      (g, x) => g.sum(x, [0, 4], "keep"),
    ),
    ...each(
      [float([2, 3, 5])],
      (g, x) => g.sum(x),
      (g, x) => g.sum(x, [], "keep"),
      (g, x) => g.sum(x, [0]),
      (g, x) => g.sum(x, [1], "keep"),
      (g, x) => g.sum(x, [0, 2]),
      (g, x) => g.mean(x, [1, 2], "keep"),
    ),
  ],
  reduceMax: each(
    [float([2, 3, 5], "tied")],
    (g, x) => g.reduceMax(x),
    (g, x) => g.reduceMax(x, []),
    (g, x) => g.reduceMax(x, [2], "keep"),
    (g, x) => g.reduceMax(x, [0, 1]),
  ),
  argMax: [[7], [4, 5], [2, 3, 9]].flatMap((shape) => each([float(shape, "tied")], (g, x) => g.argMax(x))),
  argSort: [[7], [4, 1], [3, 70], [2, 2, 16]].flatMap((shape) =>
    each([float(shape, shape.length === 2 ? "signed" : "tied")], (g, x) => g.argSort(x)),
  ),

  reshape: [
    ...each(
      [float([2, 3, 4])],
      (g, x) => g.reshape(x, [6, 4]),
      (g, x) => g.reshape(x, [1, 24, 1]),
    ),
    ...each([bool([4])], (g, x) => g.reshape(x, [2, 2])),
  ],
  transpose: [
    ...each([float([3, 5])], (g, x) => g.transpose(x, [1, 0])),
    ...each(
      [float([2, 3, 4, 5])],
      (g, x) => g.transpose(x, [0, 2, 1, 3]),
      (g, x) => g.transpose(x, [3, 1, 0, 2]),
      (g, x) => g.transpose(x, [0, 1, 2, 3]),
    ),
    // Patches of an image, and back.
    ...each([float([2, 3, 4, 2, 5, 3])], (g, x) => g.transpose(x, [0, 1, 3, 2, 4, 5])),
    ...each([float([2, 1, 3, 2, 2, 3])], (g, x) => g.transpose(x, [5, 4, 3, 2, 1, 0])),
    ...each([int([2, 3], { below: 9 })], (g, x) => g.transpose(x, [1, 0])),
  ],
  broadcast: [
    ...each(
      [float([3, 1])],
      (g, x) => g.broadcast(x, [2, 3, 4]),
      (g, x) => g.broadcast(x, [3, 1]),
    ),
    ...each([float([])], (g, x) => g.broadcast(x, [2, 2])),
    ...each([float([1, 3, 1, 1, 1, 2])], (g, x) => g.broadcast(x, [2, 3, 2, 1, 2, 2])),
    ...each([int([3], { below: 5 })], (g, x) => g.broadcast(x, [2, 3])),
    ...each([bool([3])], (g, x) => g.broadcast(x, [2, 3])),
  ],
  concat: [
    ...each(
      [float([2, 3, 4]), float([2, 1, 4]), float([2, 5, 4])],
      (g, ...parts) => g.concat(parts, 1),
      (g, a) => g.concat([a], 0),
    ),
    ...each([float([3]), float([0]), float([2])], (g, ...parts) => g.concat(parts, 0)),
    ...each([int([2, 2], { below: 5 }), int([2, 3], { below: 5 })], (g, ...parts) => g.concat(parts, 1)),
  ],
  slice: [
    ...each(
      [float([4, 3, 5])],
      (g, x) => g.slice(x, [1, 0, 2], [2, 3, 3]),
      (g, x) => g.slice(x, [0, 0, 0], [4, 3, 5]),
      (g, x) => g.slice(x, [3, 2, 4], [1, 1, 1]),
    ),
    ...each([float([3, 2, 2, 3, 4])], (g, x) => g.slice(x, [1, 0, 0, 1, 2], [1, 2, 2, 2, 2])),
    ...each([int([2, 6], { below: 6 })], (g, x) => g.slice(x, [0, 2], [2, 3])),
  ],
  pad: [
    ...each(
      [float([2, 3])],
      (g, x) => g.pad(x, [1, 0], [0, 2]),
      (g, x) => g.pad(x, [0, 0], [0, 0]),
    ),
    ...each([float([2, 1, 2, 2, 3])], (g, x) => g.pad(x, [0, 1, 0, 0, 2], [0, 0, 0, 3, 1])),
  ],
  takeTokens: [
    tokens(1, 6, 3, [4]),
    tokens(3, 7, 4, [5]),
    tokens(2, 5, 5, [2, 3]),
    tokens(2, 5, 3, []),
    tokens(2, 4, 0, [3]),
    ...each([int([2, 6], { below: 9 }), int([2, 3], { below: 6 })], (g, x, index) =>
      g.takeTokens(x as never, index as never),
    ),
  ],
  putTokens: [
    scattered(1, 6, 3, [4]),
    scattered(3, 7, 4, [5]),
    scattered(2, 5, 5, [2, 3]),
    scattered(2, 5, 3, []),
    scattered(2, 4, 0, [3]),
  ],
  lookUp: [
    ...tables.map(
      ([count, row, index, rows]): CaseSpec => ({
        inputs: [float([count, ...row]), int(index, rows)],
        build: (g, table, at) => g.lookUp(table as never, at as never),
      }),
    ),
    // Arrays read between places, inside and outside.
    ...each(
      [float([2, 5, 6, 3]), float([2, 5, 6, 2])],
      (g, x, by) => warp(g, x as never, by as never, { outside: "zeros" }),
      (g, x, by) => warp(g, x as never, by as never, { outside: "border" }),
      (g, _, by) => integrated(g, by as never, { steps: 3 }),
    ),
    ...each([float([2, 2, 3, 4, 2]), float([2, 2, 3, 4, 3])], (g, x, by) =>
      warp(g, x as never, by as never, { outside: "zeros" }),
    ),
  ],
  scatterAdd: tables.map(([count, row, index, rows]) => ({
    inputs: [float([...index, ...row]), int(index, rows)],
    build: (g, x, at) => g.scatterAdd(x, at, count),
  })),

  matmul: [
    ...products,
    // Maps of other sizes, which are products with matrices.
    ...each(
      [float([2, 4, 5, 3])],
      (g, x) => resizePlaces(g, x as never, { sizes: [7, 3] }),
      (g, x) => averagePlaces(g, x as never, { sizes: [3, 2] }),
    ),
  ],
  linear: linearShapes.map(([shape, out]) => ({
    inputs: [float(shape), float([out, shape.at(-1) as number]), float([out])],
    build: (g, x, weight, bias) => g.linear(x as never, weight as never, bias as never),
  })),
  linearGrad: linearShapes.flatMap(([shape, out]) =>
    each(
      [float([...shape.slice(0, -1), out]), float(shape), float([out, shape.at(-1) as number])],
      (g, dy, x, weight) => g.linearGrad(dy, x, weight),
      (g, dy, x, weight) => g.linearGrad(dy, x, weight)[1],
    ),
  ),
  layerNorm: [
    [4, 6],
    [2, 3, 17],
    [5, 1],
  ].map((shape) => ({
    inputs: [float(shape), float([shape.at(-1) as number]), float([shape.at(-1) as number])],
    build: (g, x, gamma, beta) => g.layerNorm(x, gamma, beta, 1e-6)[0],
  })),
  layerNormGrad: [
    [4, 6],
    [2, 3, 17],
  ].flatMap((shape) => {
    const statistic = [...shape.slice(0, -1), 1];
    return each(
      [float(shape), float(shape), float([shape.at(-1) as number]), float(statistic), float(statistic, "positive")],
      (g, dy, x, gamma, mean, rstd) => g.layerNormGrad(dy, x, gamma, mean, rstd),
      (g, dy, x, gamma, mean, rstd) => g.layerNormGrad(dy, x, gamma, mean, rstd)[2],
    );
  }),
  softmax: [
    ...[[5], [3, 4], [2, 3, 33]].flatMap((shape) => each([float(shape)], (g, x) => g.softmax(x))),
    ...each([float([2, 3], [1000, 1001, 999, -1000, 0, 5])], (g, x) => g.softmax(x)),
  ],
  softmaxGrad: each([float([3, 4]), float([3, 4], "positive")], (g, dy, y) => g.softmaxGrad(dy, y)),
  gelu: [...elementwise("gelu"), ...each([float([6], [-12, -4, -1, 1, 4, 12])], (g, x) => g.gelu(x))],
  geluGrad: shapes.flatMap((shape) => each([float(shape), float(shape)], (g, dy, x) => g.geluGrad(dy, x))),
  attention: [
    ...attentionShapes.flatMap(([b, h, n, m, d]) =>
      [undefined, [b, h, n, m], [b, 1, 1, m], [h, n, m]].map(
        (bias): CaseSpec => ({
          inputs: [float([b, h, n, d]), float([b, h, m, d]), float([b, h, m, d]), ...(bias ? [float(bias)] : [])],
          build: (g, q, k, v, added) => g.attention(q as Tensor, k as Tensor, v as Tensor, 1 / Math.sqrt(d), added)[0],
        }),
      ),
    ),
    transformerBlock,
  ],
  attentionGrad: attentionShapes.flatMap(([b, h, n, m, d]) =>
    each(
      [
        float([b, h, n, d]),
        float([b, h, n, d]),
        float([b, h, m, d]),
        float([b, h, m, d]),
        float([b, h, n, m], "positive"),
      ],
      (g, dy, q, k, v, p) => g.attentionGrad(dy, q, k, v, p, 0.5),
      (g, dy, q, k, v, p) => g.attentionGrad(dy, q, k, v, p, 0.5)[1],
      (g, dy, q, k, v, p) => g.attentionGrad(dy, q, k, v, p, 0.5)[3],
    ),
  ),

  conv: convolutions.map(({ x, weight, attributes }) => ({
    inputs: [float(x), float(weight)],
    build: (g, a, b) => g.conv(a, b, attributes),
  })),
  convInput: convolutions.map(({ x, weight, y, attributes }) => ({
    inputs: [float(y), float(weight)],
    build: (g, a, b) => g.convInput(a, b, { ...attributes, size: x.slice(1, -1) }),
  })),
  convWeight: convolutions.map(({ x, weight, y, attributes }) => ({
    inputs: [float(x), float(y)],
    build: (g, a, b) => g.convWeight(a, b, { ...attributes, kernel: weight.slice(2) }),
  })),
  maxPool: poolings.map(({ x, attributes }) => ({
    inputs: [float(x, "tied")],
    build: (g, a) => g.maxPool(a, attributes),
  })),
  maxPoolGrad: poolings.map(({ x, y, attributes }) => ({
    inputs: [float(y), float(x, "tied")],
    build: (g, dy, a) => g.maxPoolGrad(dy, a, attributes),
  })),
  adamw: [1, 7].flatMap((step) =>
    [settings, { ...settings, decay: 0 }].map(
      (chosen): CaseSpec => ({
        inputs: [
          float([3, 4]),
          float([3, 4]),
          float([3, 4]),
          float([3, 4], "positive"),
          float([], [0.01]),
          float([], [step]),
        ],
        build: (g, p, gradient, m, v, lr, t) => g.adamw(p, gradient, m, v, lr, t, chosen),
      }),
    ),
  ),
  sgd: [
    { momentum: 0, decay: 0, nesterov: false },
    { momentum: 0.9, decay: 0.01, nesterov: false },
    { momentum: 0.9, decay: 0.01, nesterov: true },
  ].map((chosen) => ({
    inputs: [float([3, 4]), float([3, 4]), float([3, 4]), float([], [0.01])],
    build: (g, p, gradient, m, lr) => g.sgd(p, gradient, m, lr, chosen),
  })),
  accumulate: [0, 1].map((keep) => ({
    inputs: [float([3, 4]), float([3, 4]), float([], [keep])],
    build: (g, sum, x, kept) => g.accumulate(sum, x, kept, 0.25),
  })),
};

export const cases: readonly Case[] = Object.entries(specs).flatMap(([operation, list]) =>
  list.map((spec, i) => caseOf(operation as OperationName, spec, i + 1)),
);
