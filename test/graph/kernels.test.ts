/** The reference: answers worked out by hand, published values, and composites against the sum of their parts. */

import { describe, expect, test } from "vitest";
import { type Builder, createBuilder, evaluate, InvariantError, type Tensor, type Values } from "../../graph/index.js";
import { erf, gelu, sigmoid, softplus } from "../../graph/kernels/special.js";
import { expectClose } from "./close.js";
import { feedsFor } from "./values.js";

/** The values of one tensor, with the given feeds. */
function run(build: (g: Builder) => Tensor, feeds: Values = {}): number[] {
  const g = createBuilder({ batch: 2 });
  const graph = g.finish({ outputs: { y: build(g) } });
  return Array.from(evaluate(graph, feeds).outputs.y ?? []);
}

const of = (...values: number[]): Float64Array => Float64Array.from(values);
const matrix = (g: Builder): Tensor<[2, 3]> => g.constant(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);

describe("answers worked out by hand", () => {
  const row = (g: Builder): Tensor => g.constant(Float32Array.of(10, 20, 30), [3]);
  const tokens = (g: Builder) =>
    g.constant(Float32Array.of(0, 1, 2, 3, 4, 5), [2, 3, 1]) as Tensor as Tensor<["B", 3, 1]>;
  const index = (g: Builder) => g.constant(Int32Array.of(2, 0, 1, 2), [2, 2]) as Tensor as Tensor<["B", 2], "int32">;
  const ids = (g: Builder, ...values: number[]) =>
    g.constant(Int32Array.from(values), [values.length]) as Tensor as Tensor<[number], "int32">;

  test.each<readonly [string, (g: Builder) => Tensor, readonly number[]]>([
    ["add, broadcast", (g) => g.add(matrix(g), row(g)), [11, 22, 33, 14, 25, 36]],
    ["sub, both broadcast", (g) => g.sub(g.reshape(row(g), [3, 1]), row(g)), [0, -10, -20, 10, 0, -10, 20, 10, 0]],
    ["less", (g) => g.less(matrix(g), 3), [1, 1, 0, 0, 0, 0]],
    ["lessEqual", (g) => g.lessEqual(matrix(g), 3), [1, 1, 1, 0, 0, 0]],
    ["equal", (g) => g.equal(matrix(g), 3), [0, 0, 1, 0, 0, 0]],
    ["select", (g) => g.select(g.less(matrix(g), 3), matrix(g), 0), [1, 2, 0, 0, 0, 0]],
    [
      "cast to int32 cuts the fraction off",
      (g) => g.cast(g.constant(Float32Array.of(-1.7, 1.7), [2]), "int32"),
      [-1, 1],
    ],
    ["cast to bool", (g) => g.cast(g.constant(Float32Array.of(0, 0.5, -2), [3]), "bool"), [0, 1, 1]],
    ["int32 wraps", (g) => g.mul(g.constant(Int32Array.of(2 ** 31 - 1), [1]), 2), [-2]],
    ["sum of rows", (g) => g.sum(matrix(g), [1]), [6, 15]],
    ["sum of columns", (g) => g.sum(matrix(g), [0]), [5, 7, 9]],
    ["mean", (g) => g.mean(matrix(g)), [3.5]],
    ["reduceMax", (g) => g.reduceMax(g.neg(matrix(g)), [0]), [-1, -2, -3]],
    [
      "argMax takes the first of equals",
      (g) => g.argMax(g.constant(Float32Array.of(1, 3, 3, 2, 2, 0), [2, 3])),
      [1, 0],
    ],
    ["argSort is stable", (g) => g.argSort(g.constant(Float32Array.of(2, 1, 2, 1), [4])), [1, 3, 0, 2]],
    ["transpose", (g) => g.transpose(matrix(g), [1, 0]), [1, 4, 2, 5, 3, 6]],
    ["concat of columns", (g) => g.concat([matrix(g), g.constant(0, [2, 1])], 1), [1, 2, 3, 0, 4, 5, 6, 0]],
    ["slice", (g) => g.slice(matrix(g), [0, 1], [2, 2]), [2, 3, 5, 6]],
    ["pad", (g) => g.pad(row(g), [1], [2]), [0, 10, 20, 30, 0, 0]],
    ["takeTokens", (g) => g.takeTokens(tokens(g), index(g)), [2, 0, 4, 5]],
    ["putTokens", (g) => g.putTokens(g.takeTokens(tokens(g), index(g)), index(g), 3), [0, 0, 2, 0, 4, 5]],
    ["lookUp", (g) => g.lookUp(matrix(g), ids(g, 1, 0, 1)), [4, 5, 6, 1, 2, 3, 4, 5, 6]],
    ["scatterAdd", (g) => g.scatterAdd(row(g), ids(g, 2, 0, 2), 4), [20, 0, 40, 0]],
    ["matmul", (g) => g.matmul(matrix(g), g.reshape(row(g), [3, 1])), [140, 320]],
    ["matmul, transposed", (g) => g.matmul(matrix(g), matrix(g), { b: true }), [14, 32, 32, 77]],
    [
      "conv, two steps at a time, padded before",
      (g) =>
        g.conv(g.reshape(matrix(g), [1, 6, 1]), g.constant(Float32Array.of(1, 10, 100), [1, 1, 3]), {
          ...{ strides: [2], dilations: [1], before: [1], after: [0], groups: 1 },
        }),
      [210, 432, 654],
    ],
    [
      "maxPool and the first of equals",
      (g) => {
        const x = g.constant(Float32Array.of(1, 3, 3, 2, 5), [1, 5, 1]);
        const windows = { kernel: [3], strides: [2], before: [0], after: [0] };
        return g.concat([g.maxPool(x, windows), g.maxPoolGrad(g.constant(1, [1, 2, 1]), x, windows)], 1);
      },
      [3, 5, 0, 1, 0, 0, 1],
    ],
    ["linear", (g) => g.linear(matrix(g), g.constant(1, [1, 3]), g.constant(0.5, [1])), [6.5, 15.5]],
    ["softmax of large numbers", (g) => g.softmax(g.constant(Float32Array.of(1000, 1000), [2])), [0.5, 0.5]],
    ["softmax far below zero", (g) => g.softmax(g.constant(Float32Array.of(-1e30, -1e30), [2])), [0.5, 0.5]],
  ])("%s", (_, build, expected) => {
    expect(run(build)).toEqual(expected);
  });
});

