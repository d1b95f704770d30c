/** Operations counted by hand, and those of the published models. */

import { describe, expect, test } from "vitest";
import { type Builder, cost, createBuilder, gradients, type Tensor } from "../../graph/index.js";
import { forward, published, training } from "./vision.js";

const costOf = (build: (g: Builder) => Tensor | readonly Tensor[]) => {
  const g = createBuilder({ batch: 2 });
  const built = build(g);
  const tensors = Array.isArray(built) ? (built as readonly Tensor[]) : [built as Tensor];
  return cost(g.finish({ outputs: Object.fromEntries(tensors.map((tensor, i) => [`y${i}`, tensor])) }));
};

describe("counted by hand", () => {
  const linear = (g: Builder) => [g.input("x", [2, 3, 4]), g.input("w", [5, 4]), g.input("b", [5])] as const;

  test("matmul: 2 m k n a matrix of the batch", () => {
    const { matmul, other } = costOf((g) => g.matmul(g.input("a", [7, 2, 3]), g.input("b", [7, 3, 4])));
    expect([matmul, other]).toEqual([7 * 2 * 2 * 3 * 4, 0]);
  });

  test("matmul, transposed: the same", () => {
    const { matmul } = costOf((g) => g.matmul(g.input("a", [7, 3, 2]), g.input("b", [4, 3]), { a: true, b: true }));
    expect(matmul).toBe(7 * 2 * 2 * 3 * 4);
  });

  test("linear: one product, and the bias", () => {
    const { matmul, other } = costOf((g) => g.linear(...linear(g)));
    expect([matmul, other]).toEqual([2 * 6 * 4 * 5, 6 * 5]);
  });

  test("linearGrad: a product for each gradient that is read", () => {
    const grads = (g: Builder) => {
      const [x, w] = linear(g);
      return g.linearGrad(g.input("dy", [2, 3, 5]), x, w);
    };
    const product = 2 * 6 * 4 * 5;
    expect(costOf((g) => grads(g)).matmul).toBe(2 * product);
    expect(costOf((g) => grads(g)[1])).toMatchObject({ matmul: product, other: 0 });
    expect(costOf((g) => grads(g)[2])).toMatchObject({ matmul: 0, other: 30 });
  });

  test("gradients of a layer whose input has none cost one product", () => {
    const { matmul } = costOf((g) => {
      const [x, w, b] = linear(g);
      return gradients(g, g.sum(g.linear(x, w, b)), [w, b]);
    });
    expect(matmul).toBe(2 * 6 * 4 * 5); // the forward product is not read
  });

  test("attention: two products, its gradient four", () => {
    const parts = (g: Builder) =>
      [g.input("q", [2, 3, 4, 5]), g.input("k", [2, 3, 6, 5]), g.input("v", [2, 3, 6, 5])] as const;
    const product = 2 * (2 * 3) * 4 * 5 * 6;
    expect(costOf((g) => g.attention(...parts(g), 1)[0]).matmul).toBe(2 * product);
    const grads = (g: Builder) =>
      g.attentionGrad(g.input("dy", [2, 3, 4, 5]), ...parts(g), g.input("p", [2, 3, 4, 6]), 1);
    expect(costOf((g) => grads(g)).matmul).toBe(4 * product);
    expect(costOf((g) => grads(g)[0]).matmul).toBe(2 * product);
    expect(costOf((g) => grads(g)[3]).matmul).toBe(product);
    expect(costOf((g) => grads(g)[2]).matmul).toBe(product);
  });

  test("a convolution and its two gradients: a window over the channels of a group for each number of y", () => {
    const windows = { strides: [2, 1], dilations: [1, 1], before: [1, 1], after: [1, 1], groups: 2 };
    const product = 2 * (2 * 3 * 5 * 6) * (3 * 3 * 2);
    const parts = (g: Builder) => [g.input("x", [2, 5, 5, 4]), g.input("w", [6, 2, 3, 3])] as const;
    expect(costOf((g) => g.conv(...parts(g), windows))).toMatchObject({ matmul: product, other: 0 });
    const { matmul } = costOf((g) => {
      const [x, w] = parts(g);
      return gradients(g, g.sum(g.conv(x, w, windows)), [x, w]);
    });
    expect(matmul).toBe(2 * product); // the forward product is not read
  });

  test("elementwise work counts results, reductions count inputs, movement is free", () => {
    expect(costOf((g) => g.add(g.input("a", [4, 1]), g.input("b", [3]))).other).toBe(12);
    expect(costOf((g) => g.sum(g.input("a", [4, 3]))).other).toBe(12);
    expect(costOf((g) => g.transpose(g.input("a", [4, 3]), [1, 0])).other).toBe(0);
  });

  test("scopes and nodes add up", () => {
    const total = costOf((g) => {
      const a = g.input("a", [2, 2]);
      return g.add(
        g.scope("left", () => g.matmul(a, a)),
        g.scope("right", () => g.exp(a)),
      );
    });
    expect(total.byScope.get("left")).toEqual({ matmul: 16, other: 0 });
    expect(total.byScope.get("right")).toEqual({ matmul: 0, other: 4 });
    expect(total.byScope.get("")).toEqual({ matmul: 0, other: 4 });
    expect([...total.byNode.values()].reduce((sum, { matmul, other }) => sum + matmul + other, 0)).toBe(24);
  });
});

describe("published masked autoencoders, GFLOPs of matrix products an image", () => {
  test.each([
    ["base", 19.56, 58.46],
    ["large", 41.51, 124.23],
    ["huge", 97.12, 290.99],
  ] as const)("%s", (name, forwards, both) => {
    expect(cost(forward(published(name))).matmul / 1e9).toBeCloseTo(forwards, 2);
    expect(cost(training(published(name))).matmul / 1e9).toBeCloseTo(both, 2);
  });
});
