/** A finished or interrupted run, opened again: its program, its weights, and the data that its spec names. All of it is data: nothing of it is run. */

import { join } from "node:path";
import { type ArrayShape, augmentsOf, type SampleWords } from "../../blocks/index.js";
import type { Checkpoint, Executor, ReconstructionErrors } from "../../runtime/index.js";
import { changedFiles, type Vocabulary } from "../config/index.js";
import { chooseRecipe } from "../specs/choose.js";
import { printedPath } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { shortNumber } from "../words/progress.js";
import { count, tell } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";
import { thinned } from "./labelled-data.js";
import {
  firstDifference,
  meaningOf,
  type OpenCheckpoint,
  openCheckpoint,
  resolved,
  specOf,
} from "./open-checkpoint.js";
import { type RunFacts, readRunFacts, readRunSpec, specFile } from "./run-directory.js";

export interface OpenRun extends OpenCheckpoint {
  readonly directory: string;
  readonly facts: RunFacts;
}

/**
 * `checkpoint`: a file; null: the newest of the run. `vocabularyFor` gives the blocks that its spec can use, and is asked once there is a
 * run: what the run says of itself has no part in it.
 *
 * Throws a `Failure` where there is no run, or its spec is not the checkpoint's, and a `RunError` where its checkpoint cannot be used.
 */
export async function openRun(
  directory: string,
  checkpoint: string | null,
  vocabularyFor: () => Promise<Vocabulary>,
): Promise<OpenRun> {
  const facts = readRunFacts(directory);
  const { newestCheckpoint, readCheckpoint } = await import("../../runtime/index.js");
  const saved =
    checkpoint === null ? await newestCheckpoint(directory, "weights") : await readCheckpoint(checkpoint, "weights");
  const vocabulary = await vocabularyFor();
  checkOwnSpec(directory, saved, vocabulary, facts);
  const opened = await openCheckpoint(saved, vocabulary, facts.project);
  for (const name of changedFiles(facts.project, vocabulary)) {
    tell(`${visibleText(name)} is not as it was when the run was started`);
  }
  return { ...opened, directory, facts };
}

/** Throws a `Failure` where the spec that a run keeps is not the one that its checkpoint was trained with. */
export function checkOwnSpec(
  directory: string,
  saved: Pick<Checkpoint, "path" | "spec">,
  vocabulary: Vocabulary,
  { project }: RunFacts,
): void {
  const text = readRunSpec(directory);
  if (text === saved.spec) return;
  const path = printedPath(join(directory, specFile));
  const [then, now] = [specOf(saved, vocabulary, project), resolved(path, text, vocabulary, project)].map((analysis) =>
    meaningOf(chooseRecipe(analysis, undefined)),
  ) as [readonly string[], readonly string[]];
  const changed = firstDifference(then, now);
  if (changed === null) return;
  throw runFailure(`${path} is not the spec that ${printedPath(saved.path)} was trained with`, {
    reason: `The checkpoint has "${changed.before}" where the spec says "${changed.after}".`,
    help: "take the change back, or train a run of its own from the changed spec",
  });
}

export interface PictureOptions {
  readonly executor: Executor;
  readonly split: "train" | "test";
  readonly count: number;
  readonly seed: number;
  readonly path: string;
  readonly note: (text: string) => void;
}

/** What the picture shows in numbers, over the hidden patches of its samples. */
export interface PictureFacts {
  readonly samples: number;
  /** Of each prediction: of one, where the model reads one array. */
  readonly errors: readonly (ReconstructionErrors & { readonly name: string })[];
}

/**
 * In words: beside what a model has that only knew each patch's mean, and of the values themselves beside what anyone has who fills in
 * the means of visible patches.
 */
export function sayErrors({ samples, errors }: PictureFacts, { sample, mean, values }: SampleWords): string {
  const texts = errors.map(({ name, mse, meanMse, pixelMse, aidedMse, fillMse }) => {
    const of = errors.length === 1 ? "" : `${name} `;
    const [told, own, aided, fill] = [meanMse, pixelMse, aidedMse, fillMse].map(shortNumber);
    const help = aidedMse === pixelMse ? "" : ` (with true means and deviations ${aided})`;
    return `${of}${shortNumber(mse)}, by each patch's true ${mean} ${told}; of ${values} ${own}${help}, by the means of visible patches around ${fill}`;
  });
  const colon = errors.length === 1 ? "" : ":";
  return `mean squared error of the hidden patches of ${count(samples, sample)}${colon} ${texts.join("; ")}`;
}

/** Writes reconstructions of samples that are spread evenly over the data. */
export async function drawReconstructions(run: OpenRun, options: PictureOptions): Promise<PictureFacts> {
  const runtime = await import("../../runtime/index.js");
  const { program, weights, training, facts } = run;
  const index = thinned(await runtime.openData(training.data, options.split, facts.root, program), options.count);
  const common = {
    augment: training.augment,
    arrays: program.arrays,
    root: facts.root,
    workers: 0,
    note: options.note,
  };
  for await (const batch of runtime.evaluationBatches({ index, batch: index.length, ...common })) {
    const all = await runtime.reconstruct({ program, weights }, batch.arrays, {
      executor: options.executor,
      colours: (array) =>
        runtime.colourScale(augmentsOf(training.augment, array, program.arrays), program.arrays[array] as ArrayShape),
      seed: options.seed,
    });
    const pictures = all.map(({ shown, reconstructions }) =>
      runtime.reconstructionPicture(shown.shape, reconstructions),
    );
    await runtime.writePng(options.path, runtime.stacked(pictures));
    const errors = all.map(({ shown, reconstructions }) => ({
      name: shown.name,
      ...runtime.meanErrors(reconstructions.map((one) => one.errors)),
    }));
    return { samples: index.length, errors };
  }
  throw new Error("invariant: data without samples was opened");
}
