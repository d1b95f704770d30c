/** `mae init`: a small project that checks and trains at once, with pictures made on the spot. */

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runFailure, usageFailure } from "../failure.js";
import { printedPath, unwritable } from "../files.js";
import { packageRoot } from "../package-root.js";
import { drawShape, shapeNames } from "../shapes.js";
import { stderrColors, tell } from "../terminal.js";

export interface InitOptions {
  readonly force?: boolean;
}

const spec = "model.mae";
const picturesOfEach = 64;

interface NewFile {
  readonly path: string;
  readonly content: () => string | Buffer;
}

export function init(directory: string, options: InitOptions): void {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found && !found.isDirectory()) throw usageFailure(`${printedPath(directory)} is a file, not a folder`);
  const files = project();
  const taken = files.map((file) => file.path).filter((path) => existsSync(join(directory, path)));
  if (taken.length > 0 && !options.force) throw alreadyThere(directory, taken);
  try {
    for (const file of files) {
      mkdirSync(dirname(join(directory, file.path)), { recursive: true });
      writeFileSync(join(directory, file.path), file.content());
    }
  } catch (error) {
    throw unwritable(directory, error);
  }
  sayNext(directory, files.length);
}

function project(): NewFile[] {
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
    { path: ".gitignore", content: () => "runs/\nbuild/\n" },
    ...pictures,
  ];
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
