/** How many dispatches a training step on WebGPU takes, each of which costs the processor some 30 microseconds. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { bundleForNode, removeBundle } from "../../support/bundle.js";

it("dispatches a step of ViT-B at most 900 times, its optimizer twice", { timeout: 120_000 }, async () => {
  const module = await bundleForNode("runtime/executors/dispatches-in-node.ts");
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [module]);
    const counts = JSON.parse(stdout) as Readonly<Record<string, number>>;
    const updates = Object.entries(counts).filter(([label]) => label.startsWith("adamw"));
    // One for weights that decay, one for the rest.
    expect(updates.map(([, count]) => count)).toEqual([1, 1]);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(900);
  } finally {
    await removeBundle(module);
  }
});
