/** Products in blocks: the same numbers as those of rows, few moves from one layout to the other, and one answer for a processor. */

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Builder, createBuilder, type Graph, gradients, sizeOf, type Tensor } from "../../../graph/index.js";
import { openOnnx } from "../../../runtime/executors/onnx/index.js";
import { planOf } from "../../../runtime/executors/onnx/plan.js";
import type { Products } from "../../../runtime/executors/onnx/settings.js";
import { listExecutors } from "../../../runtime/index.js";

const isHere = (await listExecutors()).some(({ backend, present }) => backend === "onnx" && present);
const cache = await mkdtemp(join(tmpdir(), "maelang-products-"));
const cacheBefore = process.env.XDG_CACHE_HOME;
process.env.XDG_CACHE_HOME = cache;
afterAll(async () => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheBefore;
  await rm(cache, { recursive: true });
});

/** Numbers between -1 and 1 that look like none in particular. */
const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i + 0.3 * (i % 7)));

/** What a graph gives, fed by its names. */
async function outputsOf(graph: Graph, products: Products | null) {
  const executor = await openOnnx({ threads: 1, products });
  const session = await executor.open([], {});
  const run = await session.load(graph);
  const feeds = [...graph.feeds].map(([name, { shape }], i) => [name, numbers(sizeOf(shape), i)] as const);
  const outputs = await run(Object.fromEntries(feeds));
  await session.close();
  return outputs;
}

interface Layer {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

const layer = (g: Builder, name: string, outputs: number, inputs: number): Layer => ({
  weight: g.mul(g.input(`${name}.weight`, [outputs, inputs]), 0.1),
  bias: g.input(`${name}.bias`, [outputs]),
});
const linear = (g: Builder, x: Tensor, { weight, bias }: Layer): Tensor =>
  g.linear(x as Tensor<[number, number]>, weight as Tensor<[number, number]>, bias as Tensor<[number]>);

/** A perceptron of so many rows with all its gradients. */
function perceptron(rows: readonly [number, number], sides: readonly [number, number]): Graph {
  const g = createBuilder({ batch: 1 });
  const x = g.input("x", [...rows, sides[0]]);
  const [wide, narrow] = [layer(g, "wide", sides[1], sides[0]), layer(g, "narrow", sides[0], sides[1])];
  const y = linear(g, g.gelu(linear(g, x, wide)), narrow);
  const wrt = [x, wide.weight, wide.bias, narrow.weight, narrow.bias];
  const [dx, ...rest] = gradients(g, g.sum(g.mul(y, y)), wrt);
  const named = Object.fromEntries(rest.map((gradient, i) => [`d${i}`, gradient]));
  return g.finish({ outputs: { y, dx: dx as Tensor, ...named } });
}

/** Tensors that are read in every layout: sums and gelus of what came from products, and gradients that are products themselves. */
function tangle(): Graph {
  const g = createBuilder({ batch: 1 });
  const x = g.input("x", [3, 7, 32]);
  const [first, second, third] = [layer(g, "first", 48, 32), layer(g, "second", 48, 32), layer(g, "third", 48, 48)];
  const [a, b] = [linear(g, x, first), linear(g, g.gelu(x), second)];
  const inner = g.gelu(a);
  const mixed = g.gelu(g.add(inner, b));
  const y = g.mul(linear(g, mixed, third), linear(g, inner, third));
  const wrt = [x, first.weight, first.bias, second.weight, third.weight, third.bias];
  const once = gradients(g, g.sum(y), wrt);
  const twice = gradients(g, g.sum(g.mul(once[0] as Tensor, once[0] as Tensor)), wrt);
  const named = [...once, ...twice].map((gradient, i) => [`d${i}`, gradient] as const);
  return g.finish({ outputs: { y, ...Object.fromEntries(named) } });
}

const difference = (found: ArrayLike<number>, expected: ArrayLike<number>): number => {
  const largest = Math.max(...Array.from(expected, Math.abs));
  return Math.max(...Array.from(found, (value, i) => Math.abs(value - (expected[i] as number)))) / largest;
};

describe.runIf(isHere)("products in blocks", () => {
  it.each([
    ["a perceptron of whole blocks of rows", perceptron([2, 32], [32, 80])],
    ["one whose rows are filled up", perceptron([3, 11], [64, 32])],
    ["one whose sides are no blocks", perceptron([2, 16], [32, 40])],
    ["tensors in every layout", tangle()],
  ] as const)("are those of rows: %s", async (_, graph) => {
    const [inBlocks, asRows] = [await outputsOf(graph, "blocks"), await outputsOf(graph, "rows")];
    expect(Object.keys(inBlocks)).toEqual(Object.keys(asRows));
    for (const [name, expected] of Object.entries(asRows)) {
      expect(difference(inBlocks[name] as Float32Array, expected as Float32Array), name).toBeLessThan(2e-6);
    }
  });

  it("leave what lies between two layers in blocks", () => {
    const { model } = planOf(perceptron([2, 32], [32, 80]), { size: 16, least: { rows: 1, side: 1 } });
    const text = Buffer.from(model).toString("latin1");
    const count = (type: string): number => text.split(`\u0022${String.fromCharCode(type.length)}${type}`).length - 1;
    // y, dx and the gradients of both weights come out; x, y's gradient and the weights go in, each as often as it is multiplied by another side.
    expect([count("ReorderOutput"), count("ReorderInput"), count("Gemm")]).toEqual([4, 8, 0]);
  });

  it("are chosen by timing once, and what was found is kept for the processor", async () => {
    const graph = perceptron([4, 64], [128, 128]);
    await outputsOf(graph, null);
    const folder = join(cache, "maelang", "products");
    const [file = ""] = await readdir(folder);
    expect(await readFile(join(folder, file), "utf8")).toMatch(/^(rows|blocks)$/);
    for (const answer of ["rows", "blocks"] as const) {
      await writeFile(join(folder, file), answer);
      expect(await outputsOf(graph, null)).toEqual(await outputsOf(graph, answer));
    }
    expect(await readdir(folder)).toEqual([file]);
  });
});
