/** What the passes make of a graph, and that none of them changes what it computes. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Builder,
  cost,
  createBuilder,
  evaluate,
  type Graph,
  gradients,
  type OperationName,
  passes,
  simplify,
  type Tensor,
  verify,
} from "../../graph/index.js";
import { runs } from "../support/fuzz.js";
import { expectClose } from "./close.js";
import { type Case, cases } from "./operations.js";
import { feedsFor } from "./values.js";
import { published, tiny, training, visionFeeds, visionState } from "./vision.js";

const finish = (build: (g: Builder) => Tensor | readonly Tensor[]): Graph => {
  const g = createBuilder({ batch: 2 });
  const built = build(g);
  const tensors = Array.isArray(built) ? (built as readonly Tensor[]) : [built as Tensor];
  return g.finish({ outputs: Object.fromEntries(tensors.map((tensor, i) => [`y${i}`, tensor])) });
};

/** Operations of the simplified graph that compute, in order. */
const left = (build: (g: Builder) => Tensor | readonly Tensor[]): readonly OperationName[] =>
  simplify(finish(build))
    .nodes.map((node) => node.operation)
    .filter((operation) => operation !== "input");

const x = (g: Builder): Tensor<[2, 3], "float32"> => g.input("x", [2, 3]);

describe("identities", () => {
  test.each<readonly [string, (g: Builder) => Tensor, readonly OperationName[]]>([
    ["x + 0", (g) => g.add(x(g), 0), []],
    ["0 + x", (g) => g.add(g.constant(0, [2, 3]), x(g)), []],
    ["x - 0", (g) => g.sub(x(g), 0), []],
    ["x * 1", (g) => g.mul(x(g), 1), []],
    ["x / 1", (g) => g.div(x(g), 1), []],
    ["x + 0 of a larger shape", (g) => g.add(x(g), g.constant(0, [4, 2, 3])), ["constant", "add"]],
    ["0 - x", (g) => g.sub(g.constant(0), x(g)), ["constant", "sub"]],
    ["--x", (g) => g.neg(g.neg(x(g))), []],
    ["cast to what it is", (g) => g.cast(x(g), "float32"), []],
    ["stopGradient", (g) => g.stopGradient(x(g)), []],
    ["reshape to the same", (g) => g.reshape(x(g), [2, 3]), []],
    ["reshape there and back", (g) => g.reshape(g.reshape(x(g), [6]), [2, 3]), []],
    ["two reshapes", (g) => g.reshape(g.reshape(x(g), [6]), [3, 2]), ["reshape"]],
    ["transpose there and back", (g) => g.transpose(g.transpose(x(g), [1, 0]), [1, 0]), []],
    ["three transposes", (g) => g.transpose(g.transpose(g.transpose(x(g), [1, 0]), [1, 0]), [1, 0]), ["transpose"]],
    ["broadcast to the same", (g) => g.broadcast(x(g), [2, 3]), []],
    ["two broadcasts", (g) => g.broadcast(g.broadcast(x(g), [4, 2, 3]), [5, 4, 2, 3]), ["broadcast"]],
    ["broadcast before adding", (g) => g.add(g.broadcast(g.input("b", [3]), [2, 3]), x(g)), ["add"]],
    ["broadcast that gives the shape", (g) => g.add(g.broadcast(x(g), [4, 2, 3]), 2), ["broadcast", "constant", "add"]],
    ["pad by nothing", (g) => g.pad(x(g), [0, 0], [0, 0]), []],
    ["slice of all", (g) => g.slice(x(g), [0, 0], [2, 3]), []],
    ["slice of a slice", (g) => g.slice(g.slice(x(g), [0, 1], [2, 2]), [1, 1], [1, 1]), ["slice"]],
    ["slice of one part", (g) => g.slice(g.concat([x(g), g.input("b", [2, 3])], 0), [2, 0], [2, 3]), []],
    ["slice over two parts", (g) => g.slice(g.concat([x(g), x2(g)], 0), [1, 0], [2, 3]), ["concat", "slice"]],
    ["concat of one", (g) => g.concat([x(g)], 0), []],
    ["concat of concats", (g) => g.concat([g.concat([x(g), x2(g)], 1), g.input("c", [2, 1])], 1), ["concat"]],
    ["sum over nothing", (g) => g.sum(x(g), []), []],
    ["sum over one element", (g) => g.sum(g.input("b", [2, 1]), [1]), ["reshape"]],
    ["select by a known condition", (g) => g.select(g.less(g.constant(1), 2), x(g), 0), []],
    [
      "tokens put and taken",
      (g) => g.takeTokens(g.putTokens(g.input("t", [2, 2, 3]), index(g), 5) as never, index(g)),
      [],
    ],
    ["neighbouring pads", (g) => g.add(g.pad(x(g), [0, 3], [0, 0]), g.pad(x2(g), [0, 0], [0, 3])), ["concat"]],
    ["pads with a gap", (g) => g.add(g.pad(x(g), [0, 4], [0, 0]), g.pad(x2(g), [0, 0], [0, 4])), ["pad", "pad", "add"]],
  ])("%s", (_, build, expected) => {
    expect(left(build)).toEqual(expected);
  });

  const x2 = (g: Builder): Tensor => g.input("x2", [2, 3]);
  const index = (g: Builder) =>
    g.constant(Int32Array.of(1, 3, 4, 0), [2, 2], "int32") as never as Tensor<["B", 2], "int32">;
});

