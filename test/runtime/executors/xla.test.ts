/**
 * What xla has besides the operations, which the test of agreement compares: products in bfloat16, and executables kept on disk. What needs a
 * plugin is skipped by name where none is.
 */

import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createBuilder } from "../../../graph/index.js";
import { listExecutors, openExecutor } from "../../../runtime/executors/index.js";
import { keptExecutables } from "../../../runtime/executors/xla/kept-executables.js";
import { programOf } from "../../../runtime/executors/xla/program.js";
import { train } from "./training.js";

const xla = (await listExecutors()).find(({ backend }) => backend === "xla");
if (!xla?.present) console.log(`xla: its runs are skipped, ${xla?.why}`);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "maelang-xla-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

it("rounds the factors of products and of convolutions, and nothing else", () => {
  const g = createBuilder({ batch: 1 });
  const [x, weight] = [g.input("x", [1, 4, 4, 2]), g.input("weight", [3, 2, 2, 2])];
  const walk = { strides: [1, 1], before: [0, 0], after: [0, 0], dilations: [1, 1], groups: 1 };
  const y = g.reshape(g.conv(x, weight, walk), [9, 3]);
  const graph = g.finish({ outputs: { z: g.exp(g.matmul(y, y, { b: true })) } });
  const text = programOf(graph, "bfloat16").text;
  expect(text).toMatch(/stablehlo\.convolution.*\(tensor<1x4x4x2xbf16>, tensor<3x2x2x2xbf16>\) -> tensor<1x3x3x3xf32>/);
  expect(text).toMatch(/stablehlo\.dot_general.*\(tensor<9x3xbf16>, tensor<9x3xbf16>\) -> tensor<9x9xf32>/);
  expect(text).toMatch(/stablehlo\.exponential %\d+ : tensor<9x9xf32>/);
  expect(programOf(graph).text).not.toContain("bf16");
});

it("keeps executables whole: what was cut, or belongs to another plugin, is not taken", () => {
  const plugin = join(folder, "plugin.so");
  writeFileSync(plugin, "a library");
  const [kept, own] = [keptExecutables(plugin, join(folder, "own")), join(folder, "own")];
  const name = kept.nameOf("a program");
  expect(kept.read(name)).toBeNull();
  kept.write(name, Buffer.from("machine code"));
  expect(kept.read(name)?.toString()).toBe("machine code");
  expect(kept.nameOf("another program")).not.toBe(name);
  truncateSync(join(own, name), 40);
  expect(kept.read(name)).toBeNull();
  writeFileSync(plugin, "a newer library");
  expect(keptExecutables(plugin, own).nameOf("a program")).not.toBe(name);
  // A file in the place of the folder: nothing is kept, and nothing fails.
  writeFileSync(join(folder, "file"), "");
  expect(() => keptExecutables(plugin, join(folder, "file")).write(name, Buffer.from("x"))).not.toThrow();
});

it.skipIf(!xla?.present)("runs what was kept as what was compiled, and bfloat16 nearly as float32", async () => {
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = folder;
  try {
    const losses = async (precision?: "bfloat16"): Promise<readonly number[]> => {
      const executor = await openExecutor("xla");
      const result = await train(executor, 10, precision);
      await executor.close();
      return result.losses;
    };
    const compiled = await losses();
    const kept = readdirSync(join(folder, "maelang", "executables"));
    expect(kept).toHaveLength(1);
    expect(await losses()).toEqual(compiled);
    expect(readdirSync(join(folder, "maelang", "executables"))).toEqual(kept);
    const rounded = await losses("bfloat16");
    expect(rounded).not.toEqual(compiled);
    for (const [i, loss] of rounded.entries())
      expect(Math.abs(loss / (compiled[i] as number) - 1), `step ${i + 1}`).toBeLessThan(0.01);
  } finally {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  }
});
