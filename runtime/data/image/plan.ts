/** The plan of augmentations for one picture: its steps drawn, and checked to end at the size that the model reads. */

import {
  type AugmentStep,
  augmentContext,
  augmentsOf,
  DataError,
  type ImageShape,
  isRecorded,
  middleView,
  partOf,
  shareOf,
  type View,
} from "../../../blocks/index.js";
import { type Random, randomStream } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import type { Item, NamedArray, Preparation, SampleView } from "../preparation.js";
import type { Geometry, Size, Tone } from "./raster.js";
import type { PixelStep } from "./steps.js";

const geometry: readonly AugmentStep["kind"][] = ["crop", "resize", "flip", "affine"];
const tones: readonly AugmentStep["kind"][] = ["levels", "stretch", "blend", "blur", "hue"];

const isGeometry = (step: AugmentStep): step is Geometry => geometry.includes(step.kind);
const isTone = (step: AugmentStep): step is Tone => tones.includes(step.kind);

/** Whether a step leaves all of a picture or a volume. */
const leavesAll = ({ kind }: AugmentStep): boolean => kind !== "crop" && kind !== "box";

/** Whether a step makes pixels of pixels, before they become the numbers of an array. */
export const isOfPixels = (step: AugmentStep): step is PixelStep => isGeometry(step) || isTone(step);
export const pixelStepsOf = (steps: readonly AugmentStep[]): readonly PixelStep[] => steps.filter(isOfPixels);
export const geometryOf = (steps: readonly AugmentStep[]): readonly Geometry[] => steps.filter(isGeometry);

/** What a sample's random numbers are keyed by, and which part of it is looked at. */
type Drawn = Pick<Item, "epoch" | "sample" | "view">;

/** All steps for a picture of a size that is to become one of `array`'s. A block's complaint names the sample. */
export function planFor(
  size: Size,
  item: Drawn,
  array: NamedArray,
  preparation: Preparation,
  what: string,
): readonly AugmentStep[] {
  try {
    return draw(size, item, array, preparation, what);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RunError(
      "run/image-size",
      { what: `${what} does not fit`, why: error.what, help: error.help },
      { cause: error },
    );
  }
}

function draw(
  size: Size,
  item: Drawn,
  array: NamedArray,
  preparation: Preparation,
  what: string,
): readonly AugmentStep[] {
  const { augment, mode, arrays, whole } = preparation;
  const { view = middleView } = item;
  const context = { ...augmentContext(array.shape), view };
  const { image } = context;
  const streams = streamsFor(item, array, preparation);
  const steps: AugmentStep[] = [];
  let current = size;
  const add = (planned: readonly AugmentStep[]): void => {
    const more = whole ? planned.filter(leavesAll) : planned;
    if (more.some(isTone) && steps.some(({ kind }) => kind === "normalize")) throw coloursTooLate();
    steps.push(...more);
    current = more.reduce(sizeAfter, current);
  };
  const chosen = array.view ? augmentsOfView(augment, array.view) : augmentsOf(augment, array.name, arrays);
  for (const { definition, values, input } of chosen) {
    if (mode === "train" || !definition.random) {
      const before = current;
      const random = input === undefined ? streams.shared : streams.own;
      add(definition.plan(values, current, context, random));
      if (current.height * current.width > mostPixels) throw tooLarge(what, before, current);
    } else if (!whole) add(definition.evaluationPlan?.(values, current, context) ?? []);
  }
  // Where nothing cuts recordings, only their beginnings are read.
  if (view.clip.of > 1 && isRecorded(array.shape) && !steps.some(({ kind }) => kind === "cut"))
    steps.push({ kind: "cut", at: shareOf(view.clip), pad: array.shape.sound !== undefined });
  if (mode === "evaluate" && whole !== "own") add(cover(current, image, view));
  if (whole) return steps;
  if (current.height !== image.height || current.width !== image.width) throw wrongSize(what, current, image);
  return steps;
}

/** What is done to one of the views of a sample: what has no label, and what has one of its names. */
const augmentsOfView = (augment: Preparation["augment"], { names }: SampleView): Preparation["augment"] =>
  augment.filter(({ input }) => input === undefined || names.includes(input));

/** Keys of streams of one input begin here: those before are of what a sample's arrays have in common. */
const firstOwn = 2;

/**
 * What augmentations draw from. Those that several inputs have in common draw the same for each, so that what belongs together stays
 * together; those of one input draw for it alone. A model with one input has one stream. Each view of a sample has its own, and where
 * views share draws, what has no label draws the same for all.
 */
function streamsFor(
  { epoch, sample }: Drawn,
  { name, view }: NamedArray,
  { arrays, seed }: Preparation,
): { readonly shared: Random; readonly own: Random } {
  const names = Object.keys(arrays);
  const shared = randomStream(seed, "augment", epoch, sample);
  if (view) {
    const own = randomStream(seed, "augment", epoch, sample, firstOwn + view.place);
    return { shared: view.shared ? shared : own, own };
  }
  const own =
    names.length === 1 ? shared : randomStream(seed, "augment", epoch, sample, firstOwn + names.indexOf(name));
  return { shared, own };
}

export function sizeAfter(size: Size, step: AugmentStep): Size {
  return step.kind === "crop" || step.kind === "resize" ? { height: step.height, width: step.width } : size;
}

/** Resizes until the input is covered, then cuts the centre, or one of several parts. Nothing for an image that fits. */
function cover(from: Size, to: Size, view: View): readonly AugmentStep[] {
  if (from.height === to.height && from.width === to.width) return [];
  const scale = Math.max(to.height / from.height, to.width / from.width);
  const height = Math.max(to.height, Math.round(from.height * scale));
  const width = Math.max(to.width, Math.round(from.width * scale));
  const large: AugmentStep = { kind: "resize", height, width, filter: "bicubic" };
  if (view.crop.of > 1) return [large, partOf({ height, width }, to, view)];
  return [
    large,
    {
      kind: "crop",
      top: Math.round((height - to.height) / 2),
      left: Math.round((width - to.width) / 2),
      height: to.height,
      width: to.width,
    },
  ];
}

/** A recipe that asks for more of one image means another image: one row of 5000 pixels does not get a shorter side of 512. */
const mostPixels = 2 ** 26;

const tooLarge = (what: string, size: Size, result: Size): RunError =>
  new RunError("run/image-size", {
    what: `${what} is ${size.height}x${size.width} and would be resized to ${result.height}x${result.width}`,
    why: `at most ${Math.floor(mostPixels / 1e6)} million pixels are made of one image`,
    help: "Take the image out, or resize to an exact size.",
  });

const coloursTooLate = (): RunError =>
  new RunError("run/channels", {
    what: "The recipe changes colours after it has normalised them",
    help: "Write `normalize` after what changes colours, such as `color_jitter`, in the recipe's augment line.",
  });

const wrongSize = (what: string, size: Size, image: ImageShape): RunError =>
  new RunError("run/image-size", {
    what: `${what} is ${size.height}x${size.width} after augmentation and the model's input is ${image.height}x${image.width}`,
    help: `Add \`resize(size: ${image.height}x${image.width})\` or \`random_resized_crop\` to the recipe's augment line, or change the model's input.`,
  });