describe("factors that are the same along an axis", () => {
  const v = (g: Builder): Tensor => g.input("v", [3]);
  const w = (g: Builder): Tensor => g.input("w", [3]);
  const z = (g: Builder): Tensor => g.input("z", [2, 3]);

  test.each<readonly [string, (g: Builder) => readonly Tensor[], readonly OperationName[]]>([
    ["are multiplied with one another first", (g) => [g.mul(w(g), g.mul(v(g), x(g)))], ["mul"]],
    ["are multiplied behind a sum", (g) => [g.sum(g.mul(x(g), v(g)), [0]), g.sum(g.neg(z(g)), [0], "keep")], []],
    [
      "leave one product to sum where there were two",
      (g) => {
        const [a, b, scale] = [x(g), z(g), v(g)];
        return [g.sum(g.mul(g.mul(a, scale), b), [0], "keep"), g.sum(g.mul(a, g.mul(b, w(g))), [0])];
      },
      ["mul"],
    ],
    [
      "take up that a product was added twice",
      (g) => {
        const product = g.mul(z(g), v(g));
        return [g.add(g.add(x(g), product), product)];
      },
      ["mul", "add"],
    ],
    ["stay where they differ along the axis of a sum", (g) => [g.sum(g.mul(x(g), v(g)), [1])], ["mul"]],
  ])("%s", (_, build, expected) => {
    const graph = finish(build);
    const simple = simplify(graph);
    const large = simple.nodes.filter(({ operation, outputs: [y] }) => operation !== "input" && y?.shape[0] === 2);
    expect(large.map(({ operation }) => operation).filter((operation) => operation !== "sum")).toEqual(expected);
    const feeds = feedsFor(graph, 4);
    expectClose(evaluate(simple, feeds).outputs, evaluate(graph, feeds).outputs, 6);
  });
});

describe("known values and repeated ones", () => {
  test("constants fold, and a repeated value stays one number", () => {
    const graph = simplify(finish((g) => g.exp(g.add(g.constant(1, [400, 400]), g.constant(2, [400, 1])))));
    const [node, ...others] = graph.nodes;
    expect(others).toEqual([]);
    expect(node?.attributes).toEqual({ data: Float32Array.of(Math.exp(3)), shape: [400, 400], dtype: "float32" });
  });

  test("what would be too large to store is left", () => {
    const row = (g: Builder) =>
      g.constant(
        Float32Array.from({ length: 300 }, (_, i) => i),
        [300],
      );
    expect(left((g) => g.mul(row(g), g.reshape(row(g), [300, 1])))).toEqual(["constant", "constant", "mul"]);
  });

  test("equal nodes become one, also with sides exchanged; different ones do not", () => {
    expect(
      left((g) => {
        const [a, b] = [g.input("a", [2]), g.input("b", [2])];
        return [g.add(a, b), g.add(b, a), g.sub(a, b), g.sub(b, a)];
      }),
    ).toEqual(["add", "sub", "sub"]);
    expect(
      left((g) => {
        const a = x(g);
        return [g.sum(a, [0]), g.sum(a, [1]), g.sum(a, [-1]), g.sum(a, [0], "keep")];
      }),
    ).toEqual(["sum", "sum", "sum"]);
  });

  test("constants are the same by content, type and shape", () => {
    const of = (...values: number[]): Float32Array => Float32Array.from(values);
    const build = (g: Builder): readonly Tensor[] => [
      g.constant(of(1, 2), [2]),
      g.constant(of(1, 2), [2]),
      g.constant(of(1, 3), [2]),
      g.constant(of(1, 2), [1, 2]),
      g.constant(Int32Array.of(1, 2), [2]),
      g.constant(of(0), []),
      g.constant(of(-0), []),
    ];
    expect(left(build)).toHaveLength(6);
  });
});

