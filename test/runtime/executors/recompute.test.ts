/**
 * Layers computed again instead of kept: the losses stay what they are to the last bit, and the memory of the whole process
 * falls by most of what the plan promises: no runtime undoes it.
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { backendsHere } from "../../support/backends.js";
import { bundleForNode, removeBundle } from "../../support/bundle.js";

let script: string;
beforeAll(async () => {
  script = await bundleForNode("support/peak-child.ts");
});
afterAll(() => removeBundle(script));

interface Outcome {
  readonly losses: readonly number[];
  /** Bytes of the process, and of the graph as planned. */
  readonly peak: number;
  readonly planned: number;
}

async function trainIn(recompute: string, backend: string): Promise<Outcome> {
  // Twice where that is quick: what the first step leaves behind is memory too.
  const steps = backend === "wasm" ? "1" : "2";
  const { stdout } = await promisify(execFile)(process.execPath, [script, recompute, backend, steps]);
  return JSON.parse(stdout) as Outcome;
}

it.each(backendsHere)("on %s", { timeout: 180_000 }, async (backend) => {
  const [kept, again] = [await trainIn("nothing", backend), await trainIn("layers", backend)];
  expect(again.losses).toEqual(kept.losses);
  const promised = kept.planned - again.planned;
  expect(promised).toBeGreaterThan(100 * 2 ** 20);
  expect(kept.peak - again.peak).toBeGreaterThan(0.5 * promised);
});
