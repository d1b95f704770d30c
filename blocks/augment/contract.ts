/**
 * Augmentations: steps from what was read to a training sample, in the order written. Geometry is a plan of crop, size and
 * flip that the reader carries out with its own resampling, on all pictures of a sample alike; the block only draws the numbers.
 */

import type { Random } from "../../graph/index.js";
import { type ArrayShape, hasPictures, type ImageShape, planesOf } from "../arrays.js";
import { type Definition, ofKind, type Requirement } from "../block.js";
import type { Params, ValuesOf } from "../params.js";
import { axesText } from "../sets.js";

/** How pixels are made from pixels. */
export type Filter = "bicubic" | "bilinear" | "nearest";

/** What to do with one image of a known size. Later steps see the size that earlier ones leave. */
export type ImageStep =
  /** Cut out [top, top + height) x [left, left + width); whole pixels inside the image. */
  | {
      readonly kind: "crop";
      readonly top: number;
      readonly left: number;
      readonly height: number;
      readonly width: number;
    }
  | { readonly kind: "resize"; readonly height: number; readonly width: number; readonly filter: Filter }
  | { readonly kind: "flip"; readonly axis: "horizontal" | "vertical" }
  /** (x - mean[c]) / std[c] on values in [0, 1]. */
  | { readonly kind: "normalize"; readonly mean: readonly number[]; readonly std: readonly number[] };

export interface PixelSize {
  readonly height: number;
  readonly width: number;
}

export interface AugmentContext {
  /** The model's input: what the last step must leave. */
  readonly array: ArrayShape;
  /** One of its pictures: itself, a frame, a slice. */
  readonly image: ImageShape;
}

export const augmentContext = (array: ArrayShape): AugmentContext => ({ array, image: planesOf(array).shape });

export interface Augment<P extends Params = Params> extends Definition<P, AugmentContext> {
  /** What it changes: where pixels are, which only pictures have, or numbers channel by channel. If absent, pictures. */
  readonly changes?: "pictures" | "channels";
  /** The steps for one sample, whose pictures have the current size. Only `random` may vary them. Throws `DataError` for an image that does not fit. */
  plan(p: ValuesOf<P>, current: PixelSize, context: AugmentContext, random: Random): readonly ImageStep[];
  /** Whether two samples of one image can differ. Evaluation leaves random augmentations out. */
  readonly random: boolean;
  /** What stands in place of a random augmentation in evaluation, the same for every sample; if absent, nothing. */
  evaluationPlan?(p: ValuesOf<P>, current: PixelSize, context: AugmentContext): readonly ImageStep[];
}

/** Whether an augmentation has something to change in an array. */
export const isChanged = (array: ArrayShape, { changes }: Pick<Augment, "changes">): boolean =>
  changes === "channels" || hasPictures(array);

const ofPictures: Requirement<Params, AugmentContext> = {
  name: "pictures",
  at: null,
  doc: "The model reads pictures: images, the frames of videos or the slices of volumes.",
  holds: (_, { array }) => hasPictures(array),
  say: (_, { array }) => `this changes pictures, and the model reads ${axesText(array.axes)}`,
  help: () => "remove it: of the augmentations, `normalize` is for every input",
};

export const defineAugment = <const P extends Params>(augment: Augment<P>): Augment<P> =>
  ofKind("augment", {
    ...augment,
    requires: [...(augment.changes === "channels" ? [] : [ofPictures]), ...(augment.requires ?? [])],
  });
