/** A small example of every operation, for tests that must cover the whole set: a forgotten one does not compile. */

import { averagePlaces, integrated, resizePlaces, warp } from "../../blocks/index.js";
import type { Builder, OperationName, Tensor } from "../../graph/index.js";

/** One way to use an operation. Its feeds are float32, named x, y, z ... */
export interface Case {
  /** Records the operation and gives the outputs to look at. */
  readonly build: (g: Builder) => readonly Tensor[];
  /** Where values may lie, kept away from kinks and poles. */
  readonly range?: readonly [low: number, high: number];
}

const x = <const S extends number[]>(g: Builder, ...shape: S): Tensor<S, "float32"> => g.input("x", shape);
const y = <const S extends number[]>(g: Builder, ...shape: S): Tensor<S, "float32"> => g.input("y", shape);
const z = <const S extends number[]>(g: Builder, ...shape: S): Tensor<S, "float32"> => g.input("z", shape);
/** Rows [1, 3] and [4, 0] of five tokens. */
const index = (g: Builder): Tensor<["B", 2], "int32"> =>
  g.constant(Int32Array.of(1, 3, 4, 0), [2, 2], "int32") as unknown as Tensor<["B", 2], "int32">;
/** Rows of a table, some twice. */
const repeats = (g: Builder): Tensor<[2, 3], "int32"> =>
  g.constant(Int32Array.of(1, 3, 1, 0, 4, 1), [2, 3], "int32") as unknown as Tensor<[2, 3], "int32">;
const positive = [0.3, 2] as const;

/** Along one to three axes: dense, each channel alone, two groups; with steps, gaps, uneven padding, rows left over. */
const windows = [
  {
    x: [2, 8, 3],
    weight: [2, 3, 3],
    y: [2, 3, 2],
    attributes: { strides: [3], dilations: [2], before: [2], after: [1], groups: 1 },
  },
  {
    x: [1, 4, 6, 2],
    weight: [2, 1, 3, 2],
    y: [1, 4, 3, 2],
    attributes: { strides: [1, 2], dilations: [1, 1], before: [1, 0], after: [1, 0], groups: 2 },
  },
  {
    x: [2, 2, 3, 3, 4],
    weight: [6, 2, 1, 2, 2],
    y: [2, 2, 2, 2, 6],
    attributes: { strides: [1, 2, 1], dilations: [1, 1, 1], before: [0, 0, 0], after: [0, 1, 0], groups: 2 },
  },
];

