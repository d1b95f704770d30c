/** The program on `docs/api.md`, run from the built package, and the run that it leaves, opened by the command line. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { type Backend, openExecutor } from "../../runtime/executors/index.js";
import { folder, mae } from "./mae.js";

/** An .npy file of bytes that count up. */
function npyFile(shape: readonly number[], most: number): Uint8Array {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const start = Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00v\x00", "latin1"),
    Buffer.from(`${header.padEnd(117)}\n`),
  ]);
  const count = shape.reduce((product, n) => product * n, 1);
  return Buffer.concat([start, Uint8Array.from({ length: count }, (_, i) => i % most)]);
}

const spec = `edition 2026

model Small {
  input   image(size: 8x8, channels: 1)
  tokens  patch(size: 4x4)
  mask    random(ratio: 75%)
  encoder vit(depth: 1, width: 16, heads: 2)
  decoder vit(depth: 1, width: 16, heads: 2)
  target  pixels(normalize: none)
  loss    mse(on: hidden)
}

recipe Train for Small {
  data      npy("x.npy", labels: "y.npy", test_images: "x.npy", test_labels: "y.npy")
  augment   normalize(mean: (0.5), std: (0.25))
  batch     4
  epochs    100
  optimizer adamw(lr: 1e-3)
  schedule  cosine(warmup: 0 steps)
  evaluate  rank
}
`;

test("the program on the page trains, leaves a run that the command line opens, and reads features", async () => {
  const program = Array.from(readFileSync("docs/api.md", "utf8").matchAll(/```js\n([\s\S]*?)```/g), ([, code]) => code);
  const files = { "small.mae": spec, "x.npy": npyFile([12, 8, 8], 251), "y.npy": npyFile([12], 3) };
  const root = folder({ ...files, "program.mjs": program.join("\n").replace('"auto"', '"cpu"') });
  mkdirSync(join(root, "node_modules"));
  symlinkSync(resolve("."), join(root, "node_modules/maelang"), "junction");
  const out = execFileSync(process.execPath, ["program.mjs"], { cwd: root, encoding: "utf8" });
  expect(out).toMatch(
    /step 4, loss \d[\s\S]*4 steps; .*checkpoint-4\.safetensors\n5 vectors of 16 numbers\nThere is no checkpoint in runs\/elsewhere: Start /,
  );
  const { code, stdout, stderr } = await mae(
    ["eval", "runs/tried", "--backend", "cpu", "--with", "rank", "--features", "mean"],
    { cwd: root },
  );
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/encoder/);
  const again = spawnSync(process.execPath, ["program.mjs"], { cwd: root, encoding: "utf8" });
  expect(again.stderr).toMatch(/RunError: runs\/tried already holds a run\. Choose another folder/);
});

test("a backend that does not exist is told of by name, with those that do", async () => {
  const asked = openExecutor("abacus" as Backend);
  await expect(asked).rejects.toThrow(/^There is no backend abacus\. The backends are tensorflow, /);
  await expect(asked).rejects.toMatchObject({ name: "RunError", code: "run/backend-missing" });
});