describe("functions of one number (values of Abramowitz and Stegun, and of Python's math)", () => {
  test.each([
    [erf, 0, 0],
    [erf, 0.5, 0.5204998778130465],
    [erf, -1, -0.8427007929497149],
    [erf, 2.5, 0.999593047982555],
    [erf, 4, 0.9999999845827421],
    [erf, 7, 1],
    [gelu, 1, 0.8413447460685429],
    [gelu, -2, -0.04550026389635842],
    [sigmoid, -800, 0],
    [sigmoid, 1, 0.7310585786300049],
    [softplus, 1000, 1000],
    [softplus, 0, Math.LN2],
  ] as const)("%s(%d)", (f, x, y) => {
    expect(f(x)).toBeCloseTo(y, 14);
  });
});

/** Two ways to compute the same tensors, over the same random feeds. */
function expectSame(build: (g: Builder) => readonly (readonly [Tensor, Tensor])[]): void {
  const g = createBuilder({ batch: 2 });
  const pairs = build(g);
  const side = (i: 0 | 1) => Object.fromEntries(pairs.map((pair, n) => [`${n}`, pair[i]]));
  const [one, other] = [g.finish({ outputs: side(0) }), g.finish({ outputs: side(1) })];
  const feeds = feedsFor(one, 3, [0.1, 2]);
  expectClose(evaluate(one, feeds).outputs, evaluate(other, feeds).outputs, 6);
}

