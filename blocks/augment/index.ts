/** The augmentations, sorted by name. */

import { centerCrop } from "./center-crop.js";
import { horizontalFlip, verticalFlip } from "./flip.js";
import { mix } from "./mix.js";
import { normalize } from "./normalize.js";
import { randomResizedCrop } from "./random-resized-crop.js";
import { resample } from "./resample.js";
import { resize } from "./resize.js";

export {
  type Augment,
  type AugmentContext,
  type AugmentStep,
  augmentContext,
  defineAugment,
  type Filter,
  type ImageStep,
  isChanged,
  isOfPictures,
  type PixelSize,
  type RecordingStep,
  type SincFilter,
} from "./contract.js";
export { centerCrop, horizontalFlip, mix, normalize, randomResizedCrop, resample, resize, verticalFlip };

export const augments = [
  centerCrop,
  horizontalFlip,
  mix,
  normalize,
  randomResizedCrop,
  resample,
  resize,
  verticalFlip,
] as const;
