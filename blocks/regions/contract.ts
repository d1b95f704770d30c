/** Sources of regions: label maps of an image, computed from its pixels or read from files beside it. */

import { type ImageShape, isPicture } from "../arrays.js";
import { type Definition, type ModelContext, ofKind, type Requirement } from "../block.js";
import type { Params, ValuesOf } from "../params.js";
import { axesText } from "../sets.js";

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
  /** Folder of files beside the images; if absent, the image is all that is needed. */
  folder?(p: ValuesOf<P>): string;
  /** A label that is no region; absent or null: there is none. */
  ignored?(p: ValuesOf<P>): number | null;
}

export const defineRegionSource = <const P extends Params>(source: RegionSource<P>): RegionSource<P> =>
  ofKind("regions", source);

/** Of a block that finds regions in what enters the model. */
export const ofPictures: Requirement<Params, ModelContext> = {
  name: "pictures",
  at: null,
  doc: "Regions are those of a picture, which has rows and columns.",
  holds: (_, { array }) => isPicture(array),
  say: (_, { array }) => `regions are found in rows and columns, and the input has ${axesText(array.axes)}`,
};
