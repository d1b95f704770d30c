/** `mae build`: models as typed TypeScript modules, one file each. */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Analysis, Model } from "../../compiler/index.js";
import { choose, openSpec, ownModels } from "../choose.js";
import { exitCode, runFailure, usageFailure } from "../failure.js";
import { printedPath, replaceFile, unwritable } from "../files.js";
import { packageVersion } from "../package-root.js";
import { count, print, tell } from "../terminal.js";

export interface BuildOptions {
  readonly out: string;
  readonly check?: boolean;
}

interface Built {
  readonly path: string;
  readonly text: string;
}

export async function build(file: string, name: string | undefined, options: BuildOptions): Promise<void> {
  const analysis = openSpec(file);
  const models = modelsToBuild(analysis, name);
  const { emitModule } = await import("../../compiler/emit/index.js");
  const built: Built[] = [];
  for (const model of models) {
    built.push({ path: join(options.out, moduleName(model.name)), text: await emitModule(model, packageVersion()) });
  }
  if (options.check) reportStale(built);
  else writeAll(built, options.out);
}

function modelsToBuild(analysis: Analysis, name: string | undefined): readonly Model[] {
  if (name !== undefined) return [choose(analysis, name).model];
  const models = ownModels(analysis);
  if (models.length === 0) throw runFailure("the file declares no model");
  return models;
}

/** MaeBase -> mae-base.ts */
export const moduleName = (model: string): string =>
  `${model
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase()}.ts`;

function writeAll(built: readonly Built[], out: string): void {
  const doubled = built.find((one, i) => built.findIndex((other) => other.path === one.path) !== i);
  if (doubled)
    throw usageFailure(`two models would be written to ${printedPath(doubled.path)}`, { help: "rename one" });
  try {
    mkdirSync(out, { recursive: true });
  } catch (error) {
    throw unwritable(out, error);
  }
  for (const { path, text } of built) replaceFile(path, text);
  for (const { path } of built) print(`${printedPath(path)}\n`);
}

function reportStale(built: readonly Built[]): void {
  const stale = built.filter(({ path, text }) => !existsSync(path) || readFileSync(path, "utf8") !== text);
  for (const { path } of stale) print(`${printedPath(path)}\n`);
  if (stale.length === 0) return;
  tell(`${count(stale.length, "module")} not up to date; mae build writes ${stale.length === 1 ? "it" : "them"}`);
  process.exitCode = exitCode.findings;
}
