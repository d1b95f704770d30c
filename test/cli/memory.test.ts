/** What `mae plan` expects of a training's memory, beside the peak of the process that trains. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { mae } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

/** Large enough for activations to count beside Node. */
const model = smallModel
  .replace("16x16", "32x32")
  .replace("vit(depth: 1, width: 16, heads: 2)", "vit(depth: 4, width: 128, heads: 4)");
const spec = `edition 2026\n\n${model}\n${smallRecipe(32, 2).replace("16x16", "32x32")}`;

/** On Linux the most that the process itself had: what it is told of its usage begins with that of the process that started it. */
const meter = `
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
const peak = () => {
  const own = existsSync("/proc/self/status") ? /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8")) : null;
  return 1024 * (own ? Number(own[1]) : process.resourceUsage().maxRSS);
};
if (isMainThread) process.on("exit", () => writeFileSync("peak.txt", String(peak())));
`;

let cwd: string;
beforeAll(async () => {
  cwd = await project({ "memory.mae": spec });
});

it.each(["onnx", "wasm"])("on %s, plan tells the peak of the whole process", { timeout: 120_000 }, async (backend) => {
  const { stdout } = await mae(["plan", "memory.mae", "--backend", backend, "--json"], { cwd });
  const { memory } = JSON.parse(stdout);
  const parts = ["weights", "moments", "sums", "working", "engine", "data"].map((part) => memory[part] as number);
  expect(parts.reduce((sum, part) => sum + part)).toBe(memory.total);
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(meter)}` };
  const flags = ["--backend", backend, "--micro-batch", String(memory.micro_batch), "--out", backend];
  expect((await mae(["train", "memory.mae", ...flags], { cwd, env })).code).toBe(0);
  const measured = Number(readFileSync(join(cwd, "peak.txt"), "utf8"));
  expect(memory.total / measured).toBeGreaterThan(0.8);
  expect(memory.total / measured).toBeLessThan(1.25);
});