describe("composites equal the sum of their parts", () => {
  test("linear", () => {
    expectSame((g) => {
      const [x, w, b] = [g.input("x", [2, 3, 4]), g.input("w", [5, 4]), g.input("b", [5])];
      return [[g.linear(x, w, b), g.add(g.matmul(x, w, { b: true }), b)]];
    });
  });

  test("softmax", () => {
    expectSame((g) => {
      const x = g.input("x", [3, 4]);
      return [[g.softmax(x), g.div(g.exp(x), g.sum(g.exp(x), [1], "keep"))]];
    });
  });

  test("gelu", () => {
    expectSame((g) => {
      const x = g.input("x", [3, 4]);
      return [[g.gelu(x), g.mul(g.mul(x, 0.5), g.add(g.erf(g.mul(x, Math.SQRT1_2)), 1))]];
    });
  });

  test("layerNorm, with its mean and 1 / deviation", () => {
    expectSame((g) => {
      const [x, gamma, beta] = [g.input("x", [2, 3, 4]), g.input("gamma", [4]), g.input("beta", [4])];
      const [y, mean, rstd] = g.layerNorm(x, gamma, beta, 0.01);
      const centre = g.mean(x, [-1], "keep");
      const centred = g.sub(x, centre);
      const scale = g.rsqrt(g.add(g.mean(g.mul(centred, centred), [-1], "keep"), 0.01));
      return [
        [y, g.add(g.mul(g.mul(centred, scale), gamma), beta)],
        [mean, centre],
        [rstd, scale],
      ];
    });
  });

  test("attention with a bias, and its probabilities", () => {
    expectSame((g) => {
      const [q, k, v] = [g.input("q", [2, 3, 4, 5]), g.input("k", [2, 3, 6, 5]), g.input("v", [2, 3, 6, 5])];
      const bias = g.input("bias", [3, 1, 6]);
      const [y, probabilities] = g.attention(q, k, v, 0.4, bias);
      const p = g.softmax(g.add(g.mul(g.matmul(q, k, { b: true }), 0.4), bias));
      return [
        [y, g.matmul(p, v)],
        [probabilities, p],
      ];
    });
  });

  test("AdamW, in the third step", () => {
    expectSame((g) => {
      const [p, d, m, v] = [g.input("p", [3]), g.input("d", [3]), g.input("m", [3]), g.input("v", [3])];
      const lr = g.input("lr", []);
      const [beta1, beta2, epsilon, decay] = [0.9, 0.95, 1e-3, 0.05];
      const [p1, m1, v1] = g.adamw(p, d, m, v, lr, g.constant(3), { beta1, beta2, epsilon, decay });
      const mean = g.add(g.mul(m, beta1), g.mul(d, 1 - beta1));
      const square = g.add(g.mul(v, beta2), g.mul(g.mul(d, d), 1 - beta2));
      const root = g.add(g.sqrt(g.div(square, 1 - beta2 ** 3)), epsilon);
      const shrunk = g.sub(p, g.mul(g.mul(p, lr), decay));
      return [
        [p1, g.sub(shrunk, g.mul(g.div(g.div(mean, 1 - beta1 ** 3), root), lr))],
        [m1, mean],
        [v1, square],
      ];
    });
  });

  test.each([false, true])("SGD, nesterov %s", (nesterov) => {
    expectSame((g) => {
      const [p, d, m, lr] = [g.input("p", [3]), g.input("d", [3]), g.input("m", [3]), g.input("lr", [])];
      const [p1, m1] = g.sgd(p, d, m, lr, { momentum: 0.9, decay: 0.1, nesterov });
      const slope = g.add(d, g.mul(p, 0.1));
      const velocity = g.add(g.mul(m, 0.9), slope);
      const direction = nesterov ? g.add(slope, g.mul(velocity, 0.9)) : velocity;
      return [
        [p1, g.sub(p, g.mul(direction, lr))],
        [m1, velocity],
      ];
    });
  });
});

describe("evaluate", () => {
  test("gives updates beside outputs, float32 in float64", () => {
    const g = createBuilder({ batch: 1 });
    const w = g.state("w", [2]);
    const x = g.input("x", [2]);
    const graph = g.finish({ outputs: { x, n: g.argSort(x) }, updates: { w: g.add(w, x) } });
    expect(evaluate(graph, { x: Float32Array.of(2, 1) }, { w: of(0.1, 0.2) })).toEqual({
      outputs: { x: of(2, 1), n: Int32Array.of(1, 0) },
      updates: { w: of(2.1, 1.2) },
    });
  });

  test("says what is missing or has the wrong size", () => {
    const g = createBuilder({ batch: 1 });
    const graph = g.finish({ outputs: { y: g.neg(g.input("x", [2])) } });
    expect(() => evaluate(graph, {})).toThrow('no value for "x"');
    expect(() => evaluate(graph, { x: of(1, 2, 3) })).toThrow(InvariantError);
  });
});
