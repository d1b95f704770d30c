/** Sources of regions: label maps of an image, computed from its pixels or read from files beside it. */

import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { ImageShape } from "../geometry.js";
import type { Params, ValuesOf } from "../params.js";

/** A number for each pixel, [H, W], row by row. Pixels of one number are a region. */
export type LabelMap = Int32Array;

export interface RegionSample {
  /** [H, W, C] in 0..1: cropped, resized and flipped as the model sees it, not normalised. */
  readonly image: Float32Array;
  readonly shape: ImageShape;
  /** The maps of the file beside the image, cropped, resized and flipped as it was; of a source with a folder. */
  readonly beside?: readonly LabelMap[];
}

export interface RegionSource<P extends Params = Params> extends Definition<P, ModelContext> {
  /** At least one. Every label of each map is a region, so a pixel may belong to as many regions as there are maps. */
  maps(p: ValuesOf<P>, sample: RegionSample): readonly LabelMap[];
  /** Folder of files beside the images; absent: the image is all that is needed. */
  folder?(p: ValuesOf<P>): string;
  /** A label that is no region; absent or null: there is none. */
  ignored?(p: ValuesOf<P>): number | null;
}

export const defineRegionSource = <const P extends Params>(source: RegionSource<P>): RegionSource<P> =>
  ofKind("regions", source);
