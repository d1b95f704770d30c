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

const meter = `
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
if (isMainThread) process.on("exit", () => writeFileSync("peak.txt", String(1024 * process.resourceUsage().maxRSS)));
`;

let cwd: string;
beforeAll(async () => {
  cwd = await project({ "memory.mae": spec });
});

// When memory is collected depends on what else the machine does: one process in many keeps more for a while.
const options = { timeout: 120_000, retry: 1 };

it.each(["onnx", "wasm"])("on %s, plan tells the peak of the whole process", options, async (backend) => {
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
