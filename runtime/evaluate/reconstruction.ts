/**
 * One sample beside what a model predicts of it: pixels brought back to what they were before training, and how far the hidden ones are
 * from the truth. Which predictions a model makes, and of what, is said by `reconstruct.ts`.
 */

import {
  type ArrayShape,
  centresIn,
  differentPoints,
  filledFromVisible,
  hasPictures,
  inPatches,
  type Lattice,
  meanPoint,
  nearestCentres,
  type Picture,
  type Prediction,
  patchMeans,
  patchPlaces,
  placesInSpace,
  pointsIn,
  setDistance,
  tokenCount,
} from "../../blocks/index.js";
import { type ColourScale, withoutNormalization } from "./colours.js";

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
  /** The same for filling each hidden patch with the means of the visible patches around it, without any model; NaN where none is visible. */
  readonly fillMse: number;
  /** Peak signal-to-noise ratio, -10 log10 pixelMse, in dB. */
  readonly psnr: number;
  /** Mean squared step between neighbouring hidden places of `output`, and of `input`: blurred, it has less. */
  readonly detail: number;
  readonly trueDetail: number;
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
  /** Nothing of the array is seen: all of it counts as hidden; if absent, what a mask hides. */
  readonly unseen?: boolean;
}

/** One image: pixels brought back to [0, 1], and the errors before they are cut to that. */
export function pictured(
  { picture, shape, grid, unseen }: Shown,
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
    fillMse: unseen
      ? Number.NaN
      : meanSquare(back(filledFromVisible(grid, channels, image, isHiddenToken)), input, isHidden),
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

export const decibels = (meanSquare: number): number => -10 * Math.log10(meanSquare);