describe("early gathers", () => {
  const tokens = (g: Builder): Tensor<["B", 6, 3], "float32"> => g.input("tokens", ["B", 6, 3]);
  const linear = (g: Builder): Tensor => g.linear(tokens(g), g.input("w", [5, 3]), g.input("b", [5]));
  const take = (g: Builder, from: Tensor): Tensor =>
    g.takeTokens(from as Tensor<["B", number, number]>, g.input("index", ["B", 2], "int32"));

  test("a linear layer works on the tokens that are read", () => {
    expect(left((g) => take(g, linear(g)))).toEqual(["takeTokens", "linear"]);
  });

  test("positions are picked with the tokens; what all tokens share is not", () => {
    expect(left((g) => take(g, g.mul(g.add(linear(g), g.input("p", [6, 5])), g.input("s", [5]))))).toEqual([
      "takeTokens",
      "linear",
      "broadcast",
      "takeTokens",
      "add",
      "mul",
    ]);
  });

  test("not where all tokens are read elsewhere", () => {
    expect(
      left((g) => {
        const y = linear(g);
        return [take(g, y), y];
      }),
    ).toEqual(["linear", "takeTokens"]);
  });

  test("the gradient of a weight comes from the tokens that are read", () => {
    const build = (g: Builder, wrtTokens: boolean): readonly Tensor[] => {
      const [t, w] = [tokens(g), g.input("w", [5, 3])];
      const y = take(g, g.linear(t, w, g.input("b", [5])));
      return gradients(g, g.sum(g.mul(y, y)), wrtTokens ? [w, t] : [w]);
    };
    expect(left((g) => build(g, false))).not.toContain("putTokens");
    expect(left((g) => build(g, true))).toContain("putTokens");
  });

  /** A perceptron with norms around it, whose class token is dropped before tokens are picked; and its gradients. */
  const lastLayers = (g: Builder): Graph => {
    const t = tokens(g);
    const weights: Tensor[] = [t];
    const norm = (x: Tensor, name: string): Tensor => {
      const [gamma, beta] = [g.input(`${name}.gamma`, [3]), g.input(`${name}.beta`, [3])];
      weights.push(gamma, beta);
      return g.layerNorm(x, gamma, beta, 1e-6)[0];
    };
    const layer = (x: Tensor, name: string, outputs: number, inputs: number): Tensor => {
      const [w, b] = [g.input(`${name}.w`, [outputs, inputs]), g.input(`${name}.b`, [outputs])];
      weights.push(w, b);
      return g.linear(x as never, w as never, b as never);
    };
    const inner = layer(g.gelu(layer(norm(t, "norm1"), "up", 4, 3)), "down", 3, 4);
    const patches = g.slice(g.add(t, inner), [0, 1, 0], [2, 5, 3]);
    const y = take(g, layer(norm(patches, "norm2"), "head", 2, 3));
    const found = gradients(g, g.sum(g.mul(y, y)), weights);
    return g.finish({ outputs: Object.fromEntries([y, ...found].map((tensor, i) => [`y${i}`, tensor])) });
  };

  test("norms, perceptron and head work on the tokens that the loss reads, forwards and backwards", () => {
    const graph = lastLayers(createBuilder({ batch: 2 }));
    const simple = simplify(graph);
    const wide = new Set<OperationName>(["linear", "linearGrad", "layerNorm", "layerNormGrad", "gelu", "geluGrad"]);
    for (const { operation, outputs } of simple.nodes.filter((node) => wide.has(node.operation))) {
      expect(outputs[0]?.shape[1], operation).toBe(2);
    }
    expect(verify(simple)).toEqual([]);
    const feeds = { ...feedsFor(graph, 3), index: Int32Array.of(4, 1, 0, 3) };
    expectClose(evaluate(simple, feeds).outputs, evaluate(graph, feeds).outputs, 6);
  });
});

