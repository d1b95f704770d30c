/** The shape rules against the reference, broadcasting by its laws, and what is said of inputs that do not fit. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { broadcastShapes } from "../../graph/form.js";
import { type Builder, createBuilder, evaluate, type OperationName, ShapeError, sizeOf } from "../../graph/index.js";
import { type Case, cases } from "./operations.js";
import { feedsFor } from "./values.js";

describe("broadcasting", () => {
  const shape = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 });

  test("is symmetric, keeps a shape with itself and with scalars", () => {
    fc.assert(
      fc.property(shape, shape, (a, b) => {
        expect(broadcastShapes(a, b)).toEqual(broadcastShapes(b, a));
        expect(broadcastShapes(a, a)).toEqual(a);
        expect(broadcastShapes(a, [])).toEqual(a);
      }),
    );
  });

  test("repeats along axes of one element: a + b equals a + b repeated to the result", () => {
    fc.assert(
      fc.property(shape, shape, (a, b) => {
        const result = broadcastShapes(a, b);
        fc.pre(result !== undefined);
        const g = createBuilder({ batch: 1 });
        const [x, y] = [g.input("x", a), g.input("y", b)];
        const full = [...(result ?? [])];
        const repeated = g.add(g.broadcast(x, full), g.broadcast(y, full));
        const graph = g.finish({ outputs: { sum: g.add(x, y), repeated } });
        const { outputs } = evaluate(graph, feedsFor(graph, 1));
        expect(outputs.sum).toEqual(outputs.repeated);
      }),
    );
  });

  test.each([
    [
      [2, 3],
      [3, 2],
    ],
    [[2], [3]],
    [
      [4, 1, 2],
      [3, 3],
    ],
  ])("%j and %j do not fit", (a, b) => {
    expect(broadcastShapes(a, b)).toBeUndefined();
  });
});

describe("the forms that the rules say are those that the reference computes", () => {
  const all = (Object.entries(cases) as [OperationName, readonly Case[]][]).flatMap(([operation, list]) =>
    list.map((one, i) => [`${operation} ${i}`, one] as const),
  );
  test.each(all)("%s", (_, { build, range }) => {
    const g = createBuilder({ batch: 2 });
    const outputs = build(g);
    const graph = g.finish({ outputs: Object.fromEntries(outputs.map((output, i) => [`${i}`, output])) });
    const values = evaluate(graph, feedsFor(graph, 1, range)).outputs;
    const arrays = { float32: Float64Array, int32: Int32Array, bool: Uint8Array };
    for (const [i, { shape, dtype }] of outputs.entries()) {
      expect(values[`${i}`]).toHaveLength(sizeOf(shape));
      expect(values[`${i}`]).toBeInstanceOf(arrays[dtype]);
      expect(Array.from(values[`${i}`] ?? []).every(Number.isFinite)).toBe(true);
    }
  });
});

describe("misuse", () => {
  const f = (g: Builder, ...shape: number[]) => g.input(`f${shape}`, shape) as never;
  const i = (g: Builder, ...shape: number[]) => g.input(`i${shape}`, shape, "int32") as never;
  const settings = { beta1: 0.9, beta2: 0.9, epsilon: 1e-8, decay: 0 };
  const square = { strides: [1, 1], dilations: [1, 1], before: [0, 0], after: [0, 0], groups: 1 };
  const intoFloat = (operation: OperationName) =>
    [operation, (g: Builder) => g[operation as "neg"](i(g, 2)), "a float32 tensor"] as const;

  test.each<readonly [OperationName, (g: Builder) => unknown, string]>([
    ["input", (g) => g.input("x", [2, -1]), "sizes that are whole numbers from 0, not [2, -1]"],
    ["constant", (g) => g.constant(Float32Array.of(1, 2), [3]), "1 or 3 values for [3], not 2"],
    ...(["neg", "exp", "log", "sqrt", "rsqrt", "abs", "sign", "erf", "tanh", "sigmoid", "softplus"] as const).map(
      intoFloat,
    ),
    ...(["sin", "cos", "floor", "sum", "reduceMax", "argMax", "argSort", "softmax", "gelu"] as const).map(intoFloat),
    ["add", (g) => g.add(f(g, 2, 3), f(g, 2)), "shapes that broadcast: equal sizes, or 1, from the last axis on"],
    ["sub", (g) => g.sub(f(g, 2), i(g, 2)), "two tensors of one type, float32 or int32"],
    ["mul", (g) => g.mul(f(g, 2), f(g, 3)), "shapes that broadcast: equal sizes, or 1, from the last axis on"],
    ["div", (g) => g.div(i(g, 2), i(g, 2, 1)), "two tensors of one type, float32"],
    ["maximum", (g) => g.maximum(f(g, 2), f(g, 3)), "shapes that broadcast: equal sizes, or 1, from the last axis on"],
    ["minimum", (g) => g.minimum(f(g, 2), i(g, 2)), "two tensors of one type, float32 or int32"],
    ["less", (g) => g.less(g.less(f(g, 2), 1), g.less(f(g, 3), 1)), "two tensors of one type, float32 or int32"],
    [
      "lessEqual",
      (g) => g.lessEqual(f(g, 2), f(g, 3)),
      "shapes that broadcast: equal sizes, or 1, from the last axis on",
    ],
    ["equal", (g) => g.equal(f(g, 2), i(g, 2)), "two tensors of one type, float32 or int32 or bool"],
    ["select", (g) => g.select(f(g, 2), f(g, 3), 0), "a bool condition and two tensors of one type"],
    ["sum", (g) => g.sum(f(g, 2, 3), [2]), "axes from 0 to 1, not [2]"],
    ["sum", (g) => g.sum(f(g, 2, 3), [0, -2]), "each axis once, not [0, 0]"],
    ["reduceMax", (g) => g.reduceMax(f(g, 0, 3), [0]), "something to take the largest of"],
    ["reshape", (g) => g.reshape(f(g, 2, 3), [4]), "6 elements, not 4 of [4]"],
    ["transpose", (g) => g.transpose(f(g, 2, 3), [0, 0]), "a permutation of 2 axes, not [0, 0]"],
    ["broadcast", (g) => g.broadcast(f(g, 2), [2, 3]), "a shape that broadcasts to [2, 3]"],
    ["concat", (g) => g.concat([f(g, 2, 3), f(g, 3, 3)], 1), "parts of one type that differ in axis 1 only"],
    ["concat", (g) => g.concat([f(g, 2)], 1), "an axis of the parts, not 1"],
    ["slice", (g) => g.slice(f(g, 4), [2], [3]), "a part inside the tensor, not [3] from [2]"],
    ["pad", (g) => g.pad(f(g, 4), [1, 1], [0]), "one pair of widths an axis"],
    ["takeTokens", (g) => g.takeTokens(f(g, 2, 3), f(g, 2, 1)), "tokens [B, N, ...] and an int32 index [B, K]"],
    ["takeTokens", (g) => g.takeTokens(f(g, 2, 3), i(g, 2, 4)), "at most 3 distinct tokens, not 4"],
    ["putTokens", (g) => g.putTokens(f(g, 2, 3), i(g, 2, 3), 2), "room for 3 tokens, not 2"],
    ["putTokens", (g) => g.putTokens(f(g, 2, 3), i(g, 2, 2), 5), "one index for each of the 3 tokens"],
    ["lookUp", (g) => g.lookUp(f(g, 4, 3), f(g, 2)), "a table [N, ...] and an int32 index"],
    ["lookUp", (g) => g.lookUp(f(g, 0, 3), i(g, 2)), "a table that has rows"],
    ["scatterAdd", (g) => g.scatterAdd(f(g, 2, 3), i(g, 3), 5), "rows [I, ...] and an int32 index [I]"],
    ["matmul", (g) => g.matmul(f(g, 2, 3), f(g, 4, 3)), "equal inner sizes, not 3 and 4"],
    [
      "matmul",
      (g) => g.matmul(f(g, 4, 2, 3), f(g, 5, 3, 2)),
      "equal batch axes, or none in one of the two, not [4] and [5]",
    ],
    ["matmul", (g) => g.matmul(f(g, 3), f(g, 3, 2)), "matrices, two axes or more each"],
    ["linear", (g) => g.linear(f(g, 2, 3), f(g, 5, 4), f(g, 5)), "x [..., 4] for a weight [5, 4]"],
    ["linear", (g) => g.linear(f(g, 2, 4), f(g, 5, 4), f(g, 4)), "a bias [5] for a weight [5, 4]"],
    ["linearGrad", (g) => g.linearGrad(f(g, 2, 4), f(g, 3, 4), f(g, 4, 4)), "dy [3, 4]"],
    ["layerNorm", (g) => g.layerNorm(f(g, 2, 4), f(g, 4), f(g, 3), 1), "x [..., D] and vectors [D]"],
    [
      "layerNormGrad",
      (g) => g.layerNormGrad(f(g, 2, 4), f(g, 3, 4), f(g, 4), f(g, 3, 1), f(g, 2, 1)),
      "tensors of one shape",
    ],
    ["softmaxGrad", (g) => g.softmaxGrad(f(g, 2, 4), f(g, 2)), "tensors of one shape"],
    ["geluGrad", (g) => g.geluGrad(f(g, 2, 4), f(g, 2)), "tensors of one shape"],
    [
      "attention",
      (g) => g.attention(f(g, 1, 1, 2, 3), f(g, 1, 1, 2, 4), f(g, 1, 2, 2, 3), 1),
      "q [B, h, N, d] and k, v [B, h, M, d]",
    ],
    [
      "attention",
      (g) => {
        const source = f(g, 2, 1, 4, 3);
        return g.attention(f(g, 2, 1, 2, 3), source, source, 1, f(g, 2, 4, 2));
      },
      "a bias that broadcasts to [2, 1, 2, 4]",
    ],
    [
      "attentionGrad",
      (g) => {
        const q = f(g, 1, 1, 2, 3);
        return g.attentionGrad(q, q, q, q, f(g, 2, 2), 1);
      },
      "tensors of one shape",
    ],
    [
      "adamw",
      (g) => {
        const p = f(g, 2);
        return g.adamw(p, p, p, p, f(g), f(g, 1), settings);
      },
      "scalar learning rate and step",
    ],
    [
      "conv",
      (g) => g.conv(f(g, 1, 5, 5, 4), f(g, 6, 4, 3, 3), { ...square, groups: 2 }),
      "8 channels in 2 groups for a weight [6, 4, 3, 3]",
    ],
    ["conv", (g) => g.conv(f(g, 1, 5, 4), f(g, 6, 4, 3, 3), square), "x [B, ...S, I] and a weight [O, I, ...K]"],
    ["conv", (g) => g.conv(f(g, 1, 5, 4), f(g, 6, 4, 3), square), "one number of a window for each of 1 axes"],
    [
      "conv",
      (g) => g.conv(f(g, 1, 5, 5, 4), f(g, 6, 4, 3, 3), { ...square, strides: [1, 0] }),
      "windows, strides and dilations from 1, padding from 0",
    ],
    [
      "conv",
      (g) => g.conv(f(g, 1, 2, 5, 4), f(g, 6, 4, 3, 3), square),
      "room for a window [3, 3] in [2, 5] with its padding",
    ],
    [
      "convInput",
      (g) => g.convInput(f(g, 1, 4, 4, 6), f(g, 6, 4, 3, 3), { ...square, size: [5, 5] }),
      "y [1, 3, 3, 6] of x [1, 5, 5, 4]",
    ],
    [
      "convWeight",
      (g) => g.convWeight(f(g, 1, 5, 5, 4), f(g, 1, 4, 4, 6), { ...square, kernel: [3, 3] }),
      "y [1, 3, 3, 6] of a weight [6, 4, 3, 3]",
    ],
    [
      "maxPool",
      (g) => g.maxPool(f(g, 1, 5, 4), { kernel: [2], strides: [2], before: [2], after: [0] }),
      "padding narrower than the window [2]",
    ],
    [
      "maxPoolGrad",
      (g) => g.maxPoolGrad(f(g, 1, 4, 4), f(g, 1, 5, 4), { kernel: [2], strides: [2], before: [0], after: [0] }),
      "dy [1, 2, 4] of x [1, 5, 4]",
    ],
    [
      "sgd",
      (g) => g.sgd(f(g, 2), f(g, 3), f(g, 4), f(g), { momentum: 0, decay: 0, nesterov: false }),
      "tensors of one shape",
    ],
    [
      "sgd",
      (g) => {
        const p = f(g, 2);
        return g.sgd(p, p, p, f(g, 1), { momentum: 0, decay: 0, nesterov: false });
      },
      "a scalar learning rate",
    ],
    [
      "accumulate",
      (g) => {
        const sum = f(g, 2);
        return g.accumulate(sum, sum, f(g, 1), 1);
      },
      "a scalar keep",
    ],
  ])("%s", (operation, build, expected) => {
    const g = createBuilder({ batch: 2 });
    let thrown: unknown;
    try {
      build(g);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ShapeError);
    expect(thrown).toMatchObject({ operation, expected });
    expect(String(thrown)).toContain(`${operation}: expected ${expected}; given`);
  });
});
