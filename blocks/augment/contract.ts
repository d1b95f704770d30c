/**
 * Augmentations: steps from what was read to a training sample, in the order written. Geometry is a plan of crop, size and
 * flip that the reader carries out with its own resampling, on all pictures of a sample alike; of recordings, it carries out what
 * changes their samples before an array is made of them. The block only draws the numbers.
 */

import type { Random } from "../../graph/index.js";
import {
  type ArrayShape,
  hasPictures,
  type ImageShape,
  isRecorded,
  isVolume,
  liesInSpace,
  planesOf,
} from "../arrays.js";
import { type Definition, ofKind, type Requirement } from "../block.js";
import type { Params, ValuesOf } from "../params.js";
import type { Saying } from "../saying.js";
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
  /**
   * At each place what stood at another one: at column x and row y, halves at the middle of pixels, what stood at
   * (a x + b y + c, d x + e y + f) of the matrix a to f. `fill`: a number in [0, 1] for each channel, where that is outside.
   */
  | {
      readonly kind: "affine";
      readonly matrix: readonly [number, number, number, number, number, number];
      readonly fill: readonly number[];
      readonly filter: Filter;
    }
  /** Each byte looked up. */
  | { readonly kind: "levels"; readonly table: Uint8Array }
  /** Each channel over all bytes: from its darkest to its brightest value, or so that all are equally frequent. */
  | { readonly kind: "stretch"; readonly by: "range" | "rank" }
  /** From another picture, at 0, to this one, at 1, and beyond: a black one, its greys, their mean, or a smoothed one. */
  | { readonly kind: "blend"; readonly towards: "black" | "grey" | "mean" | "smooth"; readonly factor: number }
  /** Each pixel the mean of those around it, weighed by a Gaussian of so many pixels along a side. */
  | { readonly kind: "blur"; readonly sigma: number; readonly kernel: number }
  /** Hues turned by a share of the circle. */
  | { readonly kind: "hue"; readonly turn: number }
  /** A box overwritten: by a number for each pixel and channel, for each channel, or by one. Numbers as they are when its turn comes. */
  | ({ readonly kind: "erase"; readonly values: Float32Array } & Box)
  /** (x - mean[c]) / std[c] on values in [0, 1]. */
  | { readonly kind: "normalize"; readonly mean: readonly number[]; readonly std: readonly number[] };

/** What to do with a recording: samples in time, of one or several channels. Later steps see what earlier ones leave. */
export type RecordingStep =
  /** As many channels as the model reads: several become their mean, one is repeated. */
  | { readonly kind: "channels" }
  /** The sampling rate that the model reads. */
  | ({ readonly kind: "rate" } & SincFilter)
  /** The channels of these names, in this order. */
  | { readonly kind: "pick"; readonly names: readonly string[] }
  /** As many samples as the model reads, of which the first is a share of those that may be. `pad`: zeros follow a shorter one. */
  | { readonly kind: "cut"; readonly at: number; readonly pad: boolean }
  /** What stands where samples are missing: zeros, or lines between their neighbours. */
  | { readonly kind: "fill"; readonly by: "zeros" | "lines" }
  /** It begins at a share of its length; what was before follows the end. */
  | { readonly kind: "round"; readonly at: number }
  | { readonly kind: "gain"; readonly by: number }
  /** Frequencies between two, in hertz, by filters of an order that run both ways; null: all on that side. */
  | { readonly kind: "band"; readonly low: number | null; readonly high: number | null; readonly order: number };

/** What to do with a volume, before its slices are looked at as pictures. */
export type VolumeStep =
  /** The spacing that the model reads. */
  | { readonly kind: "spacing"; readonly by: "lines" | "nearest" }
  /** A box of the model's size, whose beginning is a share of all that may be, on each axis. `pad`: zeros lie around a smaller volume. */
  | { readonly kind: "box"; readonly at: readonly [number, number, number]; readonly pad: boolean }
  /** The last slice first. */
  | { readonly kind: "turn" };

/** What to do with a cloud of points, before they are grouped. */
export type PointStep =
  /** The mean of all points becomes 0, and the farthest one lies at 1. */
  | { readonly kind: "sphere" }
  /** Coordinates times a factor for each axis. */
  | { readonly kind: "scale"; readonly by: readonly [number, number, number] }
  /**
   * The lowest and the highest corner of the box around all points are moved by shares of its sides, and each point by the part of both that belongs to
   * its place between the eight corners.
   */
  | {
      readonly kind: "bend";
      readonly low: readonly [number, number, number];
      readonly high: readonly [number, number, number];
    }
  /** A distance for each axis added. */
  | { readonly kind: "shift"; readonly by: readonly [number, number, number] }
  /** Turned by a matrix of 3 x 3, row by row. */
  | { readonly kind: "rotate"; readonly matrix: readonly number[] };

/** What to do with the numbers of an array; of a signal, it is done to the recording. */
export type ArrayStep =
  /** Less their mean, divided by their deviation: all numbers of a sample, or of each channel or lead. `nonzero`: 0 stays, and does not count. */
  | { readonly kind: "level"; readonly over: "sample" | "channel"; readonly nonzero: boolean }
  /** 0 to 1 of a range; what lies beyond is clipped. */
  | { readonly kind: "range"; readonly range: readonly [number, number] }
  /** Zeros from one place of the first or second axis up to another. */
  | { readonly kind: "hide"; readonly axis: 0 | 1; readonly from: number; readonly to: number }
  /** So many places later along the first axis; what is moved out at its end comes in at its beginning. */
  | { readonly kind: "later"; readonly by: number }
  /** Random numbers added: uniform up to the loudness, or normal with it as their deviation. */
  | { readonly kind: "add"; readonly loudness: number; readonly normal: boolean; readonly seed: number };

