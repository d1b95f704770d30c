/**
 * What a model makes of images of which it sees only a part: the prediction of every patch as pixels, the same with the
 * visible patches pasted in, and how far the hidden ones are from the truth.
 */

import {
  afterTraining,
  arrayLength,
  arrayOf,
  boxLength,
  hasPictures,
  type ModelProgram,
  maskedBatch,
  type Picture,
  patchPlaces,
  tokenCount,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Executor } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import { movingFeeds, sampleMasks } from "../train/inputs.js";
import { type ColourScale, withoutNormalization } from "./colours.js";
import { openFrozen, type Trained } from "./frozen.js";
import { maskField } from "./mask-field.js";

/** One sample, everything [...axes, C]: of pictures in [0, 1], of all else in the scale of the data. */
export interface Reconstruction {
  readonly input: Float32Array;
  /** The prediction of every patch. */
  readonly output: Float32Array;
  /** The prediction where patches are hidden, the input where they are visible. */
  readonly pasted: Float32Array;
  /** [...axes]: 1 where the place is hidden. */
  readonly hidden: Uint8Array;
  readonly errors: ReconstructionErrors;
}

/** On hidden patches only. */
export interface ReconstructionErrors {
  /** Mean squared error in the scale of the target: of normalised patches where they are normalised. */
  readonly mse: number;
  /** The same for predicting the true mean of each patch and channel: what a useful model is well below. */
  readonly meanMse: number;
  /** Mean squared error of pixels in [0, 1], before predictions are cut to that range. */
  readonly pixelMse: number;
  /** Peak signal-to-noise ratio of the same, -10 log10 pixelMse, in dB. */
  readonly psnr: number;
}

export interface ReconstructOptions {
  readonly executor: Executor;
  /** Null: the model sees values in [0, 1]. */
  readonly colours: ColourScale | null;
  /** Seed of the masks. */
  readonly seed: number;
}

/** A model opened to reconstruct batches of one size. */
export interface Reconstructor {
  /** images [B, H, W, C] as the model sees them; `samples` [B]: what their masks are drawn by. */
  readonly run: (images: Float32Array, samples: Int32Array) => Promise<readonly Reconstruction[]>;
  readonly close: () => Promise<void>;
}

/** @throws RunError `run/features` for a model whose target is not pixels. */
export async function openReconstructor(
  model: Trained,
  batch: number,
  { executor, colours, seed }: ReconstructOptions,
): Promise<Reconstructor> {
  const { program } = model;
  const { picture } = program;
  if (picture === undefined) {
    throw new RunError("run/features", {
      what: `${program.name} does not predict pixels`,
      help: "Only models with a target of pixels can be shown as pictures.",
    });
  }
  const frozen = await openFrozen(model, executor, batch, (g, w) => {
    const seen = maskedBatch(g, program, w);
    return { prediction: program.predict(g, w, seen), ...(program.guide ? { hidden: seen.hidden } : {}) };
  });
  return {
    async run(images, samples) {
      const fields = maskField(program, images, colours, seed, samples);
      const masks = sampleMasks(program, seed, 0, samples, { fields });
      const feeds = { [arrayOf(program).name]: images, ...masks, ...movingFeeds(program, afterTraining) };
      const { prediction, hidden: places = masks.hidden } = await frozen.run(feeds);
      const rowOf = <A extends Float32Array | Int32Array>(all: A, i: number): A =>
        all.slice((all.length / batch) * i, (all.length / batch) * (i + 1)) as A;
      return Array.from({ length: batch }, (_, i) => {
        const hidden = hiddenPixels(program, rowOf(places as Int32Array, i));
        return pictured(program, picture, rowOf(images, i), rowOf(prediction as Float32Array, i), hidden, colours);
      });
    },
    close: frozen.close,
  };
}

/**
 * Reconstructs images in one batch.
 * @param images [B, H, W, C] as the model sees them.
 * @throws RunError `run/features` for a model whose target is not pixels.
 */
