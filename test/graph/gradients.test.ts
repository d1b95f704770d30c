/** Every gradient against central differences, and the walk that puts them together. */

import { describe, expect, test } from "vitest";
import {
  type Builder,
  createBuilder,
  evaluate,
  gradients,
  type OperationName,
  type Tensor,
  type Values,
} from "../../graph/index.js";
import { type Case, cases } from "./operations.js";
import { feedsFor } from "./values.js";

/** Differentiated once by an operation that is not itself differentiated. */
const onceOnly: readonly OperationName[] = ["maxPoolGrad", "adamw", "sgd", "accumulate"];

/** The sum of all outputs, each element with a weight of its own: 1.0, 1.1, 1.2 ... */
function weighted(g: Builder, outputs: readonly Tensor[]): Tensor {
  const parts = outputs.map((output) => {
    const count = output.shape.reduce((product, n) => product * n, 1);
    const weights = Float32Array.from({ length: count }, (_, i) => 1 + i / 10);
    return g.sum(g.mul(g.cast(output, "float32"), g.constant(weights, output.shape.slice())));
  });
  return parts.reduce((sum, part) => g.add(sum, part));
}

/** The loss of a case and the gradients of its feeds, as one graph. */
function differentiated({ build }: Case) {
  const g = createBuilder({ batch: 2 });
  const loss = weighted(g, build(g));
  const names = [...g.finish({ outputs: { loss } }).feeds.keys()];
  const feeds = g.finish({ outputs: { loss } }).feeds;
  const slopes = gradients(g, loss, [...feeds.values()]);
  const outputs = Object.fromEntries(names.map((name, i) => [`d${name}`, slopes[i] as Tensor]));
  return g.finish({ outputs: { loss, ...outputs } });
}

/**
 * All composites one after the other. `first`: what is differentiated is the squared length of their gradient for x, as in a penalty of slopes; by-products
 * of layerNorm and attention count too.
 */
function composites(g: Builder, first: boolean) {
  const x = g.input("x", [2, 3, 4]);
  const [weight, bias, other] = [g.input("weight", [4, 4]), g.input("bias", [4]), g.input("other", [2, 3, 4])];
  const [even, mean, rstd] = g.layerNorm(g.linear(x, weight, bias), g.input("gamma", [4]), bias, 1e-2);
  const heads = (t: Tensor): Tensor<[2, 1, 3, 4]> => g.reshape(t, [2, 1, 3, 4]) as never;
  const [seen, probabilities] = g.attention(heads(even), heads(other), heads(g.gelu(even)), 0.7);
  const judged = weighted(g, [seen, probabilities, g.softmax(even), mean, rstd]);
  const feeds = g.finish({ outputs: { judged } }).feeds;
  if (!first) return { loss: judged, feeds };
  const [slope] = gradients(g, judged, [x]) as [Tensor];
  return { loss: g.sum(g.mul(slope, slope)), feeds };
}

test.each([false, true])("composites in a row, and their gradient differentiated once more: %s", (first) => {
  const g = createBuilder({ batch: 2 });
  const { loss, feeds: declared } = composites(g, first);
  const names = [...declared.keys()];
  const slopes = gradients(g, loss, [...declared.values()]);
  const outputs = Object.fromEntries(names.map((name, i) => [`d${name}`, slopes[i] as Tensor]));
  const graph = g.finish({ outputs: { loss, ...outputs } });
  const feeds = feedsFor(graph, 5);
  const found = evaluate(graph, feeds).outputs;
  const lossAt = (values: Values): number => evaluate(graph, values).outputs.loss?.[0] as number;
  for (const name of names) {
    const expected = differences(lossAt, feeds, name);
    const most = Math.max(1, ...expected.map(Math.abs));
    for (const [i, value] of expected.entries())
      expect((found[`d${name}`]?.[i] as number) / most).toBeCloseTo(value / most, 6);
  }
});

/** Central differences of the loss for each element of one feed. */
function differences(loss: (feeds: Values) => number, feeds: Values, name: string): number[] {
  const width = 1e-5;
  return Array.from(feeds[name] ?? [], (_, i) => {
    const moved = (by: number): Values => {
      const values = Float64Array.from(feeds[name] ?? []);
      values[i] = (values[i] as number) + by;
      return { ...feeds, [name]: values };
    };
    return (loss(moved(width)) - loss(moved(-width))) / (2 * width);
  });
}