describe("laws", () => {
  const all = (Object.entries(cases) as [OperationName, readonly Case[]][]).flatMap(([operation, list]) =>
    list.map((one, i) => [`${operation} ${i}`, one] as const),
  );

  test.each(all)("%s: every pass keeps the numbers", (_, { build, range }) => {
    const graph = finish(build);
    const feeds = feedsFor(graph, 5, range);
    const expected = evaluate(graph, feeds).outputs;
    for (const pass of passes) {
      const after = pass.run(graph);
      expect(verify(after)).toEqual([]);
      expectClose(evaluate(after, feeds).outputs, expected, 6);
    }
  });

  /** Steps of a random program on tensors of [2, 3], chosen by number. */
  const steps: readonly ((g: Builder, a: Tensor, b: Tensor) => Tensor)[] = [
    (g, a, b) => g.add(a, b),
    (g, a, b) => g.mul(a, b),
    (g, a, b) => g.sub(a, b),
    (g, a, b) => g.maximum(a, b),
    (g, a) => g.neg(a),
    (g, a) => g.tanh(a),
    (g, a) => g.mul(a, 1),
    (g, a) => g.add(a, 0),
    (g) => g.constant(1, [2, 3]),
    (g) => g.constant(Float32Array.of(1, 0, 2), [3]),
    (g, a) => g.transpose(g.reshape(g.transpose(a, [1, 0]), [3, 2]), [1, 0]),
    (g, a) => g.reshape(g.reshape(a, [6]), [2, 3]),
    (g, a) => g.broadcast(g.sum(a, [0]), [2, 3]),
    (g, a, b) => g.slice(g.concat([a, b], 1), [0, 3], [2, 3]),
    (g, a, b) => g.slice(g.concat([a, b], 1), [0, 1], [2, 3]),
    (g, a) => g.slice(g.pad(a, [1, 0], [0, 2]), [1, 1], [2, 3]),
    (g, a, b) => g.select(g.less(a, b), a, b),
    (g, a) => g.stopGradient(a),
    (g, a) => g.softmax(a),
  ];
  const program = fc.array(fc.tuple(fc.nat(steps.length - 1), fc.nat(), fc.nat()), { minLength: 1, maxLength: 20 });

  /** A loss over a random program and the gradients of its inputs. */
  function random(choices: readonly (readonly [number, number, number])[]): Graph {
    const g = createBuilder({ batch: 1 });
    const inputs = [g.input("a", [2, 3]), g.input("b", [2, 3])];
    const pool: Tensor[] = inputs.slice();
    for (const [step, i, j] of choices) {
      const [a, b] = [pool[i % pool.length] as Tensor, pool[j % pool.length] as Tensor];
      pool.push(g.broadcast(steps[step]?.(g, a, b) as Tensor, [2, 3]));
    }
    const loss = g.sum(g.mul(pool.at(-1) as Tensor, pool.at(-2) as Tensor));
    const [da, db] = gradients(g, loss, inputs) as [Tensor, Tensor];
    return g.finish({ outputs: { loss, da, db } });
  }

  test("random programs with their gradients: same numbers, well formed, nothing more to find", () => {
    fc.assert(
      fc.property(program, (choices) => {
        const graph = random(choices);
        const simple = simplify(graph);
        expect(verify(simple)).toEqual([]);
        expect(simple.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
        expect(simplify(simple)).toBe(simple);
        const feeds = feedsFor(graph, 9, [-1, 1]);
        expectClose(evaluate(simple, feeds).outputs, evaluate(graph, feeds).outputs, 5);
      }),
      { numRuns: runs(200) },
    );
  });

  test("a training step of a masked autoencoder keeps its numbers and costs less", () => {
    const graph = training(tiny);
    const simple = simplify(graph);
    expect(verify(graph)).toEqual([]);
    expect(verify(simple)).toEqual([]);
    expect(simplify(simple)).toBe(simple);
    expect(cost(simple).matmul).toBeLessThan(cost(graph).matmul);
    const [feeds, state] = [visionFeeds(tiny), visionState(graph)];
    const [before, after] = [evaluate(graph, feeds, state), evaluate(simple, feeds, state)];
    expectClose(after.outputs, before.outputs, 6);
    expectClose(after.updates, before.updates, 6);
  });

  test("watch sees each pass that changed the graph", () => {
    const seen: string[] = [];
    simplify(
      finish((g) => g.add(g.mul(x(g), 1), g.exp(g.constant(2)))),
      passes,
      (pass) => seen.push(pass.name),
    );
    expect(seen).toEqual(["algebra", "constant-folding", "dead-code"]);
  });

  test("a step of ViT-H is settled in as few rounds of the passes as one of a few layers", () => {
    const roundsOf = (graph: Graph): number => {
      let rounds = 0;
      const counted = passes.map((pass, i) => {
        const run = (given: Graph): Graph => {
          if (i === 0) rounds += 1;
          return pass.run(given);
        };
        return { ...pass, run };
      });
      simplify(graph, counted);
      return rounds;
    };
    expect(roundsOf(training(published("huge")))).toBe(roundsOf(training(tiny)));
  });
});
