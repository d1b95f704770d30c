/** Bundles a TypeScript file for a process or a page of its own; files are named from the folder of all tests. */

import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const source = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));

/** The text of one script with everything that the page needs. */
export async function bundleForPage(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [source(file)],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

/** A module below node_modules, so that it finds the packages. */
export async function bundleForNode(file: string): Promise<string> {
  const folder = await mkdtemp(source("../node_modules/.maelang-test-"));
  const outfile = join(folder, "main.mjs");
  await build({
    entryPoints: [source(file)],
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    outfile,
    logLevel: "error",
  });
  return outfile;
}

/** Removes a module that was bundled for Node. */
export const removeBundle = (module: string): Promise<void> => rm(dirname(module), { recursive: true, force: true });