export const cases: { readonly [O in OperationName]: readonly Case[] } = {
  input: [{ build: (g) => [x(g, 2, 3)] }],
  constant: [{ build: (g) => [g.add(x(g, 2), g.constant(Float32Array.of(1, 2), [2]))] }],
  neg: [{ build: (g) => [g.neg(x(g, 2, 3))] }],
  exp: [{ build: (g) => [g.exp(x(g, 2, 3))] }],
  log: [{ build: (g) => [g.log(x(g, 2, 3))], range: positive }],
  sqrt: [{ build: (g) => [g.sqrt(x(g, 2, 3))], range: positive }],
  rsqrt: [{ build: (g) => [g.rsqrt(x(g, 2, 3))], range: positive }],
  abs: [
    { build: (g) => [g.abs(x(g, 2, 3))], range: positive },
    { build: (g) => [g.abs(x(g, 2, 3))], range: [-2, -0.3] },
  ],
  sign: [{ build: (g) => [g.sign(x(g, 2, 3))], range: positive }],
  erf: [{ build: (g) => [g.erf(x(g, 2, 3))] }],
  tanh: [{ build: (g) => [g.tanh(x(g, 2, 3))] }],
  sigmoid: [{ build: (g) => [g.sigmoid(x(g, 2, 3))] }],
  softplus: [{ build: (g) => [g.softplus(x(g, 2, 3))] }],
  sin: [{ build: (g) => [g.sin(x(g, 2, 3))] }],
  cos: [{ build: (g) => [g.cos(x(g, 2, 3))] }],
  floor: [{ build: (g) => [g.floor(x(g, 2, 3))], range: [0.1, 0.9] }],
  add: [{ build: (g) => [g.add(x(g, 2, 3), y(g, 2, 3))] }, { build: (g) => [g.add(x(g, 3), y(g, 2, 1, 1))] }],
  sub: [{ build: (g) => [g.sub(x(g, 2, 3), y(g, 3))] }, { build: (g) => [g.sub(x(g, 2, 1), y(g, 1, 3))] }],
  mul: [{ build: (g) => [g.mul(x(g, 2, 3), y(g))] }, { build: (g) => [g.mul(x(g, 1, 3), y(g, 2, 1))] }],
  div: [
    { build: (g) => [g.div(x(g, 2, 3), y(g, 2, 1))], range: positive },
    { build: (g) => [g.div(x(g, 3), y(g, 2, 3))], range: [-2, -0.3] },
  ],
  maximum: [{ build: (g) => [g.maximum(x(g, 4, 3), y(g, 3))] }],
  minimum: [{ build: (g) => [g.minimum(x(g, 3), y(g, 4, 3))] }],
  less: [{ build: (g) => [g.less(x(g, 4, 3), y(g, 3))] }],
  lessEqual: [{ build: (g) => [g.lessEqual(x(g, 4, 3), y(g, 3))] }],
  equal: [{ build: (g) => [g.equal(x(g, 4, 3), y(g, 3))] }],
  select: [
    { build: (g) => [g.select(g.less(z(g, 4, 1), 0), x(g, 3), y(g, 2, 1, 3))] },
    {
      build: (g) => [g.select(g.constant(Uint8Array.of(1, 0, 1), [3], "bool") as Tensor<[3], "bool">, x(g, 2, 3), 0.5)],
    },
  ],
  cast: [{ build: (g) => [g.cast(x(g, 2, 3), "float32")] }, { build: (g) => [g.cast(x(g, 2, 3), "int32")] }],
  stopGradient: [{ build: (g) => [g.stopGradient(x(g, 2, 3))] }],
  barrier: [{ build: (g) => [g.barrier(x(g, 2, 3))] }],
  sum: [
    { build: (g) => [g.sum(x(g, 2, 3, 4), [1])] },
    { build: (g) => [g.sum(x(g, 2, 3, 4), [-1, 0], "keep")] },
    { build: (g) => [g.sum(x(g, 2, 3))] },
    { build: (g) => [g.mean(x(g, 2, 3), [0])] },
  ],
  reduceMax: [
    { build: (g) => [g.reduceMax(x(g, 2, 3, 4), [0, 2])] },
    { build: (g) => [g.reduceMax(x(g, 2, 3), [1], "keep")] },
  ],
  argMax: [{ build: (g) => [g.argMax(x(g, 4, 5))] }],
  argSort: [{ build: (g) => [g.argSort(x(g, 4, 5))] }],
  reshape: [{ build: (g) => [g.reshape(x(g, 2, 3), [3, 2])] }],
  transpose: [{ build: (g) => [g.transpose(x(g, 2, 3, 4), [2, 0, 1])] }],
  broadcast: [{ build: (g) => [g.broadcast(x(g, 2, 1), [3, 2, 4])] }],
  concat: [
    { build: (g) => [g.concat([x(g, 2, 1, 3), y(g, 2, 2, 3), z(g, 2, 3, 3)], 1)] },
    { build: (g) => [g.concat([x(g, 2, 3), y(g, 2, 2)], -1)] },
  ],
  slice: [{ build: (g) => [g.slice(x(g, 4, 5), [1, 2], [2, 3])] }],
  pad: [{ build: (g) => [g.pad(x(g, 2, 3), [1, 0], [2, 1])] }],
  takeTokens: [{ build: (g) => [g.takeTokens(x(g, 2, 5, 3) as never, index(g))] }],
  putTokens: [{ build: (g) => [g.putTokens(x(g, 2, 2, 3), index(g), 5)] }],
  lookUp: [
    { build: (g) => [g.lookUp(x(g, 5, 3), repeats(g))] },
    { build: (g) => [g.lookUp(x(g, 5), repeats(g))] },
    // What is composed of it: arrays read between places.
    {
      build: (g) => [warp(g, x(g, 2, 3, 4, 2) as never, y(g, 2, 3, 4, 2) as never, { outside: "zeros" })],
      range: [0.1, 0.9],
    },
    {
      build: (g) => [warp(g, x(g, 2, 2, 3, 2, 1) as never, y(g, 2, 2, 3, 2, 3) as never, { outside: "border" })],
      range: [-0.9, -0.1],
    },
    { build: (g) => [integrated(g, x(g, 2, 4, 3, 2) as never, { steps: 2 })], range: [0.1, 0.9] },
  ],
  scatterAdd: [
    { build: (g) => [g.scatterAdd(x(g, 2, 3, 2), repeats(g), 5)] },
    { build: (g) => [g.scatterAdd(x(g, 2, 3), repeats(g), 7)] },
  ],
  matmul: [
    { build: (g) => [resizePlaces(g, x(g, 2, 3, 4, 2) as never, { sizes: [5, 3] })] },
    { build: (g) => [averagePlaces(g, x(g, 2, 5, 4, 1) as never, { sizes: [2, 2] })] },
    { build: (g) => [g.matmul(x(g, 2, 3), y(g, 3, 4))] },
    { build: (g) => [g.matmul(x(g, 3, 2), y(g, 3, 4), { a: true })] },
    { build: (g) => [g.matmul(x(g, 2, 3), y(g, 4, 3), { b: true })] },
    { build: (g) => [g.matmul(x(g, 2, 5, 3, 2), y(g, 2, 5, 4, 3), { a: true, b: true })] },
    { build: (g) => [g.matmul(x(g, 2, 4, 3), y(g, 3, 5))] },
    { build: (g) => [g.matmul(x(g, 3, 4), y(g, 2, 3, 5), { a: true })] },
  ],
  linear: [
    { build: (g) => [g.linear(x(g, 2, 3, 4), y(g, 5, 4), z(g, 5))] },
    { build: (g) => [g.linear(x(g, 4), y(g, 5, 4), z(g, 5))] },
  ],
  linearGrad: [{ build: (g) => g.linearGrad(x(g, 2, 3, 5), y(g, 2, 3, 4), z(g, 5, 4)) }],
  layerNorm: [{ build: (g) => g.layerNorm(x(g, 2, 3, 4), y(g, 4), z(g, 4), 1e-6).slice(0, 1) }],
  layerNormGrad: [
    {
      build: (g) => g.layerNormGrad(x(g, 3, 4), y(g, 3, 4), z(g, 4), g.input("mean", [3, 1]), g.input("rstd", [3, 1])),
    },
  ],
  softmax: [{ build: (g) => [g.softmax(x(g, 3, 4))] }],
  softmaxGrad: [{ build: (g) => [g.softmaxGrad(x(g, 3, 4), y(g, 3, 4))] }],
  gelu: [{ build: (g) => [g.gelu(x(g, 3, 4))] }],
  geluGrad: [{ build: (g) => [g.geluGrad(x(g, 3, 4), y(g, 3, 4))] }],
  attention: [undefined, [2, 3, 4, 6], [3, 4, 1], [2, 1, 1, 6]].map((bias) => ({
    build: (g: Builder) => {
      const parts = [x(g, 2, 3, 4, 5), y(g, 2, 3, 6, 5), z(g, 2, 3, 6, 5)] as const;
      return g.attention(...parts, 0.4, bias && g.input("bias", bias)).slice(0, 1);
    },
  })),
  attentionGrad: [
    {
      build: (g) =>
        g.attentionGrad(
          x(g, 2, 3, 4, 5),
          y(g, 2, 3, 4, 5),
          z(g, 2, 3, 6, 5),
          g.input("v", [2, 3, 6, 5]),
          g.softmax(g.input("scores", [2, 3, 4, 6])),
          0.4,
        ),
    },
  ],
  conv: windows.map(({ x: shape, weight, attributes }) => ({
    build: (g: Builder) => [g.conv(x(g, ...shape), y(g, ...weight), attributes)],
  })),
  convInput: windows.map(({ x: shape, weight, y: places, attributes }) => ({
    build: (g: Builder) => [g.convInput(x(g, ...places), y(g, ...weight), { ...attributes, size: shape.slice(1, -1) })],
  })),
  convWeight: windows.map(({ x: shape, weight, y: places, attributes }) => ({
    build: (g: Builder) => [g.convWeight(x(g, ...shape), y(g, ...places), { ...attributes, kernel: weight.slice(2) })],
  })),
  maxPool: [
    { build: (g) => [g.maxPool(x(g, 2, 7, 2), { kernel: [3], strides: [2], before: [1], after: [1] })] },
    { build: (g) => [g.maxPool(x(g, 1, 4, 5, 2), { kernel: [2, 3], strides: [2, 1], before: [0, 1], after: [0, 2] })] },
  ],
  maxPoolGrad: [
    {
      build: (g) => [
        g.maxPoolGrad(x(g, 2, 4, 2), y(g, 2, 7, 2), { kernel: [3], strides: [2], before: [1], after: [1] }),
      ],
    },
  ],
  adamw: [
    {
      build: (g) =>
        g.adamw(x(g, 2, 3), y(g, 2, 3), z(g, 2, 3), g.input("v", [2, 3]), g.input("lr", []), g.input("step", []), {
          beta1: 0.9,
          beta2: 0.95,
          epsilon: 1e-8,
          decay: 0.05,
        }),
      range: positive,
    },
  ],
  sgd: [false, true].map((nesterov) => ({
    build: (g: Builder) =>
      g.sgd(x(g, 2, 3), y(g, 2, 3), z(g, 2, 3), g.input("lr", []), { momentum: 0.9, decay: 0.1, nesterov }),
  })),
  accumulate: [{ build: (g) => [g.accumulate(x(g, 2, 3), y(g, 2, 3), g.input("keep", []), 0.25)] }],
};
