/**
 * Bundles `bench/` into `build/bench/`, beside the built package whose worker it uses, and runs it with the arguments given.
 */

import { spawn } from "node:child_process";
import { build } from "esbuild";

await build({
  entryPoints: ["main", "compiled", "naive", "peak"].map((name) => `bench/${name}.ts`),
  outdir: "build/bench",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20",
});
spawn(process.execPath, ["build/bench/main.mjs", ...process.argv.slice(2)], { stdio: "inherit" }).once("exit", (code) =>
  process.exit(code ?? 1),
);
