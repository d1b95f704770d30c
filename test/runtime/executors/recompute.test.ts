/**
 * Layers computed again instead of kept: the losses stay what they are to the last bit, and the memory of the whole process
 * falls by most of what the plan promises: no runtime undoes it.
 */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { beforeAll, expect, it } from "vitest";
import { listExecutors, packageRoot } from "../../../runtime/index.js";

/** Inside the package, so that it finds the package's dependencies. */
const script = join(packageRoot, "build", "test", "peak-child.mjs");

beforeAll(async () => {
  await build({
    entryPoints: [join(packageRoot, "test/support/peak-child.ts")],
    outfile: script,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
  });
});

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

const backends = (await listExecutors()).filter(({ backend, present }) => present && /^(?:onnx|wasm)$/.test(backend));

it.each(backends)("on $backend", { timeout: 180_000 }, async ({ backend }) => {
  const [kept, again] = [await trainIn("nothing", backend), await trainIn("layers", backend)];
  expect(again.losses).toEqual(kept.losses);
  const promised = kept.planned - again.planned;
  expect(promised).toBeGreaterThan(100 * 2 ** 20);
  expect(kept.peak - again.peak).toBeGreaterThan(0.5 * promised);
});
