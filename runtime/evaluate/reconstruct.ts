/**
 * What a model makes of images of which it sees only a part: the prediction of every patch as pixels, the same with the
 * visible patches pasted in, and how far the hidden ones are from the truth.
 */

import {
  type ArrayShape,
  afterTraining,
  arrayLength,
  type Batch,
  boxLength,
  centresIn,
  differentPoints,
  filledFromVisible,
  hasPictures,
  inPatches,
  type Lattice,
  type ModelProgram,
  maskedBatch,
  masksOf,
  meanPoint,
  nearestCentres,
  type Picture,
  type Prediction,
  patchMeans,
  patchPlaces,
  placesInSpace,
  pointsIn,
  predictOf,
  setDistance,
  tokenCount,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import type { BatchArrays } from "../data/batches.js";
import type { Executor } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import { type MaskFeeds, movingFeeds, sampleMasks } from "../train/inputs.js";
import { type ColourScale, withoutNormalization } from "./colours.js";
import { openFrozen, type Trained } from "./frozen.js";
import { maskField } from "./mask-field.js";

/** One sample, everything [...axes, C]: of pictures in [0, 1], of all else in the scale of the data. */
export interface Reconstruction {
  readonly input: Float32Array;
  /** The prediction of every patch. Where patches are normalised, hidden ones have means and deviations of the visible ones around them. */
  readonly output: Float32Array;
  /** The prediction where patches are hidden, the input where they are visible. */
  readonly pasted: Float32Array;
  /** `pasted` with the true mean and deviation of each hidden patch, which the model does not predict; absent where that is the same. */
  readonly aided?: Float32Array;
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
  /** Mean squared error of `output`, of pixels in [0, 1], before they are cut to that range. */
  readonly pixelMse: number;
  /** The same with the true mean and deviation of each patch, where patches are normalised; else the same number. */
  readonly aidedMse: number;
  /** The same for filling each hidden patch with the means of the visible patches around it, without any model. */
  readonly fillMse: number;
  /** Peak signal-to-noise ratio, -10 log10 pixelMse, in dB. */
  readonly psnr: number;
  /** Mean squared step between neighbouring hidden places of `output`, and of `input`: blurred, it has less. */
  readonly detail: number;
  readonly trueDetail: number;
}

export interface ReconstructOptions {
  readonly executor: Executor;
  /** Of an array; null: the model sees values in [0, 1]. */
  readonly colours: (array: string) => ColourScale | null;
  /** Seed of the masks. */
  readonly seed: number;
}

/** What a model predicts of one of its arrays, and how that is shown. */
export interface Shown {
  /** Of the target; of a model of one array, the array's. */
  readonly name: string;
  readonly array: string;
  readonly shape: ArrayShape;
  readonly grid: Lattice;
  readonly predict: Prediction["predict"];
  readonly picture: Picture;
}

/** The predictions of a model that can be shown as numbers of an array. */
export function shownBy(program: ModelProgram): readonly Shown[] {
  const { arrays, grids, picture, predictions } = program;
  const [only = ""] = Object.keys(arrays);
  const all = predictions ?? {
    [only]: { array: only, predict: (...args) => predictOf(program)(...args), picture } satisfies Prediction,
  };
  return Object.entries(all).flatMap(([name, { array, picture: own, predict }]) =>
    own
      ? [{ name, array, shape: arrays[array] as ArrayShape, grid: grids[array] as Lattice, predict, picture: own }]
      : [],
  );
}

/** The reconstructions of one prediction, one for each sample. */
export interface Reconstructed {
  readonly shown: Shown;
  readonly reconstructions: readonly Reconstruction[];
}

/** A model opened to reconstruct batches of one size. */
export interface Reconstructor {
  /** arrays [B, ...axes, C] as the model sees them; `samples` [B]: what their masks are drawn by. */
  readonly run: (arrays: BatchArrays, samples: Int32Array) => Promise<readonly Reconstructed[]>;
  readonly close: () => Promise<void>;
}

/** What a model predicts of a sample, as it sees it. */
export interface Predicted {
  /** [...axes, C] */
  readonly values: Float32Array;
  readonly prediction: Float32Array;
  /** [...axes]: 1 where the place is hidden. */
  readonly hidden: Uint8Array;
}

/** A model opened to predict what it does not see of batches of one size. */
export interface Predictor {
  readonly shown: readonly Shown[];
  /** As of a reconstructor: of each that can be shown, a prediction for each sample. */
  readonly run: (arrays: BatchArrays, samples: Int32Array) => Promise<readonly (readonly Predicted[])[]>;
  readonly close: () => Promise<void>;
}

/** @throws RunError `run/features` for a model whose target is not pixels. */
export async function openPredictor(
  model: Trained,
  batch: number,
  { executor, colours, seed }: ReconstructOptions,
): Promise<Predictor> {
  const { program } = model;
  const all = shownBy(program);
  if (all.length === 0) {
    throw new RunError("run/features", {
      what: `${program.name} does not predict pixels`,
      help: "Only models with a target of pixels can be shown as pictures.",
    });
  }
  const frozen = await openFrozen(model, executor, batch, (g, w) => {
    const seen = maskedBatch(g, program, w);
    const predicted = all.map(({ predict }, i) => [String(i), predict(g, w, seen)] as const);
    return { ...Object.fromEntries(predicted), ...decidedPlaces(program, seen) };
  });
  const rowOf = <A extends Float32Array | Int32Array>(values: A, i: number): A =>
    values.slice((values.length / batch) * i, (values.length / batch) * (i + 1)) as A;
  return {
    shown: all,
    async run(arrays, samples) {
      const fields = maskField(program, arrays, colours, seed, samples);
      const masks = sampleMasks(program, seed, 0, samples, { fields });
      const outputs = await frozen.run({ ...arrays, ...masks, ...movingFeeds(program, afterTraining) });
      const seen = { ...masks, ...(outputs as MaskFeeds) };
      return all.map((shown, k) => {
        const [values, prediction] = [arrays[shown.array] as Float32Array, outputs[k] as Float32Array];
        return Array.from({ length: batch }, (_, i) => {
          const hidden = hiddenPlaces(
            shown.grid,
            hiddenTokens(program, shown.array, seen, (all) => rowOf(all, i)),
          );
          return { values: rowOf(values, i), prediction: rowOf(prediction, i), hidden };
        });
      });
    },
    close: frozen.close,
  };
}

/** @throws RunError `run/features` for a model whose target is not pixels. */
export async function openReconstructor(
  model: Trained,
  batch: number,
  options: ReconstructOptions,
): Promise<Reconstructor> {
  const { shown, run, close } = await openPredictor(model, batch, options);
  return {
    async run(arrays, samples) {
      const predicted = await run(arrays, samples);
      return shown.map((one, k) => ({
        shown: one,
        reconstructions: (predicted[k] as readonly Predicted[]).map(({ values, prediction, hidden }) =>
          pictured(one, values, prediction, hidden, options.colours(one.array)),
        ),
      }));
    },
    close,
  };
}

/**
 * Reconstructs samples in one batch: of each prediction that can be shown.
 * @param arrays [B, ...axes, C] as the model sees them, by name.
 * @throws RunError `run/features` for a model whose target is not pixels.
 */
export async function reconstruct(
  model: Trained,
  arrays: BatchArrays,
  options: ReconstructOptions,
): Promise<readonly Reconstructed[]> {
  const counts = Object.entries(model.program.arrays).map(
    ([name, shape]) => (arrays[name]?.length ?? 0) / arrayLength(shape),
  );
  const [count = 0] = counts;
  const isWhole = Number.isInteger(count) && count > 0 && counts.every((other) => other === count);
  invariant(isWhole, "arrays of as many whole samples each are reconstructed");
  const reconstructor = await openReconstructor(model, count, options);
  try {
    return await reconstructor.run(
      arrays,
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
  return {
    mse: mean(({ mse }) => mse),
    meanMse: mean(({ meanMse }) => meanMse),
    pixelMse,
    aidedMse: mean(({ aidedMse }) => aidedMse),
    fillMse: mean(({ fillMse }) => fillMse),
    psnr: decibels(pixelMse),
    detail: mean(({ detail }) => detail),
    trueDetail: mean(({ trueDetail }) => trueDetail),
  };
}

const decibels = (meanSquare: number): number => -10 * Math.log10(meanSquare);

/** The places of hidden tokens that the model itself decides on, by the names of their feeds. */
export const decidedPlaces = (program: ModelProgram, batch: Batch): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(
    masksOf(program).flatMap(({ name, feeds }) =>
      program.guides?.[name] ? [[feeds.hidden, batch[feeds.hidden] as Tensor] as const] : [],
    ),
  );

/** The hidden tokens of an array, of one sample; a mask over several arrays counts theirs one after the other. */
function hiddenTokens(
  program: ModelProgram,
  array: string,
  feeds: MaskFeeds,
  rowOf: (all: Int32Array) => Int32Array,
): Int32Array {
  const { grids } = program;
  const masks = masksOf(program);
  const isOf = (name: string, tokens: number): boolean =>
    grids[name] !== undefined && tokens === tokenCount(grids[name]);
  const own = masks.find(({ name, mask }) => name === array && isOf(name, mask.tokens));
  const joint = masks.find(({ name, mask }) => !isOf(name, mask.tokens));
  const mask = own ?? joint;
  if (mask === undefined) return new Int32Array();
  const hidden = rowOf(feeds[mask.feeds.hidden] as Int32Array);
  if (own) return hidden;
  const names = Object.keys(grids);
  const before = names
    .slice(0, names.indexOf(array))
    .reduce((sum, name) => sum + tokenCount(grids[name] as Lattice), 0);
  const count = tokenCount(grids[array] as Lattice);
  return hidden.map((token) => token - before).filter((token) => token >= 0 && token < count);
}

/** [...axes]: 1 where the place is in one of `tokens`. */
function hiddenPlaces(grid: Lattice, tokens: Int32Array): Uint8Array {
  const hidden = new Uint8Array(tokenCount(grid) * boxLength(grid));
  for (const token of tokens) for (const place of patchPlaces(grid, token)) hidden[place] = 1;
  return hidden;
}

/** One image: pixels brought back to [0, 1], and the errors before they are cut to that. */
function pictured(
  { picture, shape, grid }: Shown,
  image: Float32Array,
  prediction: Float32Array,
  hidden: Uint8Array,
  colours: ColourScale | null,
): Reconstruction {
  const { channels } = shape;
  const back = (values: Float32Array) => (colours === null ? values : withoutNormalization(values, colours));
  const isHidden = (at: number): boolean => hidden[Math.floor(at / channels)] === 1;
  const isHiddenToken = (token: number): boolean => hidden[patchPlaces(grid, token)[0] as number] === 1;
  const told = picture.pixels(prediction, image);
  const known = picture.unaided?.(prediction, image, isHiddenToken) ?? told;
  const [input, output, aided] = [back(image), back(known), back(told)];
  const paste = (values: Float32Array) => input.map((value, at) => (isHidden(at) ? (values[at] as number) : value));
  if (picture.inSpace) {
    return {
      input,
      output,
      pasted: paste(output),
      hidden,
      errors: errorsInSpace(shape, output, input, grid, isHiddenToken),
    };
  }
  const scale = picture.curved ? undefined : targetScale(picture, prediction.length, image);
  const truth = picture.truth?.(image) ?? image;
  const pixelMse = meanSquare(output, input, isHidden);
  const errors = {
    mse: meanSquare(told, truth, isHidden, scale),
    meanMse: meanSquare(inPatches(grid, patchMeans(grid, channels, truth)), truth, isHidden, scale),
    pixelMse,
    aidedMse: meanSquare(aided, input, isHidden),
    fillMse: meanSquare(back(filledFromVisible(grid, channels, image, isHiddenToken)), input, isHidden),
    psnr: decibels(pixelMse),
    detail: detailOf(output, shape, hidden),
    trueDetail: detailOf(input, shape, hidden),
  };
  const shown = hasPictures(shape) ? clamped : (values: Float32Array) => values;
  return {
    input: shown(input),
    output: shown(output),
    pasted: shown(paste(output)),
    ...(picture.unaided ? { aided: shown(paste(aided)) } : {}),
    hidden,
    errors,
  };
}

/** Mean squared step between places of [...axes, C] that are hidden and neighbours along an axis. */
function detailOf(values: Float32Array, { axes, channels }: Shown["shape"], hidden: Uint8Array): number {
  let [sum, count] = [0, 0];
  let stride = 1;
  for (const { size } of axes.toReversed()) {
    for (const [place, flag] of hidden.entries()) {
      const next = place + stride;
      if (flag === 0 || Math.floor(place / stride) % size === size - 1 || hidden[next] === 0) continue;
      for (let c = 0; c < channels; c++) {
        sum += ((values[next * channels + c] as number) - (values[place * channels + c] as number)) ** 2;
      }
      count += channels;
    }
    stride *= size;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/**
 * The errors of points without an order: between nearest ones of a token, the mean of the squared distances there and back. The mean point of
 * a token stands for all of them in `meanMse`, and the points of the nearest visible token around the own centre in `fillMse`.
 */
function errorsInSpace(
  array: ArrayShape,
  output: Float32Array,
  input: Float32Array,
  grid: Lattice,
  isHidden: (token: number) => boolean,
): ReconstructionErrors {
  const centres = centresIn(array, input, grid);
  const tokens = Array.from({ length: tokenCount(grid) }, (_, token) => token);
  const each = input.length / tokens.length;
  const pointsOf = (values: Float32Array, token: number): Float32Array => {
    const points = pointsIn(array, values.subarray(token * each, (token + 1) * each));
    // Faces beside each other share corners.
    return placesInSpace(array)?.points === 1 ? points : differentPoints(points);
  };
  const errorOf = (guess: (token: number) => Float32Array): number => {
    const hidden = tokens.filter(isHidden);
    return hidden.reduce((sum, token) => sum + setDistance(guess(token), pointsOf(input, token)), 0) / hidden.length;
  };
  const copied = (token: number): Float32Array => {
    const near = nearestCentres(centres, token).find((other) => !isHidden(other)) ?? token;
    const moved = [0, 1, 2].map((c) => (centres[token * 3 + c] as number) - (centres[near * 3 + c] as number));
    return pointsOf(input, near).map((value, at) => value + (moved[at % 3] as number));
  };
  const mse = errorOf((token) => pointsOf(output, token));
  return {
    ...{ mse, pixelMse: mse, aidedMse: mse, psnr: decibels(mse), detail: Number.NaN, trueDetail: Number.NaN },
    meanMse: errorOf((token) => meanPoint(pointsOf(input, token))),
    fillMse: errorOf(copied),
  };
}

/** [H, W, C]: how far pixels move when the prediction moves by one, where they are an affine function of it. */
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
