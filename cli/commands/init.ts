/** `mae init`: a small project that checks and trains at once, with pictures made on the spot, and what checks it in CI if asked. */

import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { packageRoot, packageVersion } from "../package-root.js";
import { printedPath, unwritable } from "../specs/files.js";
import { drawShape, shapeNames } from "../specs/shapes.js";
import { runFailure, usageFailure } from "../words/failure.js";
import { stderrColors, tell } from "../words/terminal.js";

export interface InitOptions {
  readonly force?: boolean;
  /** Whose CI checks the project. */
  readonly ci?: Ci;
}

export type Ci = "github";

const workflows: Readonly<Record<Ci, string>> = { github: ".github/workflows/specs.yml" };

const spec = "model.mae";
const manifest = "package.json";
const picturesOfEach = 64;

interface NewFile {
  readonly path: string;
  readonly content: () => string | Buffer;
}

export function init(directory: string, options: InitOptions): void {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found && !found.isDirectory()) throw usageFailure(`${printedPath(directory)} is a file, not a folder`);
  const files = project(options.ci);
  const taken = files.map((file) => file.path).filter((path) => existsSync(join(directory, path)));
  if (taken.length > 0 && !options.force) throw alreadyThere(directory, taken);
  try {
    for (const file of files) {
      mkdirSync(dirname(join(directory, file.path)), { recursive: true });
      writeFileSync(join(directory, file.path), file.content());
    }
    // One that npm has written already names what it has installed.
    const isNew = !existsSync(join(directory, manifest));
    if (isNew) writeFileSync(join(directory, manifest), manifestText(directory));
    sayNext(directory, files.length + (isNew ? 1 : 0));
    if (options.ci) sayWhatCiLacks(directory);
  } catch (error) {
    throw unwritable(directory, error);
  }
}

function project(ci: Ci | undefined): NewFile[] {
  const template = (name: string) => readFileSync(join(packageRoot(), "examples", "start", name), "utf8");
  const pictures = shapeNames.flatMap((shape, kind) =>
    Array.from({ length: picturesOfEach }, (_, i) => ({
      path: `images/${shape}/${String(i).padStart(2, "0")}.png`,
      content: () => drawShape(shape, kind * picturesOfEach + i),
    })),
  );
  return [
    { path: spec, content: () => template(spec) },
    { path: "README.md", content: () => template("README.md") },
    { path: ".gitignore", content: () => "node_modules/\nruns/\nbuild/\n" },
    ...(ci ? [{ path: workflows[ci], content: () => template("specs.yml") }] : []),
    ...pictures,
  ];
}

/** A project that takes maelang from where it lies now. */
function manifestText(directory: string): string {
  const here = relative(realpathSync(directory), packageRoot()).replaceAll("\\", "/");
  const scripts = { check: "mae check --error-on-warnings", format: "mae fmt --write", train: `mae train ${spec}` };
  const text = { private: true, type: "module", scripts, devDependencies: { maelang: `file:${here}` } };
  return `${JSON.stringify(text, null, 2)}\n`;
}

/** CI has the project's own files and the registry, and nothing else of this machine. */
function sayWhatCiLacks(directory: string): void {
  const dependency = dependencyIn(join(directory, manifest));
  const isAway = /^(?:file:|link:)?(?:\.\.|\/|[a-z]:)/i.test(dependency ?? "");
  if (dependency !== null && !isAway) return;
  tell("");
  tell(
    `${manifest} names ${dependency === null ? "no maelang" : `maelang at ${dependency}`}, which CI does not have. Until it is in a registry:`,
  );
  tell("  mkdir vendor");
  tell(`  npm pack ${packageRoot()} --ignore-scripts --pack-destination vendor`);
  tell(`  npm install --save-dev --ignore-scripts ./vendor/maelang-${packageVersion()}.tgz`);
}

/** Where a package takes maelang from; null: it does not, or is not readable. */
function dependencyIn(path: string): string | null {
  try {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(path, "utf8"));
    return devDependencies?.maelang ?? dependencies?.maelang ?? null;
  } catch {
    return null;
  }
}

function alreadyThere(directory: string, taken: readonly string[]) {
  const shown = taken.slice(0, 3).join(", ");
  const more = taken.length > 3 ? ` and ${taken.length - 3} more` : "";
  return runFailure(`${printedPath(directory)} already has ${shown}${more}`, {
    reason: "Nothing of yours is overwritten unasked.",
    help: "choose another folder, or replace them with --force",
  });
}

function sayNext(directory: string, files: number): void {
  const colors = stderrColors();
  const here = printedPath(directory);
  tell(`${colors.green("✓")} ${files} files written to ${here}`);
  tell("");
  tell("Next:");
  if (here !== ".") tell(`  cd ${here}`);
  tell(`  mae check\n  mae plan ${spec}\n  mae train ${spec}`);
}
