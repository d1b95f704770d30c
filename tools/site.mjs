/** Bundles `site/main.ts` into `build/site-maker/` and runs it: it writes the site into `build/site/`, or the folder that is named. */

import { spawn } from "node:child_process";
import { build } from "esbuild";

await build({
  entryPoints: ["site/main.ts"],
  outfile: "build/site-maker/main.mjs",
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20",
});
const [folder = "build/site"] = process.argv.slice(2);
spawn(process.execPath, ["build/site-maker/main.mjs", folder], { stdio: "inherit" }).once("exit", (code) =>
  process.exit(code ?? 1),
);
