/**
 * Builds `dist/`: one JavaScript file for each door of the package, sharing chunks so that every module exists once,
 * and type declarations beside them. Light dependencies are bundled, so that `mae check` starts quickly; heavy ones
 * stay outside and load only when a command needs them.
 */

import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import loadWabt from "wabt";

const doors = {
  index: "index.ts",
  cli: "cli/main.ts",
  grammar: "grammar/index.ts",
  graph: "graph/index.ts",
  blocks: "blocks/index.ts",
  compiler: "compiler/index.ts",
  emit: "compiler/emit/index.ts",
  runtime: "runtime/index.ts",
  "data-worker": "runtime/data/worker.ts",
  "onnx-worker": "runtime/executors/onnx/worker.ts",
};

const heavy = ["@tensorflow/*", "onnxruntime-node", "prettier", "sharp", "ts-morph", "typescript", "webgpu"];

// Built beside the old one, which stays whole until the new one is.
const next = "dist-next";
rmSync(next, { recursive: true, force: true });
await build({
  entryPoints: doors,
  outdir: next,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  external: heavy,
  sourcemap: true,
  legalComments: "linked",
  // Bundled CommonJS dependencies expect `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});
const wabt = await loadWabt();
const optimizer = wabt.parseWat("optimizer.wat", readFileSync("runtime/executors/onnx/optimizer.wat"), { simd: true });
writeFileSync(`${next}/optimizer.wasm`, optimizer.toBinary({}).buffer);
chmodSync(`${next}/cli.js`, 0o755);
execFileSync(
  process.execPath,
  ["node_modules/typescript/bin/tsc", "-p", "tools/types.tsconfig.json", "--outDir", `${next}/types`],
  {
    stdio: "inherit",
  },
);
rmSync("dist", { recursive: true, force: true });
renameSync(next, "dist");
