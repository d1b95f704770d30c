/**
 * What xla has besides the operations, which the test of agreement compares: products in bfloat16, executables kept on disk, several devices.
 * What needs a plugin is skipped by name where none is.
 */

import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createBuilder, type Values } from "../../../graph/index.js";
import { type ExecutorSettings, openExecutor } from "../../../runtime/executors/index.js";
import { cutOfState, joined, partsOf } from "../../../runtime/executors/xla/division.js";
import { keptExecutables } from "../../../runtime/executors/xla/kept-executables.js";
import { programOf } from "../../../runtime/executors/xla/program.js";
import { xlaHere } from "../../support/backends.js";
import { initialState, slots, type Trained, train, trainingGraph } from "./training.js";

if (!xlaHere.present) console.log(`xla: its runs are skipped, ${xlaHere.why}`);

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
  // Not under the name of another program, and not from a folder that others can write into.
  copyFileSync(join(own, name), join(own, kept.nameOf("another program")));
  expect(kept.read(kept.nameOf("another program"))).toBeNull();
  if (process.getuid) {
    chmodSync(own, 0o777);
    expect(kept.read(name)).toBeNull();
    chmodSync(own, 0o700);
    expect(kept.read(name)).not.toBeNull();
  }
  truncateSync(join(own, name), 40);
  expect(kept.read(name)).toBeNull();
  writeFileSync(plugin, "a newer library");
  expect(keptExecutables(plugin, own).nameOf("a program")).not.toBe(name);
  // A file in the place of the folder: nothing is kept, and nothing fails.
  writeFileSync(join(folder, "file"), "");
  expect(() => keptExecutables(plugin, join(folder, "file")).write(name, Buffer.from("x"))).not.toThrow();
});

it("cuts tensors into parts, and joins them again", () => {
  const slot = { dtype: "int32", shape: [3, 4, 2] } as const;
  const whole = Int32Array.from({ length: 24 }, (_, i) => i);
  const parts = partsOf(whole, slot, 1, 2);
  expect(parts.map((part) => [...part])).toEqual([
    [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19],
    [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23],
  ]);
  expect(joined(parts, slot, 1)).toEqual(whole);
  expect(cutOfState({ shape: [3, 4, 2] }, { devices: 4, shardState: true })).toBe(1);
  expect(cutOfState({ shape: [3, 5] }, { devices: 4, shardState: true })).toBeNull();
  expect(cutOfState({ shape: [3, 4, 2] }, { devices: 4, shardState: false })).toBeNull();
});

it.skipIf(!xlaHere.present)(
  "trains on several devices as on one, with the state on each or cut, and goes on with another number",
  async () => {
    const on = async (settings: ExecutorSettings, steps: number, state?: Values): Promise<Trained> => {
      const executor = await openExecutor("xla", () => {}, settings);
      const trained = await train(executor, steps, { from: state && { state, step: 10 } });
      await executor.close();
      return trained;
    };
    const whole = await on({}, 20);
    const bytes = (memory: Trained["memory"]): number => memory.at(-1)?.bytes ?? 0;
    for (const settings of [{ devices: 2 }, { devices: 4 }, { devices: 4, shardState: true }]) {
      const first = await on(settings, 10);
      // The checkpoint of several devices is that of one.
      const rest = await on({ devices: 2, shardState: true }, 20, first.state);
      for (const [i, loss] of [...first.losses, ...rest.losses].entries())
        expect(
          Math.abs(loss / (whole.losses[i] as number) - 1),
          `step ${i + 1} of ${JSON.stringify(settings)}`,
        ).toBeLessThan(1e-5);
      // Each holds all, or, of every weight but those without an axis of four equal parts, a quarter.
      const share = bytes(first.memory) / settings.devices / bytes(whole.memory);
      if (settings.shardState) expect(share).toBeLessThan(0.3);
      else expect(share).toBe(1);
    }
  },
);

it.skipIf(!xlaHere.present)("has no more devices than the plugin", async () => {
  await expect(openExecutor("xla", () => {}, { devices: 100 })).rejects.toMatchObject({ code: "run/devices" });
  await expect(openExecutor("wasm", () => {}, { devices: 2 })).rejects.toMatchObject({ code: "run/devices" });
  await expect(openExecutor("onnx", () => {}, { devices: 2 })).rejects.toMatchObject({ code: "run/devices" });
});

it.skipIf(!xlaHere.present)(
  "gives up what is not compiled in time; the state stays, and can be read meanwhile",
  async () => {
    const executor = await openExecutor("xla", () => {}, { compileLimit: 0.001 });
    const state = initialState();
    const session = await executor.open(slots, state);
    await expect(session.load(trainingGraph())).rejects.toMatchObject({ code: "run/compile-limit" });
    expect(await session.read(["mask"])).toEqual({ mask: state.mask });
    // The compiler works on: nothing that it needs is taken away.
    await session.close();
    await executor.close();
    expect(await openExecutor("xla").then((again) => again.close())).toBeUndefined();
  },
);

it.skipIf(!xlaHere.present)("runs what was kept as what was compiled, and bfloat16 nearly as float32", async () => {
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = folder;
  try {
    const losses = async (precision?: "bfloat16"): Promise<readonly number[]> => {
      const executor = await openExecutor("xla");
      const result = await train(executor, 10, { precision });
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
