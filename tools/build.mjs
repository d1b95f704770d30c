/**
 * Builds `dist/`: one JavaScript file for each door of the package, sharing chunks so that every module exists once,
 * and type declarations beside them. Dependencies are bundled into chunks that load when they are needed, so that
 * `mae check` starts quickly and an installation holds what it uses; those with files of their own stay outside.
 */

import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import loadWabt from "wabt";

const doors = {
  index: "index.ts",
  cli: "cli/main.ts",
  "command-line": "cli/command-line.ts",
  grammar: "grammar/index.ts",
  graph: "graph/index.ts",
  blocks: "blocks/index.ts",
  compiler: "compiler/index.ts",
  emit: "compiler/emit/index.ts",
  prettier: "prettier.ts",
  runtime: "runtime/index.ts",
  "data-worker": "runtime/data/worker.ts",
  "onnx-worker": "runtime/executors/onnx/worker.ts",
  "xla-attempt": "runtime/executors/xla/attempt.ts",
  "xla-key-values": "runtime/executors/xla/key-values-thread.ts",
};

const outside = [
  "@napi-rs/webcodecs",
  "@wasm-audio-decoders/flac",
  "@tensorflow/tfjs-node",
  "@tensorflow/tfjs-node-gpu",
  "koffi",
  "mpg123-decoder",
  "onnxruntime-node",
  "prettier",
  "sharp",
  "ts-morph",
  "webgpu",
];

// Unminified, so that stacks and debuggers need no source maps.
const common = {
  bundle: true,
  splitting: true,
  format: "esm",
  legalComments: "linked",
};

// Built beside the old one, which stays whole until the new one is.
const next = "dist-next";
rmSync(next, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: doors,
  outdir: next,
  platform: "node",
  target: "node20",
  // Their ES modules, where packages have both: of those, names can be imported when they are needed.
  mainFields: ["module", "main"],
  external: outside,
  // Bundled CommonJS dependencies expect these.
  banner: {
    js: [
      'import { createRequire as __createRequire } from "node:module";',
      "const require = __createRequire(import.meta.url);",
      "const { filename: __filename, dirname: __dirname } = import.meta;",
    ].join(" "),
  },
});
await build({
  ...common,
  entryPoints: { browser: "browser.ts" },
  outdir: `${next}/browser`,
  platform: "browser",
  target: "es2022",
});
// What `mae export --to browser` puts into a package, whole: it needs nothing beside it.
await build({
  ...common,
  minify: true,
  legalComments: "eof",
  entryPoints: { model: "page-model.ts" },
  outdir: `${next}/page`,
  platform: "browser",
  target: "es2022",
});
// The script of `mae watch` and of reports, whole in one file.
await build({
  bundle: true,
  format: "iife",
  minify: true,
  entryPoints: { "watch-client": "cli/watch/client.ts" },
  outdir: next,
  platform: "browser",
  target: "es2022",
});
cpSync("cli/runs/clients.py", `${next}/clients.py`);
const tfjsWasm = dirname(fileURLToPath(import.meta.resolve("@tensorflow/tfjs-backend-wasm")));
cpSync(tfjsWasm, `${next}/wasm`, { recursive: true, filter: (path) => path === tfjsWasm || path.endsWith(".wasm") });
const wabt = await loadWabt();
const optimizer = wabt.parseWat("optimizer.wat", readFileSync("runtime/executors/onnx/optimizer.wat"), { simd: true });
writeFileSync(`${next}/optimizer.wasm`, optimizer.toBinary({}).buffer);
chmodSync(`${next}/cli.js`, 0o755);
execFileSync(
  process.execPath,
  ["node_modules/typescript-native/bin/tsc", "-p", "tools/types.tsconfig.json", "--outDir", `${next}/types`],
  {
    stdio: "inherit",
  },
);
rmSync("dist", { recursive: true, force: true });
renameSync(next, "dist");
