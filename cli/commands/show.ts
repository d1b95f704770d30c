/** `mae show`: a picture of what the model of a run makes of samples of which it sees a part; of texts, their words with its guesses. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { vocabularyOf } from "../config/index.js";
import { type BackendFlags, openBackend } from "../machine/backend.js";
import { guessedTexts, isText, sayGuesses, textsWithGuesses } from "../runs/guesses.js";
import { type CheckpointFlags, openRun } from "../runs/open-run.js";
import { type Drawable, drawPicture, type PictureOptions } from "../runs/pictures.js";
import { pictureFile } from "../runs/run-directory.js";
import { printedPath, unwritable } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { plainColors, print, stdoutColors, tell } from "../words/terminal.js";

export interface ShowOptions extends BackendFlags, CheckpointFlags {
  readonly out?: string;
  readonly count: number;
  readonly split: "train" | "test";
  readonly seed?: number;
  readonly config?: string;
  /** Also what is seen in time or heard. */
  readonly media?: true;
}

/** Of a model of text, its guesses on stdout, or in a file. */
async function showTexts(
  run: Drawable & { readonly step: number },
  options: Omit<PictureOptions, "path"> & { readonly out?: string },
): Promise<void> {
  const shown = await guessedTexts(run, options);
  if (!shown) throw runFailure(`${run.program.name} predicts no ids`, { help: "only models that do can be shown" });
  const { errorsOfGuesses } = await import("../../runtime/index.js");
  const errors = errorsOfGuesses(
    shown.texts.length,
    shown.texts.flatMap(({ guesses }) => guesses),
  );
  tell(`after step ${run.step}: ${sayGuesses(errors)}`);
  if (options.out === undefined) return print(textsWithGuesses(shown, stdoutColors()));
  try {
    writeFileSync(options.out, textsWithGuesses(shown, plainColors()));
  } catch (error) {
    throw unwritable(options.out, error);
  }
  print(`${printedPath(options.out)}\n`);
}

export async function show(directory: string, options: ShowOptions): Promise<void> {
  const run = await openRun(directory, options, () => vocabularyOf(null, options.config));
  const executor = await openBackend(options, tell);
  const path = options.out ?? join(directory, pictureFile);
  try {
    const seed = options.seed ?? run.training.seed;
    const drawable = { ...run, root: run.facts.root };
    if (isText(run.program)) return await showTexts(drawable, { ...options, seed, executor, note: tell });
    const drawn = await drawPicture(drawable, {
      ...options,
      media: options.media ?? false,
      executor,
      seed,
      path,
      note: tell,
    });
    tell(`after step ${run.step}: ${drawn.text}`);
    for (const file of [path, ...drawn.files]) print(`${printedPath(file)}\n`);
    if (options.media && drawn.files.length === 0)
      tell("nothing of these samples moves or is heard: only the picture was written");
  } finally {
    await executor.close();
  }
}