describe("gradients equal central differences", () => {
  const entries = (Object.entries(cases) as [OperationName, readonly Case[]][])
    .filter(([operation]) => !onceOnly.includes(operation))
    .flatMap(([operation, list]) => list.map((one, i) => [`${operation} ${i}`, one] as const));

  test.each(entries)("%s", (_, one) => {
    const graph = differentiated(one);
    const feeds = feedsFor(graph, 11, one.range);
    const { outputs } = evaluate(graph, feeds);
    const lossAt = (values: Values): number => evaluate(graph, values).outputs.loss?.[0] as number;
    for (const name of graph.feeds.keys()) {
      const slope = Array.from(outputs[`d${name}`] ?? []);
      // Differences step over the jumps of floor, argMax and comparisons nowhere near the values drawn.
      const stopped = graph.nodes.some((node) => node.operation === "stopGradient");
      const expected = stopped ? slope.map(() => 0) : differences(lossAt, feeds, name);
      expect(slope).toHaveLength(expected.length);
      for (const [i, value] of expected.entries()) expect(slope[i]).toBeCloseTo(value, 6);
    }
  });
});

describe("what has no gradient says so", () => {
  test.each(onceOnly)("%s", (operation) => {
    expect(() => differentiated(cases[operation][0] as Case)).toThrow(`${operation} has no gradient`);
  });

  test("a loss that is no scalar", () => {
    const g = createBuilder({ batch: 1 });
    const x = g.input("x", [2]);
    expect(() => gradients(g, x, [x])).toThrow("a loss is float32 [], not float32 [2]");
  });
});

describe("the walk", () => {
  const slopesAt = (build: (g: Builder, x: Tensor<[3]>) => Tensor, x: readonly number[]): number[] => {
    const g = createBuilder({ batch: 1 });
    const input = g.input("x", [3]);
    const [dx] = gradients(g, build(g, input), [input]);
    const { outputs } = evaluate(g.finish({ outputs: { dx: dx as Tensor } }), { x: Float64Array.from(x) });
    return Array.from(outputs.dx ?? []);
  };

  test("a loss that does not depend on a tensor has zeros of its shape", () => {
    expect(slopesAt((g) => g.constant(1), [1, 2, 3])).toEqual([0, 0, 0]);
  });

  test("the gradient of the loss itself is one", () => {
    const g = createBuilder({ batch: 1 });
    const x = g.input("x", []);
    const [dx] = gradients(g, x, [x]);
    expect(evaluate(g.finish({ outputs: { dx: dx as Tensor } }), { x: Float64Array.of(5) }).outputs.dx).toEqual(
      Float64Array.of(1),
    );
  });

  test("several uses add up: d/dx of x x + 3 x", () => {
    expect(slopesAt((g, x) => g.sum(g.add(g.mul(x, x), g.mul(x, 3))), [1, 2, -1])).toEqual([5, 7, 1]);
  });

  test("ties of maximum and reduceMax share the gradient", () => {
    expect(slopesAt((g, x) => g.sum(g.maximum(x, 1)), [1, 2, 0])).toEqual([0.5, 1, 0]);
    expect(slopesAt((g, x) => g.reduceMax(x), [4, 4, 1])).toEqual([0.5, 0.5, 0]);
  });

  test("a tensor in the middle may be asked for, and stops nothing", () => {
    const g = createBuilder({ batch: 1 });
    const x = g.input("x", []);
    const y = g.mul(x, x);
    const [dx, dy] = gradients(g, g.mul(y, 3), [x, y]);
    const graph = g.finish({ outputs: { dx: dx as Tensor, dy: dy as Tensor } });
    const { outputs } = evaluate(graph, { x: Float64Array.of(2) });
    expect([outputs.dx?.[0], outputs.dy?.[0]]).toEqual([12, 3]);
  });

  test("operations without composites are differentiated twice: (x^3)'' = 6 x", () => {
    const second = slopesAt((g, x) => g.sum(gradients(g, g.sum(g.mul(x, g.mul(x, x))), [x])[0] as Tensor), [1, 2, -1]);
    expect(second).toEqual([6, 12, -6]);
  });

  test("nothing is recorded for inputs that nobody asked for", () => {
    const g = createBuilder({ batch: 1 });
    const x = g.input("x", [2]);
    const y = g.input("y", [2]);
    const [dx] = gradients(g, g.sum(g.mul(g.exp(x), g.sin(y))), [x]);
    const graph = g.finish({ outputs: { dx: dx as Tensor } });
    expect(graph.nodes.some((node) => node.operation === "cos")).toBe(false);
  });

  test("nodes are scoped as gradients of what they differentiate", () => {
    const g = createBuilder({ batch: 1 });
    const x = g.input("x", []);
    const [dx] = gradients(
      g,
      g.scope("encode", () => g.exp(x)),
      [x],
    );
    expect(dx?.node.scope).toBe("gradient/encode");
  });
});
