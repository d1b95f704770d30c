/** The augmentations, sorted by name. */

import { centerCrop } from "./center-crop.js";
import { horizontalFlip, verticalFlip } from "./flip.js";
import { normalize } from "./normalize.js";
import { randomResizedCrop } from "./random-resized-crop.js";
import { resize } from "./resize.js";

export {
  type Augment,
  type AugmentContext,
  augmentContext,
  defineAugment,
  type Filter,
  type ImageStep,
  isChanged,
  type PixelSize,
} from "./contract.js";
export { centerCrop, horizontalFlip, normalize, randomResizedCrop, resize, verticalFlip };

export const augments = [centerCrop, horizontalFlip, normalize, randomResizedCrop, resize, verticalFlip] as const;
