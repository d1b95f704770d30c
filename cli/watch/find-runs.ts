/** The runs that paths stand for: folders of runs, and folders that hold some, as those of a family or a pipeline. */

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { factsFile } from "../runs/run-directory.js";
import { printedPath } from "../specs/files.js";
import { usageFailure } from "../words/failure.js";
import { visibleText } from "../words/text-width.js";
import { createHistory, type History } from "./history.js";
import type { ShownRun } from "./page.js";

/** Folders that are looked into, how deep they lie, and runs that are shown at once. */
const mostFolders = 2000;
const mostDepth = 4;
export const mostRuns = 24;

const isRun = (folder: string): boolean => existsSync(join(folder, factsFile)) || existsSync(join(folder, "log.jsonl"));

/** Folders of runs at these paths and below, as they are now; links are not followed. `left`: how many more there are. */
export function runFolders(paths: readonly string[]): { readonly folders: readonly string[]; readonly left: number } {
  const found: string[] = [];
  let looked = 0;
  const look = (folder: string, depth: number): void => {
    looked += 1;
    if (isRun(folder)) found.push(folder);
    else if (depth < mostDepth) {
      for (const name of foldersIn(folder)) if (looked < mostFolders) look(join(folder, name), depth + 1);
    }
  };
  for (const path of paths) if (existsSync(path) && statSync(path).isDirectory()) look(path, 0);
  return { folders: found.slice(0, mostRuns), left: Math.max(0, found.length - mostRuns) };
}

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

/** Throws a usage failure where a path is not there or is no folder. */
export function checkPaths(paths: readonly string[]): void {
  for (const path of paths) {
    const there = existsSync(path);
    if (there && statSync(path).isDirectory()) continue;
    throw usageFailure(`${printedPath(path)} ${there ? "is a file, not a folder" : "does not exist"}`, {
      help: "name the folder of a run, or one that holds runs; mae train prints where a run is",
    });
  }
}

/** Reads runs again and again: what a log has said already is not read twice. */
export function createReader(): (folders: readonly string[]) => Promise<readonly ShownRun[]> {
  const histories = new Map<string, History>();
  return async (folders) => {
    for (const known of histories.keys()) if (!folders.includes(known)) histories.delete(known);
    return Promise.all(
      folders.map(async (folder) => {
        const history = histories.get(folder) ?? createHistory(folder);
        histories.set(folder, history);
        await history.update();
        return { label: visibleText(printedPath(folder)), history };
      }),
    );
  };
}
