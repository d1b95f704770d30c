/** `mae show`: a picture of what the model of a run makes of samples of which it sees a part. */

import { join } from "node:path";
import { wordsOf } from "../../blocks/index.js";
import { vocabularyOf } from "../config/index.js";
import { type BackendFlags, openBackend } from "../machine/backend.js";
import { drawReconstructions, openRun, sayErrors } from "../runs/open-run.js";
import { pictureFile } from "../runs/run-directory.js";
import { printedPath } from "../specs/files.js";
import { print, tell } from "../words/terminal.js";

export interface ShowOptions extends BackendFlags {
  readonly out?: string;
  readonly count: number;
  readonly split: "train" | "test";
  readonly seed?: number;
  readonly checkpoint?: string;
  readonly config?: string;
}

export async function show(directory: string, options: ShowOptions): Promise<void> {
  const run = await openRun(directory, options.checkpoint ?? null, () => vocabularyOf(null, options.config));
  const executor = await openBackend(options, tell);
  const path = options.out ?? join(directory, pictureFile);
  try {
    const seed = options.seed ?? run.training.seed;
    const drawn = await drawReconstructions(run, { ...options, executor, seed, path, note: tell });
    tell(`after step ${run.step}: ${sayErrors(drawn, wordsOf(run.program.arrays))}`);
    print(`${printedPath(path)}\n`);
  } finally {
    await executor.close();
  }
}
