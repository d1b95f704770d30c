/** What is looked at while a model is trained, and when it is: scores of probes, pictures of reconstructions, or how well what is hidden of texts and tables is guessed. */

import { join } from "node:path";
import { judgedOutput, wordsOf } from "../../blocks/index.js";
import type { ProbeRequest } from "../../runtime/index.js";
import { printedPath } from "../specs/files.js";
import { fillingOf, sayFilled } from "./columns.js";
import { guessesOf, isText, sayGuesses } from "./guesses.js";
import { labelledBatch, labelledData, selectionsOf } from "./labelled-data.js";
import { type Drawable, drawPicture, type PictureOptions } from "./pictures.js";

/** Texts and rows of which what is hidden is guessed when a model is trained. */
const mostTexts = 200;

/** Of samples that are spread evenly over the test data, or the training data where there are none. Gives what there is to say. */
export async function drawWherePossible(
  run: Drawable,
  options: Omit<PictureOptions, "split">,
): Promise<{ readonly text: string; readonly isDrawn: boolean }> {
  const { RunError } = await import("../../runtime/index.js");
  const words = wordsOf(run.program.arrays);
  let why = "";
  for (const split of ["test", "train"] as const) {
    try {
      const guessed = await guessesOf(run, { ...options, count: mostTexts, split });
      if (guessed && isText(run.program))
        return { text: `${split} texts: ${sayGuesses(guessed)}; mae show writes some`, isDrawn: false };
      const filled = await fillingOf(run, { ...options, count: mostTexts, split });
      if (filled) return { text: `${split} rows: ${sayFilled(filled)}; mae show writes some`, isDrawn: false };
      const drawn = await drawPicture(run, { ...options, split });
      const beside = guessed ? `; ${sayGuesses(guessed, run.program.codes && words.sample)}` : "";
      const text = `${drawn.text}${beside}; ${split} ${words.sample}s in ${printedPath(options.path)}`;
      return { text, isDrawn: true };
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      why = error.what;
    }
  }
  return { text: `no picture of reconstructions: ${why}`, isDrawn: false };
}

/** Pictures that are drawn while a model is trained show so many samples. */
export const usualSamples = 8;

/** Draws weights in the middle of a training. Gives the picture's path. Throws a `RunError` where nothing can be drawn. */
export async function drawInTheMiddle(
  run: Drawable,
  { directory, step, executor, note }: Pick<PictureOptions, "executor" | "note"> & { directory: string; step: number },
): Promise<string> {
  const path = join(directory, `reconstruction-${step}.png`);
  const common = { executor, count: usualSamples, seed: run.training.seed, path, note };
  const { text, isDrawn } = await drawWherePossible(run, common);
  if (isDrawn) return path;
  const { RunError } = await import("../../runtime/index.js");
  throw new RunError("run/features", { what: text, help: "Leave out --pictures-every." });
}

/** A probe of the recipe in the middle of a training: scores on the class token and on the mean of the patches. */
export async function judgeInTheMiddle(
  { program, weights, training, root }: Drawable,
  probe: ProbeRequest["probe"],
  { executor, note }: Pick<PictureOptions, "executor" | "note">,
): Promise<Record<string, number>> {
  const { evaluate } = await import("../../runtime/index.js");
  const { rows } = await evaluate({ program, weights }, [probe], {
    data: await labelledData({ program, training, root, most: Number.POSITIVE_INFINITY, note }),
    batch: labelledBatch,
    executor,
    sources: ["encoder"],
    selections: selectionsOf(program, { of: judgedOutput(probe) }),
    seed: training.seed,
  });
  return Object.fromEntries(
    rows.flatMap(({ pool, scores }) =>
      Object.entries(scores).map(([name, score]) => [pool === null ? name : `${pool}/${name}`, score]),
    ),
  );
}