export async function reconstruct(
  model: Trained,
  images: Float32Array,
  options: ReconstructOptions,
): Promise<readonly Reconstruction[]> {
  const count = images.length / arrayLength(arrayOf(model.program).shape);
  invariant(Number.isInteger(count) && count > 0, `${images.length} values are no images of this model`);
  const reconstructor = await openReconstructor(model, count, options);
  try {
    return await reconstructor.run(
      images,
      Int32Array.from({ length: count }, (_, i) => i),
    );
  } finally {
    await reconstructor.close();
  }
}

/** The errors of several images together: means over all their hidden pixels. */
export function meanErrors(of: readonly ReconstructionErrors[]): ReconstructionErrors {
  // Every image has equally many hidden pixels.
  const mean = (part: (errors: ReconstructionErrors) => number): number =>
    of.reduce((sum, errors) => sum + part(errors), 0) / of.length;
  const pixelMse = mean((errors) => errors.pixelMse);
  return { mse: mean(({ mse }) => mse), meanMse: mean(({ meanMse }) => meanMse), pixelMse, psnr: decibels(pixelMse) };
}

const decibels = (meanSquare: number): number => -10 * Math.log10(meanSquare);

/** [H, W]: 1 where the pixel's patch is among `tokens`. */
function hiddenPixels({ grid }: ModelProgram, tokens: Int32Array): Uint8Array {
  const hidden = new Uint8Array(tokenCount(grid) * boxLength(grid));
  for (const token of tokens) for (const place of patchPlaces(grid, token)) hidden[place] = 1;
  return hidden;
}

/** One image: pixels brought back to [0, 1], and the errors before they are cut to that. */
function pictured(
  program: ModelProgram,
  picture: Picture,
  image: Float32Array,
  prediction: Float32Array,
  hidden: Uint8Array,
  colours: ColourScale | null,
): Reconstruction {
  const { channels } = arrayOf(program).shape;
  const back = (values: Float32Array) => (colours === null ? values : withoutNormalization(values, colours));
  const isHidden = (at: number): boolean => hidden[Math.floor(at / channels)] === 1;
  const pixels = picture.pixels(prediction, image);
  const [input, output] = [back(image), back(pixels)];
  const pasted = input.map((value, at) => (isHidden(at) ? (output[at] as number) : value));
  const scale = targetScale(picture, prediction.length, image);
  const truth = picture.truth?.(image) ?? image;
  const pixelMse = meanSquare(output, input, isHidden);
  const errors = {
    mse: meanSquare(pixels, truth, isHidden, scale),
    meanMse: meanSquare(patchMeans(program, truth), truth, isHidden, scale),
    pixelMse,
    psnr: decibels(pixelMse),
  };
  const shown = hasPictures(arrayOf(program).shape) ? clamped : (values: Float32Array) => values;
  return { input: shown(input), output: shown(output), pasted: shown(pasted), hidden, errors };
}

/** [H, W, C]: how far pixels move when the prediction moves by one. Pixels are an affine function of predictions. */
function targetScale(picture: Picture, length: number, image: Float32Array): Float32Array {
  const zero = picture.pixels(new Float32Array(length), image);
  return picture.pixels(new Float32Array(length).fill(1), image).map((one, at) => one - (zero[at] as number));
}

const clamped = (values: Float32Array): Float32Array => values.map((value) => Math.min(Math.max(value, 0), 1));

/** Mean of ((a - b) / scale)^2 over the chosen places. */
function meanSquare(a: Float32Array, b: Float32Array, chosen: (at: number) => boolean, scale?: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < a.length; at++) {
    if (!chosen(at)) continue;
    sum += (((a[at] as number) - (b[at] as number)) / (scale?.[at] ?? 1)) ** 2;
    count++;
  }
  return sum / count;
}

/** [..., C] with each value replaced by the mean of its patch and channel. */
function patchMeans(program: ModelProgram, array: Float32Array): Float32Array {
  const { grid } = program;
  const { channels } = arrayOf(program).shape;
  const result = new Float32Array(array.length);
  for (let token = 0; token < tokenCount(grid); token++) {
    const places = patchPlaces(grid, token);
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (const place of places) sum += array[place * channels + channel] as number;
      for (const place of places) result[place * channels + channel] = sum / places.length;
    }
  }
  return result;
}
