/** `mae show`: a picture of what the model of a run makes of samples of which it sees a part; of texts and tables, its guesses in words. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { headOutput } from "../../blocks/index.js";
import { vocabularyOf } from "../config/index.js";
import { type BackendFlags, openBackend } from "../machine/backend.js";
import { filledRows, isTable, rowsWithGuesses, sayFilled } from "../runs/columns.js";
import { guessedTexts, isText, readsText, sayGuesses, textsWithGuesses } from "../runs/guesses.js";
import { fileFor, tellChosen } from "../runs/open-checkpoint.js";
import { type CheckpointFlags, openRun } from "../runs/open-run.js";
import { type Drawable, drawPicture, type PictureOptions } from "../runs/pictures.js";
import { type RoundsFlags, roundsOf } from "../runs/rounds.js";
import { pictureFile } from "../runs/run-directory.js";
import { printedPath, unwritable } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { type Colors, plainColors, print, stdoutColors, tell } from "../words/terminal.js";

export interface ShowOptions extends BackendFlags, CheckpointFlags, RoundsFlags {
  readonly out?: string;
  readonly count: number;
  readonly split?: "train" | "test";
  readonly seed?: number;
  readonly config?: string;
  /** Also what is seen in time or heard. */
  readonly media?: true;
}

/** What a model without pictures makes of samples, in words. */
interface Guesses {
  readonly errors: string;
  readonly text: (colors: Colors) => string;
}

/** Of a model of text, its guesses. */
async function guessesOfTexts(run: Drawable, options: Omit<PictureOptions, "path">): Promise<Guesses> {
  const shown = await guessedTexts(run, options);
  if (!shown) throw runFailure(`${run.program.name} predicts no ids`, { help: "only models that do can be shown" });
  const { errorsOfGuesses } = await import("../../runtime/index.js");
  const errors = errorsOfGuesses(
    shown.texts.length,
    shown.texts.flatMap(({ guesses }) => guesses),
  );
  return { errors: sayGuesses(errors), text: (colors) => textsWithGuesses(shown, colors) };
}

/** Of a model of tables, the columns that it filled. */
async function guessesOfRows(run: Drawable, options: Omit<PictureOptions, "path">): Promise<Guesses> {
  const shown = await filledRows(run, options);
  if (!shown) throw runFailure(`${run.program.name} predicts no columns`, { help: "only models that do can be shown" });
  const { errorsOfRows } = await import("../../runtime/index.js");
  const errors = sayFilled(errorsOfRows(shown.columns, shown.rows));
  return { errors, text: (colors) => rowsWithGuesses(shown, colors) };
}

/** On stdout, or in a file. */
function tellGuesses({ errors, text }: Guesses, step: number, out: string | undefined): void {
  tell(`after step ${step}: ${errors}`);
  if (out === undefined) {
    print(text(stdoutColors()));
    return;
  }
  try {
    writeFileSync(out, text(plainColors()));
  } catch (error) {
    throw unwritable(out, error);
  }
  print(`${printedPath(out)}\n`);
}

/** Throws a `Failure` for a model that predicts nothing but a number or classes of whole samples: there is nothing to draw. */
function checkShown(program: Drawable["program"], directory: string): void {
  const { detector, name, places, predictions, registers, values } = program;
  if (headOutput(program) === null || predictions || detector || places || registers || values) return;
  throw runFailure(
    `${name} says ${program.number ? "a number" : "classes"} of whole samples, and there is nothing to draw`,
    {
      help: `mae eval ${printedPath(directory)} judges what it says`,
    },
  );
}

/** Passes on each text once. */
function once(say: (text: string) => void): (text: string) => void {
  const texts = new Set<string>();
  return (text) => {
    if (texts.has(text)) return;
    texts.add(text);
    say(text);
  };
}

export async function show(directory: string, options: ShowOptions): Promise<void> {
  const run = await openRun(directory, options, () => vocabularyOf(null, options.config));
  tellChosen(run, "show", directory, options.recipe);
  checkShown(run.program, directory);
  const executor = await openBackend(options, tell);
  const path = options.out ?? join(directory, fileFor(pictureFile, options));
  const note = once(tell);
  try {
    const seed = options.seed ?? run.training.seed;
    const drawable = { ...run, root: run.facts.root };
    const guessesOf = isText(run.program) ? guessesOfTexts : isTable(run.program) ? guessesOfRows : null;
    if (guessesOf) {
      const guesses = await guessesOf(drawable, { ...options, seed, executor, note });
      return tellGuesses(guesses, run.step, options.out);
    }
    const generation = await roundsOf(run.program, options);
    const drawn = await drawPicture(drawable, {
      ...options,
      ...(generation ? { generation } : {}),
      media: options.media ?? false,
      executor,
      seed,
      path,
      note,
    });
    tell(`after step ${run.step}: ${drawn.text}`);
    for (const file of [path, ...drawn.files]) print(`${printedPath(file)}\n`);
    if (readsText(run.program)) {
      const guesses = await guessesOfTexts(drawable, { ...options, seed, executor, note });
      tellGuesses(guesses, run.step, undefined);
    }
    if (options.media && drawn.files.length === 0)
      tell("nothing of these samples moves or is heard: only the picture was written");
  } finally {
    await executor.close();
  }
}
