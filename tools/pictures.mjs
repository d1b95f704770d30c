/** Bundles `test/site/pictures.ts` and runs it: it writes the pictures in `docs/images/` anew. */

import { spawn } from "node:child_process";
import { build } from "esbuild";

await build({
  entryPoints: ["test/site/pictures.ts"],
  outfile: "build/pictures.mjs",
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20",
});
spawn(process.execPath, ["build/pictures.mjs"], { stdio: "inherit" }).once("exit", (code) => process.exit(code ?? 1));
