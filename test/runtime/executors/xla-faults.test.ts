/**
 * What xla does where something is wrong: a plugin that is none or that ends its process, a program that does not compile; and that a step leaves
 * nothing on the device. What needs a plugin is skipped where none is.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createBuilder } from "../../../graph/index.js";
import { loadPlugin, PluginError } from "../../../runtime/executors/xla/c-api.js";
import { openClient } from "../../../runtime/executors/xla/client.js";
import { probeXla } from "../../../runtime/executors/xla/index.js";
import { findPlugin, pluginVariable } from "../../../runtime/executors/xla/plugins.js";
import { openSession } from "../../../runtime/executors/xla/session.js";
import { xlaHere } from "../../support/backends.js";

afterEach(() => vi.unstubAllEnvs());

it("says why what is named as a plugin is none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "maelang-plugin-"));
  const path = join(folder, "plugin.so");
  vi.stubEnv(pluginVariable, path);
  expect(await probeXla()).toMatchObject({ present: false, why: expect.stringContaining("does not exist") });
  writeFileSync(path, "no library");
  expect(await probeXla()).toMatchObject({ present: false, why: expect.stringMatching(/does not work|not installed/) });
  rmSync(folder, { recursive: true });
});

describe.skipIf(!xlaHere.present)("with a plugin", () => {
  const open = () => openClient(loadPlugin(findPlugin()?.path ?? ""));

  it("that ends its process, there is none, because of what it said last", async () => {
    vi.stubEnv("XLA_FLAGS", "--no_such_flag");
    expect(await probeXla()).toMatchObject({ present: false, why: expect.stringContaining("no_such_flag") });
  });

  it("a program that does not compile is an error, and the next one compiles", async () => {
    const client = open();
    await expect(client.compile("module @nothing {", 1)).rejects.toThrow(PluginError);
    const program =
      "module @copy {\n  func.func public @main(%a: tensor<f32>) -> tensor<f32> {\n    return %a : tensor<f32>\n  }\n}\n";
    const executable = await client.compile(program, 1);
    const [results] = await executable.run([[client.put(Float32Array.of(5), "float32", [], 0)]]);
    expect(await client.read(results?.[0] as bigint, "float32", [])).toEqual(Float32Array.of(5));
    executable.close();
    client.close();
  });

  it("two hundred steps keep no more memory than twenty", async () => {
    const size = 2 ** 20;
    const g = createBuilder({ batch: 1 });
    const total = g.add(g.state("total", [size]), g.input("x", [size]));
    const graph = g.finish({ outputs: { total }, updates: { total } });
    const client = open();
    const slot = { name: "total", shape: [size], dtype: "float32" } as const;
    const session = await openSession(client, [slot], { total: new Float32Array(size) });
    const run = await session.load(graph);
    const x = new Float32Array(size).fill(1);
    const after = async (steps: number): Promise<number> => {
      for (let i = 0; i < steps; i++) await run({ x });
      return process.memoryUsage().rss;
    };
    const first = await after(20);
    // Any one of feed, state and output, if it stayed, would take four mebibytes a step.
    expect((await after(180)) - first).toBeLessThan((180 * 4 * size) / 2);
    expect((await session.read()).total?.[0]).toBe(200);
    await session.close();
    client.close();
  });
});
