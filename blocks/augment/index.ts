/** The augmentations, sorted by name. */

import { centerCrop } from "./center-crop.js";
import { colorJitter, gaussianBlur, grayscale, solarize } from "./colours.js";
import { horizontalFlip, verticalFlip } from "./flip.js";
import { intensity, standardize } from "./levels.js";
import { mixup } from "./mixup.js";
import { multiScaleCrop } from "./multi-scale-crop.js";
import { normalize } from "./normalize.js";
import { pixelShift } from "./pixel-shift.js";
import { randomBend, randomRotation, randomScale, randomShift, unitSphere } from "./points.js";
import { randAugment } from "./rand-augment.js";
import { randomErasing } from "./random-erasing.js";
import { randomResizedCrop } from "./random-resized-crop.js";
import { bandPass, fillGaps, leads, mix, resample } from "./recordings.js";
import { resize } from "./resize.js";
import { loudness, mixSounds, noise, roll, specAugment, timeShift } from "./sounds.js";
import { centerBox, depthFlip, randomBox, respace } from "./volumes.js";
import { centerWindow, randomWindow } from "./window.js";

export {
  type Augment,
  type AugmentContext,
  type AugmentStep,
  augmentContext,
  beginningOf,
  defineAugment,
  type Filter,
  type ImageStep,
  isChanged,
  isOfPictures,
  type Mixing,
  middleView,
  type Nth,
  type PixelSize,
  type RecordingStep,
  type SincFilter,
  shareOf,
  type View,
} from "./contract.js";
export { partOf } from "./place.js";
export {
  bandPass,
  centerBox,
  centerCrop,
  centerWindow,
  colorJitter,
  depthFlip,
  fillGaps,
  gaussianBlur,
  grayscale,
  horizontalFlip,
  intensity,
  leads,
  loudness,
  mix,
  mixSounds,
  mixup,
  multiScaleCrop,
  noise,
  normalize,
  pixelShift,
  randAugment,
  randomBend,
  randomBox,
  randomErasing,
  randomResizedCrop,
  randomRotation,
  randomScale,
  randomShift,
  randomWindow,
  resample,
  resize,
  respace,
  roll,
  solarize,
  specAugment,
  standardize,
  timeShift,
  unitSphere,
  verticalFlip,
};

export const augments = [
  bandPass,
  centerBox,
  centerCrop,
  centerWindow,
  colorJitter,
  depthFlip,
  fillGaps,
  gaussianBlur,
  grayscale,
  horizontalFlip,
  intensity,
  leads,
  loudness,
  mix,
  mixSounds,
  mixup,
  multiScaleCrop,
  noise,
  normalize,
  pixelShift,
  randAugment,
  randomBend,
  randomBox,
  randomErasing,
  randomResizedCrop,
  randomRotation,
  randomScale,
  randomShift,
  randomWindow,
  resample,
  resize,
  respace,
  roll,
  solarize,
  specAugment,
  standardize,
  timeShift,
  unitSphere,
  verticalFlip,
] as const;
