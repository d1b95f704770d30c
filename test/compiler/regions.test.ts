/**
 * Regions as a target: their order does not matter to the designs that promise it, pixels may belong to several, what is hidden is
 * not read, and what does not go together is refused.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchInputs, initialize, namedParameters, predictOf, weightsOf } from "../../blocks/index.js";
import { createBuilder, evaluate, randomStream, type Tensor } from "../../graph/index.js";
import { runs } from "../support/fuzz.js";
import { analyzed, programOfText } from "../support/model.js";

const count = 3;
const side = 8;
const values = 16;

const spec = (decoder: string, sequences = "regions"): string => `
edition 2026
model UnderTest {
  input   image(size: ${side}x${side}, channels: 1)
  tokens  patch(size: 4x4)
  mask    random(ratio: 50%)
  encoder vit(depth: 1, width: 8, heads: 2)
  target  regions(source: felzenszwalb(scale: 100), count: ${count}, sequences: ${sequences}) {
    encoder vit(depth: 1, width: 8, heads: 2)
    decoder ${decoder}(depth: 2, width: 8, heads: 2, neck_depth: 1)
    loss    bce(background: 0.5)
  }
}`;

/** Computes the loss and the prediction [N, S, R] of one image for maps [H, W, R] and an order of its patches. */
function evaluator(text: string): (maps: Float32Array, order: readonly number[]) => { loss: number; logits: number[] } {
  const program = programOfText(text);
  const g = createBuilder({ batch: 1 });
  const weights = weightsOf(g, program.parameters);
  const batch = batchInputs(g, program);
  const graph = g.finish({
    outputs: { loss: program.loss(g, weights, batch).total, logits: predictOf(program)(g, weights, batch) as Tensor },
  });
  const state = Object.fromEntries(
    [...namedParameters(program.parameters)].map(([name, parameter], i) => [
      name,
      // Everything random: biases of zero would hide a forgotten one.
      initialize(
        parameter.trainable ? { ...parameter, init: { kind: "normal", std: 0.4 } } : parameter,
        randomStream(1, "init", i),
      ),
    ]),
  );
  const random = randomStream(2, "probe");
  const image = Float32Array.from({ length: side * side }, () => random.normal());
  return (maps, order) => {
    const restore = order.map((_, token) => order.indexOf(token));
    const feeds = {
      ...{ image, regions: maps, restore: Int32Array.from(restore) },
      ...{ visible: Int32Array.from(order.slice(0, 2)), hidden: Int32Array.from(order.slice(2)) },
    };
    const { outputs } = evaluate(graph, feeds, state);
    return { loss: outputs.loss?.[0] as number, logits: Array.from(outputs.logits as Float32Array) };
  };
}

const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
const permutations = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });
/** Every pixel may belong to any of the regions. */
const regionMaps = fc
  .array(fc.constantFrom(0, 1), { minLength: side * side * count, maxLength: side * side * count })
  .map((digits) => Float32Array.from(digits));

const permuted = (numbers: ArrayLike<number>, permutation: readonly number[]): number[] =>
  Array.from(numbers, (_, i) => numbers[i - (i % count) + (permutation[i % count] as number)] as number);

const farthest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));

/** How far the prediction for permuted regions is from the permuted prediction. */
function difference(text: string) {
  const compute = evaluator(text);
  return (maps: Float32Array, permutation: readonly number[], order: readonly number[]) => {
    const before = compute(maps, order);
    const after = compute(Float32Array.from(permuted(maps, permutation)), order);
    return {
      logits: farthest(after.logits, permuted(before.logits, permutation)),
      loss: Math.abs(after.loss - before.loss),
    };
  };
}

describe("the order of regions", () => {
  test.each(["region_query", "region_vit"])("passes through %s unchanged", (decoder) => {
    const between = difference(spec(decoder));
    fc.assert(
      fc.property(regionMaps, permutations, orders, (maps, permutation, order) => {
        const { logits, loss } = between(maps, permutation, order);
        expect(logits).toBeLessThan(1e-9);
        expect(loss).toBeLessThan(1e-9);
      }),
      { numRuns: runs(25) },
    );
  });

  test("matters where regions are channels", () => {
    const [maps] = fc.sample(regionMaps, { seed: 1, numRuns: 1 }) as [Float32Array];
    const { logits } = difference(spec("region_vit", "channels"))(maps, [1, 2, 0], [3, 0, 1, 2]);
    expect(logits).toBeGreaterThan(1e-3);
  });
});

test.each([
  ["region_query", "regions"],
  ["region_vit", "regions"],
  ["region_vit", "channels"],
])("%s with %s as sequences predicts from visible parts alone", (decoder, sequences) => {
  const compute = evaluator(spec(decoder, sequences));
  fc.assert(
    fc.property(regionMaps, regionMaps, orders, (maps, others, order) => {
      const hidden = new Set(order.slice(2));
      const token = (pixel: number): number => 2 * Math.floor(pixel / side / 4) + Math.floor((pixel % side) / 4);
      const changed = maps.map((value, i) =>
        hidden.has(token(Math.floor(i / count))) ? (others[i] as number) : value,
      );
      expect(compute(changed, order).logits).toEqual(compute(maps, order).logits);
    }),
    { numRuns: runs(10) },
  );
});

test("a prediction has a logit for every pixel of every region", () => {
  const { logits } = evaluator(spec("region_query"))(new Float32Array(side * side * count), [0, 1, 2, 3]);
  expect(logits.length).toBe(4 * values * count);
  expect(new Set(logits).size).toBeGreaterThan(count);
});

describe("what does not go together", () => {
  const findings = (lines: string): readonly string[] => {
    const text = `edition 2026
model UnderTest {
  input   image(size: 8x8, channels: 1)
  tokens  patch(size: 4x4)
  mask    random(ratio: 50%)
  encoder vit(depth: 1, width: 8, heads: 2)
${lines}
}
`;
    return analyzed(text).diagnostics.map(({ code, message }) => `${code}: ${message}`);
  };
  const braces = (lines: string): string =>
    findings(`  target region: regions(source: felzenszwalb(scale: 100)) {\n${lines}\n  }`).join("\n");

  test("a decoder of regions needs an encoder in the braces", () => {
    expect(braces("decoder region_query\nloss bce")).toContain("`target region` of `UnderTest` has no `encoder`");
  });

  test("and stands nowhere else", () => {
    const outside = "  decoder region_query\n  target pixels\n  loss mse";
    expect(findings(outside).join("\n")).toContain("has no `encoder` for its decoder `region_query`");
  });

  test("a decoder that does not read the encoder leaves it untrained", () => {
    const unread = braces(
      "encoder vit(depth: 1, width: 8, heads: 2)\ndecoder vit(depth: 1, width: 8, heads: 2)\nloss bce",
    );
    expect(unread).toContain("no loss or output of `UnderTest` reads the `encoder` of `target region`");
  });

  test("sources of regions are a kind of their own", () => {
    const wrong = "  target regions(source: spiral(scale: 1)) {\n  }\n";
    expect(findings(wrong).join("\n")).toMatch(/spiral/);
  });
});
