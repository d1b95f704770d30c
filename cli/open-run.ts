/** A finished or interrupted run, opened again: its program, its weights, and the data that its spec names. */

import { join } from "node:path";
import type { ModelProgram } from "../blocks/index.js";
import type { Executor, Training } from "../runtime/index.js";
import { chooseRecipe, openSpecWith } from "./choose.js";
import { addressesOf, changedFiles, type Vocabulary, vocabularyOfRun } from "./config/index.js";
import { shortNumber } from "./progress.js";
import { trainingOf } from "./recipe-settings.js";
import { type RunFacts, readRunFacts, specFile } from "./run-directory.js";
import { count, tell } from "./terminal.js";
import { thinned } from "./thinned.js";

export interface OpenRun {
  readonly directory: string;
  readonly facts: RunFacts;
  /** The blocks that its spec can use. */
  readonly vocabulary: Vocabulary;
  readonly program: ModelProgram;
  readonly training: Training;
  /** By name. */
  readonly weights: Readonly<Record<string, Float32Array>>;
  /** Steps that the weights have been trained. */
  readonly step: number;
}

/**
 * `checkpoint`: a file; null: the newest of the run. `config`: the configuration that the command line names.
 *
 * Throws a `Failure` where there is no run, and a `RunError` where its checkpoint cannot be used.
 */
export async function openRun(
  directory: string,
  checkpoint: string | null,
  config?: string | undefined,
): Promise<OpenRun> {
  const facts = readRunFacts(directory);
  const spec = await openSpecWith(join(directory, specFile), () => vocabularyOfRun(facts.project, facts.root, config));
  const { vocabulary } = spec;
  for (const name of changedFiles(facts.project, vocabulary)) tell(`${name} is not as it was when the run was started`);
  const { model, recipe } = chooseRecipe(spec, undefined);
  const { reloadProgram } = await import("./load-program.js");
  const { newestCheckpoint, readCheckpoint, weightsFrom } = await import("../runtime/index.js");
  const program = await reloadProgram(directory, model.name, addressesOf(facts.project, vocabulary));
  const saved =
    checkpoint === null ? await newestCheckpoint(directory, "weights") : await readCheckpoint(checkpoint, "weights");
  const weights = weightsFrom(saved, program.parameters);
  return { directory, facts, vocabulary, program, training: trainingOf(recipe), weights, step: saved.step };
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
  readonly mse: number;
  /** The same for predicting the true mean colour of each patch. */
  readonly meanMse: number;
}

/** In words, with what a model that only knew each patch's mean colour would have. */
export const sayErrors = ({ samples, mse, meanMse }: PictureFacts): string =>
  `mean squared error of the hidden patches of ${count(samples, "image")} ${shortNumber(mse)}, ` +
  `by each patch's true mean colour ${shortNumber(meanMse)}`;

/** Writes reconstructions of samples that are spread evenly over the data. */
export async function drawReconstructions(run: OpenRun, options: PictureOptions): Promise<PictureFacts> {
  const runtime = await import("../runtime/index.js");
  const { program, weights, training, facts } = run;
  const index = thinned(await runtime.openData(training.data, options.split, facts.root), options.count);
  const { image } = program;
  const common = { augment: training.augment, image, root: facts.root, workers: 0, note: options.note };
  for await (const batch of runtime.evaluationBatches({ index, batch: index.length, ...common })) {
    const reconstructions = await runtime.reconstruct({ program, weights }, batch.image, {
      executor: options.executor,
      colours: runtime.colourScale(training.augment, image),
      seed: options.seed,
    });
    await runtime.writePng(options.path, runtime.reconstructionPicture(image, reconstructions));
    const { mse, meanMse } = runtime.meanErrors(reconstructions.map(({ errors }) => errors));
    return { samples: index.length, mse, meanMse };
  }
  throw new Error("invariant: data without samples was opened");
}
