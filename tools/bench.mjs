/**
 * Bundles `bench/` into `build/bench/`, beside the built package whose worker it uses, and runs one of its scripts: `main`, or
 * `methods`, `few-labels` or `judges` where that is the first argument. The other arguments are the script's.
 */

import { spawn } from "node:child_process";
import { build } from "esbuild";

await build({
  entryPoints: ["main", "methods", "few-labels", "judges", "compiled", "naive", "peak", "exchange"].map(
    (name) => `bench/${name}.ts`,
  ),
  outdir: "build/bench",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20",
});
const [first, ...rest] = process.argv.slice(2);
const isNamed = ["methods", "few-labels", "judges"].includes(first);
const script = isNamed ? [`build/bench/${first}.mjs`, ...rest] : ["build/bench/main.mjs", ...process.argv.slice(2)];
spawn(process.execPath, script, { stdio: "inherit" }).once("exit", (code) => process.exit(code ?? 1));
