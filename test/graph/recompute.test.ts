/** Layers computed again for their gradients: the same numbers from less memory, through all passes. */

import { describe, expect, test } from "vitest";
import {
  type Builder,
  cost,
  createBuilder,
  evaluate,
  gradients,
  peakMemory,
  simplify,
  type Tensor,
  verify,
} from "../../graph/index.js";
import { expectClose } from "./close.js";
import { published, tiny, training, visionFeeds, visionState } from "./vision.js";

/** Layers of tanh, each keeping eight times what it is given. */
function layers(g: Builder, count: number): { readonly loss: Tensor; readonly x: Tensor } {
  const x = g.input("x", [100]);
  let y: Tensor = x;
  const layer = () => Array.from({ length: 8 }).reduce<Tensor>((z) => g.tanh(z), y);
  for (let i = 0; i < count; i++) y = g.scope("layer", layer, "counted");
  return { loss: g.sum(y), x };
}

function gradientOfLayers(recompute: "nothing" | "layers") {
  const g = createBuilder({ batch: 1 });
  const { loss, x } = layers(g, 5);
  const [dx] = gradients(g, loss, [x], recompute) as [Tensor];
  return g.finish({ outputs: { loss, dx } });
}

describe("layers of tanh", () => {
  const [kept, again] = [gradientOfLayers("nothing"), gradientOfLayers("layers")];

  test("each is computed again just before its gradient, but for the last, and the first, which is given a feed", () => {
    const copies = again.nodes.filter(({ scope, operation }) => scope.includes("again") && operation === "tanh");
    expect(copies.map(({ scope }) => scope)).toEqual(
      [4, 3, 2].flatMap((i) => Array.from({ length: 8 }, () => `gradient/again/layer#${i}`)),
    );
    const first = again.nodes.findIndex(({ scope }) => scope === "gradient/again/layer#3");
    const before = again.nodes.findLastIndex(({ scope }) => scope === "gradient/layer#4");
    expect(first).toBeGreaterThan(before);
  });

  test("the numbers are the same to the last bit, also after all passes, and a second call finds nothing more", () => {
    const feeds = { x: Float64Array.from({ length: 100 }, (_, i) => Math.sin(i)) };
    const simple = simplify(again);
    expect(verify(simple)).toEqual([]);
    expect(simplify(simple)).toBe(simple);
    expect(evaluate(again, feeds).outputs).toEqual(evaluate(kept, feeds).outputs);
    expect(evaluate(simple, feeds).outputs).toEqual(evaluate(kept, feeds).outputs);
  });

  test("no pass merges a copy with what was computed before", () => {
    const tanhs = (graph: typeof kept) => simplify(graph).nodes.filter(({ operation }) => operation === "tanh").length;
    expect(tanhs(kept)).toBe(40);
    expect(tanhs(again)).toBe(40 + 24);
  });

  test("what is held at once falls to one layer and the tensors between layers", () => {
    const bytes = (graph: typeof kept) => peakMemory(simplify(graph)).bytes;
    expect(bytes(kept)).toBeGreaterThan(40 * 400);
    expect(bytes(again)).toBeLessThan(26 * 400);
  });
});

describe("a masked autoencoder", () => {
  test("has the same loss and the same next weights", () => {
    const [kept, again] = [training(tiny), training(tiny, "layers")];
    const simple = simplify(again);
    expect(verify(simple)).toEqual([]);
    const [feeds, state] = [visionFeeds(tiny), visionState(kept)];
    const expected = evaluate(kept, feeds, state);
    expect(evaluate(again, feeds, state)).toEqual(expected);
    // Passes reorder sums, and AdamW makes the rounding of a gradient that is zero larger.
    expectClose(evaluate(simple, feeds, state).updates, expected.updates, 6);
  });

  test("of ViT-B and a batch of 8 holds less than half of the activations, for a third more work", () => {
    const size = { ...published("base"), batch: 8 };
    const [kept, again] = [simplify(training(size)), simplify(training(size, "layers"))];
    // Weights, two moments and gradients.
    const fixed = (4 / 3) * peakMemory(kept).state;
    const activations = (graph: typeof kept) => peakMemory(graph).bytes - fixed;
    expect(activations(again)).toBeLessThan(0.5 * activations(kept));
    expect(cost(again).matmul / cost(kept).matmul).toBeLessThan(1.34);
    expect(cost(again).matmul / cost(kept).matmul).toBeGreaterThan(1.2);
  });
});
