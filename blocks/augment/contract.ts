/**
 * Augmentations: steps from a decoded image to a training sample, in the order written. Geometry is a plan of
 * crop, size and flip that the image reader carries out with its own resampling; the block only draws the numbers.
 */

import type { Random } from "../../graph/index.js";
import type { ImageShape } from "../arrays.js";
import { type Definition, ofKind } from "../block.js";
import type { Params, ValuesOf } from "../params.js";

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
  readonly image: ImageShape;
}

export interface Augment<P extends Params = Params> extends Definition<P, AugmentContext> {
  /** The steps for one sample of the current size. Only `random` may vary them. Throws `DataError` for an image that does not fit. */
  plan(p: ValuesOf<P>, current: PixelSize, context: AugmentContext, random: Random): readonly ImageStep[];
  /** Whether two samples of one image can differ. Evaluation leaves random augmentations out. */
  readonly random: boolean;
  /** What stands in place of a random augmentation in evaluation, the same for every sample; absent: nothing. */
  evaluationPlan?(p: ValuesOf<P>, current: PixelSize, context: AugmentContext): readonly ImageStep[];
}

export const defineAugment = <const P extends Params>(augment: Augment<P>): Augment<P> => ofKind("augment", augment);
