/** `mae build`: models as typed TypeScript modules, one file each. */

import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Analysis, Family, Model } from "../../compiler/index.js";
import { elsewhere } from "../config/index.js";
import { packageVersion } from "../package-root.js";
import { endWith } from "../session.js";
import { choose, memberNamed, openModels, ownModels } from "../specs/choose.js";
import { printedPath, replaceFile, staysIn, unwritable } from "../specs/files.js";
import { exitCode, runFailure, usageFailure } from "../words/failure.js";
import { count, print, tell } from "../words/terminal.js";

export interface BuildOptions {
  readonly out: string;
  readonly check?: boolean;
  readonly config?: string;
}

interface Built {
  readonly path: string;
  readonly text: string;
}

export async function build(file: string, name: string | undefined, options: BuildOptions): Promise<void> {
  const analysis = await openModels(file, options.config);
  const modules = modulesToBuild(analysis, name);
  const { emitModule } = await import("../../compiler/emit/index.js");
  const built: Built[] = [];
  for (const { file, model } of modules) {
    const path = join(options.out, file);
    built.push({
      path,
      text: await emitModule(model, packageVersion(), elsewhere(analysis.vocabulary, dirname(path))),
    });
  }
  if (options.check) reportStale(built);
  else writeAll(built, options.out);
}

interface Module {
  /** Its place in the folder of all modules. */
  readonly file: string;
  readonly model: Model;
}

function modulesToBuild(analysis: Analysis, name: string | undefined): readonly Module[] {
  const named = name === undefined ? undefined : analysis.families.get(name);
  if (named) return modulesOf(named);
  if (name?.includes(".")) {
    const { family, variant } = memberNamed(analysis, name);
    return modulesOf({ ...family, members: [variant] });
  }
  const models = name === undefined ? ownModels(analysis) : [choose(analysis, name).model];
  const families = name === undefined ? [...analysis.families.values()] : [];
  if (models.length + families.length === 0) throw runFailure("the file declares no model");
  return [...models.map((model) => ({ file: moduleName(model.name), model })), ...families.flatMap(modulesOf)];
}

/** MaskStudy.mask-spiral.r-75 -> mask-study/mask-spiral.r-75.ts */
const modulesOf = ({ name, members }: Family): readonly Module[] =>
  members.map((member) => ({
    file: join(moduleName(name).replace(/\.ts$/, ""), `${member.name.slice(name.length + 1)}.ts`),
    model: member.model,
  }));

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
  for (const folder of new Set(built.map(({ path }) => dirname(path)))) {
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw unwritable(folder, error);
    }
  }
  const folder = realpathSync(out);
  const away = built.find(({ path }) => !staysIn(folder, dirname(path)));
  if (away) {
    throw runFailure(`${printedPath(dirname(away.path))} is a link out of ${printedPath(out)}`, {
      help: "remove the link: what is built stays in the folder that is named",
    });
  }
  for (const { path, text } of built) replaceFile(path, text);
  for (const { path } of built) print(`${printedPath(path)}\n`);
}

function reportStale(built: readonly Built[]): void {
  const stale = built.filter(({ path, text }) => !existsSync(path) || readFileSync(path, "utf8") !== text);
  for (const { path } of stale) print(`${printedPath(path)}\n`);
  if (stale.length === 0) return;
  tell(`${count(stale.length, "module")} not up to date; mae build writes ${stale.length === 1 ? "it" : "them"}`);
  endWith(exitCode.findings);
}
