/** Pictures of what a model makes of samples: reconstructions, objects that are found, or classes of places; and what they show in numbers. */

import {
  arrayOf,
  augmentsOf,
  type ModelProgram,
  type SampleIndex,
  type SampleWords,
  wordsOf,
} from "../../blocks/index.js";
import type { EvaluationBatch, Executor, ReconstructionErrors, Rounds, Training } from "../../runtime/index.js";
import { shortNumber } from "../words/progress.js";
import { count, percent } from "../words/terminal.js";
import { splitData, thinned } from "./labelled-data.js";
import { usualRounds } from "./rounds.js";

/** A model with weights, and the data that it is shown on. */
export interface Drawable {
  readonly program: ModelProgram;
  readonly weights: Readonly<Record<string, Float32Array>>;
  readonly training: Training;
  /** Data paths start from it. */
  readonly root: string;
}

export interface PictureOptions {
  readonly executor: Executor;
  /** If absent, the test data, or the training data where there are none. */
  readonly split?: "train" | "test";
  readonly count: number;
  readonly seed: number;
  readonly path: string;
  /** Whether what is seen in time or heard is written beside the picture. */
  readonly media?: boolean;
  /** Of a model that generates codes, how; if absent, as `usualRounds` says. */
  readonly generation?: Rounds;
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
export function sayErrors(
  { samples, errors }: PictureFacts,
  { sample, mean, values, filling = "the means of visible patches around" }: SampleWords,
): string {
  const texts = errors.map(({ name, mse, meanMse, pixelMse, aidedMse, fillMse }) => {
    const of = errors.length === 1 ? "" : `${name} `;
    const [told, own, aided, fill] = [meanMse, pixelMse, aidedMse, fillMse].map(shortNumber);
    const help = aidedMse === pixelMse ? "" : ` (with true means and deviations ${aided})`;
    return `${of}${shortNumber(mse)}, by each patch's true ${mean} ${told}; of ${values} ${own}${help}${Number.isNaN(fillMse) ? "" : `, by ${filling} ${fill}`}`;
  });
  const colon = errors.length === 1 ? "" : ":";
  return `mean squared error of the hidden patches of ${count(samples, sample)}${colon} ${texts.join("; ")}`;
}

export interface Drawn extends PictureFacts {
  /** What was written beside the picture. */
  readonly files: readonly string[];
}

/** Writes a picture of what a model makes of samples that are spread evenly over the data, and says what it shows. */
export async function drawPicture(
  run: Drawable,
  options: PictureOptions,
): Promise<{ readonly text: string; readonly files: readonly string[] }> {
  if (run.program.detector) return { text: await drawObjects(run, options), files: [] };
  if (run.program.places) return { text: await drawPlaces(run, options), files: [] };
  if (run.program.registers) return { text: await drawMoves(run, run.program.registers.fixed, options), files: [] };
  if (run.program.values) return { text: await drawValues(run, options), files: [] };
  const drawn = await drawReconstructions(run, options);
  return { text: sayErrors(drawn, wordsOf(run.program.arrays)), files: drawn.files };
}

/** Pairs of images: with the objects that are there, and with those that are found. */
async function drawObjects(run: Drawable, options: PictureOptions): Promise<string> {
  const runtime = await import("../../runtime/index.js");
  const { program, weights, training } = run;
  const batch = await shownBatch(await shownSamples(run, options), run, options);
  const colours = runtime.coloursOf(training.augment, program.arrays)(arrayOf(program).name);
  const { canvas, there, found } = await runtime.drawnObjects({ program, weights }, batch, { ...options, colours });
  await runtime.writePng(options.path, canvas);
  return `${count(there, "object")} in ${count(batch.count, "image")}, and ${found} found`;
}

/** Each sample with the classes that are there, and those that are said. */
async function drawPlaces(run: Drawable, options: PictureOptions): Promise<string> {
  const runtime = await import("../../runtime/index.js");
  const { program, weights, training } = run;
  const index = await shownSamples(run, options);
  const batch = await shownBatch(index, run, options, runtime.judgedFields(program));
  const colours = runtime.coloursOf(training.augment, program.arrays)(arrayOf(program).name);
  const { canvas, right } = await runtime.drawnPlaces({ program, weights }, batch, { ...options, colours });
  await runtime.writePng(options.path, canvas);
  return `classes of ${percent(right)} of the places of ${count(batch.count, "sample")} right`;
}

/** Each sample with the values that are there, and those that are said. */
async function drawValues(run: Drawable, options: PictureOptions): Promise<string> {
  const runtime = await import("../../runtime/index.js");
  const { program, weights, training } = run;
  const batch = await shownBatch(await shownSamples(run, options), run, options, runtime.judgedFields(program));
  const colours = runtime.coloursOf(training.augment, program.arrays)(arrayOf(program).name);
  const { canvas, rmse } = await runtime.drawnValues({ program, weights }, batch, { ...options, colours });
  await runtime.writePng(options.path, canvas);
  return `root mean squared error of the places of ${count(batch.count, "sample")}: ${shortNumber(rmse)}`;
}

/** Each fixed sample with its classes, with those of the moving one, and with these where they were moved. */
async function drawMoves(run: Drawable, name: string, options: PictureOptions): Promise<string> {
  const runtime = await import("../../runtime/index.js");
  const { program, weights, training } = run;
  const batch = await shownBatch(await shownSamples(run, options), run, options, runtime.judgedFields(program));
  const colours = runtime.coloursOf(training.augment, program.arrays)(name);
  const { canvas, dice } = await runtime.drawnMoves({ program, weights }, batch, { ...options, colours });
  await runtime.writePng(options.path, canvas);
  const [before, after] = dice.map((share) => share.toFixed(3));
  return `Dice overlap of ${count(batch.count, "pair")}: ${before} before, ${after} after`;
}

/** The samples that are shown: spread evenly over the data. */
export async function shownSamples(
  { program, training, root }: Drawable,
  { split, count: most, note }: Pick<PictureOptions, "split" | "count" | "note">,
): Promise<SampleIndex> {
  const found = await splitData({ program, training, root }, split);
  if (split === undefined && found.split === "train") note("the recipe names no test data: these are training data");
  return thinned(found.index, most);
}

/** All of them in one batch. `fields`: what is computed of each. */
export async function shownBatch(
  index: SampleIndex,
  { program: { arrays }, training: { augment }, root }: Drawable,
  { note }: Pick<PictureOptions, "note">,
  fields: NonNullable<ModelProgram["fields"]> = {},
): Promise<EvaluationBatch> {
  const { evaluationBatches } = await import("../../runtime/index.js");
  const whole = { index, batch: index.length, augment, arrays, root, workers: 0, note, fields };
  for await (const batch of evaluationBatches(whole)) return batch;
  throw new Error("invariant: data without samples was opened");
}

/** Writes reconstructions of samples that are spread evenly over the data. */
async function drawReconstructions(run: Drawable, options: PictureOptions): Promise<Drawn> {
  const runtime = await import("../../runtime/index.js");
  const { program, weights, training, root } = run;
  const index = await shownSamples(run, options);
  const batch = await shownBatch(index, run, options);
  const common = {
    executor: options.executor,
    colours: runtime.coloursOf(training.augment, program.arrays),
    seed: options.seed,
  };
  const all = runtime.canGenerate(program)
    ? await runtime.generatedPictures({ program, weights }, batch.arrays, {
        ...common,
        ...(options.generation ?? usualRounds),
      })
    : await runtime.reconstruct({ program, weights }, batch.arrays, common);
  const pictures = [];
  for (const { shown, reconstructions } of all) {
    const augment = augmentsOf(training.augment, shown.name, program.arrays);
    const leads = await runtime.leadNames(shown, augment, index.sample(0), root);
    pictures.push(runtime.reconstructionPicture(shown.shape, reconstructions, leads));
  }
  await runtime.writePng(options.path, runtime.stacked(pictures));
  const errors = all.map(({ shown, reconstructions }) => ({
    name: shown.name,
    ...runtime.meanErrors(reconstructions.map((one) => one.errors)),
  }));
  const files: string[] = [];
  for (const { shown, reconstructions } of options.media ? all : []) {
    const path = all.length === 1 ? options.path : options.path.replace(/(\.[^./\\]*)?$/, `-${shown.name}$1`);
    files.push(...(await runtime.writeMedia(path, shown.shape, reconstructions)));
  }
  return { samples: batch.count, errors, files };
}