/** A sinc that is 0 after `width` crossings of zero and cuts at `rolloff` of the highest frequency that two rates have. */
export interface SincFilter {
  readonly width: number;
  readonly rolloff: number;
  /** Of a window of Kaiser; null: a raised cosine. */
  readonly beta: number | null;
}

export type AugmentStep = ImageStep | RecordingStep | VolumeStep | PointStep | ArrayStep;

export interface PixelSize {
  readonly height: number;
  readonly width: number;
}

export interface AugmentContext {
  /** The model's input: what the last step must leave. */
  readonly array: ArrayShape;
  /** One of its pictures: itself, a frame, a slice. */
  readonly image: ImageShape;
  /** Classes that the model tells apart; absent or null: it has no head, or nobody asks. */
  readonly classes?: number | null;
  /** What the model's head says; absent or null likewise. */
  readonly says?: Saying | null;
  /** Which part of a sample evaluation looks at; if absent, the middle. */
  readonly view?: View;
}

export const augmentContext = (array: ArrayShape): AugmentContext => ({ array, image: planesOf(array).shape });

/** One of several parts of equal size, the first at the beginning, the last at the end; of one, the middle. */
export interface Nth {
  readonly at: number;
  readonly of: number;
}

/** A part of a sample: of a video or a recording one in time, of a picture one along its longer side. */
export interface View {
  readonly clip: Nth;
  readonly crop: Nth;
}

const only: Nth = { at: 0, of: 1 };

/** The middle in time and of the picture. */
export const middleView: View = { clip: only, crop: only };

/** Where a part begins: at 0 to `most`, in whole numbers. */
export const beginningOf = ({ at, of }: Nth, most: number): number =>
  Math.floor(of === 1 ? most / 2 : (at * most) / (of - 1));

/** The same as a share of all beginnings. */
export const shareOf = ({ at, of }: Nth): number => (of === 1 ? 0.5 : at / (of - 1));

export interface Box extends PixelSize {
  readonly top: number;
  readonly left: number;
}

/** How each sample of a batch is mixed with another one. */
export interface Mixing {
  /** What is left of a sample's own label, and of its numbers. */
  readonly share: number;
  /** The part of its pictures that is the other's, while the rest stays; null: all numbers are mixed. */
  readonly box: Box | null;
}

export interface Augment<P extends Params = Params> extends Definition<P, AugmentContext> {
  /** What it changes; if absent, pictures. */
  readonly changes?: Changes;
  /** The steps for one sample, whose pictures have the current size. Only `random` may vary them. Throws `DataError` for an image that does not fit. */
  plan(p: ValuesOf<P>, current: PixelSize, context: AugmentContext, random: Random): readonly AugmentStep[];
  /** Whether two samples of one image can differ. Evaluation leaves random augmentations out. */
  readonly random: boolean;
  /** What stands in place of a random augmentation in evaluation, the same for every sample; if absent, nothing. */
  evaluationPlan?(p: ValuesOf<P>, current: PixelSize, context: AugmentContext): readonly AugmentStep[];
  /**
   * What is left of a sample's own recording, and of its label, where another sample of the data is mixed with it before an array is made of them;
   * null: it stays as it is. If absent, it always does.
   */
  ownShare?(p: ValuesOf<P>, random: Random): number | null;
  /** How the samples of a batch are mixed in pairs, after all steps; null: they are not. If absent, they never are. */
  mix?(p: ValuesOf<P>, picture: PixelSize, random: Random): Mixing | null;
}

/** Where pixels are, which only pictures have; the numbers of any array; samples of sounds and signals in time; frequencies in time; volumes as a whole; clouds of points. */
export type Changes = "pictures" | "channels" | "recordings" | "spectrograms" | "volumes" | "points";

/** Which arrays have what is changed, in words where not all have it. */
const changeable: Readonly<
  Record<Changes, { readonly holds: (array: ArrayShape) => boolean; readonly doc: string; readonly what: string }>
> = {
  pictures: {
    holds: hasPictures,
    doc: "The model reads pictures: images, the frames of videos or the slices of volumes.",
    what: "pictures",
  },
  channels: { holds: () => true, doc: "", what: "" },
  recordings: { holds: isRecorded, doc: "The model reads recordings: sounds or signals.", what: "recordings" },
  spectrograms: {
    holds: ({ sound }) => sound !== undefined,
    doc: "The model reads spectrograms.",
    what: "spectrograms",
  },
  points: { holds: liesInSpace, doc: "The model reads points.", what: "points" },
  volumes: { holds: isVolume, doc: "The model reads volumes.", what: "volumes" },
};

/** Whether an augmentation has something to change in an array. */
export const isChanged = (array: ArrayShape, { changes = "pictures" }: Pick<Augment, "changes">): boolean =>
  changeable[changes].holds(array);

/** Whether what it draws is of several inputs alike: what belongs together is cut alike. */
export const isOfPictures = ({ changes = "pictures" }: Pick<Augment, "changes">): boolean => changes === "pictures";

function conditionsOf(changes: Changes): readonly Requirement<Params, AugmentContext>[] {
  const { holds, doc, what } = changeable[changes];
  if (changes === "channels") return [];
  return [
    {
      name: changes,
      at: null,
      doc,
      holds: (_, { array }) => holds(array),
      say: (_, { array }) => `this changes ${what}, and the model reads ${axesText(array.axes)}`,
      help: () => "remove it: of the augmentations, `normalize` is for every input",
    },
  ];
}

export const defineAugment = <const P extends Params>(augment: Augment<P>): Augment<P> =>
  ofKind("augment", {
    ...augment,
    requires: [...conditionsOf(augment.changes ?? "pictures"), ...(augment.requires ?? [])],
  });
