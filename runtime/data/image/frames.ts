/** Clips, of frames in image files or of one file: where in the video one begins, and its frames decoded, all by one plan. */

import { join } from "node:path";
import { type ArrayShape, type AugmentStep, beginningOf, type FrameGap, middleView } from "../../../blocks/index.js";
import { randomStream } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import { joined } from "../numbers.js";
import type { ClipOf, Item, NamedArray, Numbers, Preparation, Source } from "../preparation.js";
import { keptFrames, type Wanted } from "../video/clip.js";
import { readClip } from "../video/video-file.js";
import type { Remark } from "./channels.js";
import { decode, openImage } from "./decode.js";
import { pixelStepsOf, planFor } from "./plan.js";
import type { Size } from "./raster.js";
import { applySteps } from "./steps.js";

type Frames = Source & { readonly kind: "frames" };

/** The key of the stream that draws where a clip begins, beside that of its augmentations. */
const beginning = 1;

/** The first frame of a clip, of those up to `most`: training begins anywhere, evaluation so that the clip is the middle of the video, or one of several. */
const beginningFor =
  (item: Item, { seed, mode }: Preparation) =>
  (most: number): number => {
    const random = randomStream(seed, "augment", item.epoch, item.sample, beginning);
    return mode === "train" ? random.integer(most + 1) : beginningOf((item.view ?? middleView).clip, most);
  };

/** The key of the stream that draws how far apart two frames are. */
const apart = 2 ** 15;

/** How far apart two frames are in a video of so many: in training as drawn, of what the video allows; in evaluation the middle of that. */
function gapIn({ least, most }: FrameGap, frames: number, item: Item, { seed, mode }: Preparation): number {
  const widest = Math.max(least, Math.min(most, frames - 1));
  const random = randomStream(seed, "augment", item.epoch, item.sample, apart);
  return least + (mode === "train" ? random.integer(widest - least + 1) : Math.floor((widest - least) / 2));
}

/**
 * What of a video an array shows: a clip, or where training sees two frames, the one that a view is of. A whole sample is then a frame
 * alone.
 */
function wantedOf(
  { count, stride }: ClipOf,
  item: Item,
  { shape: { gap }, view }: NamedArray,
  preparation: Preparation,
): Wanted {
  const beginning = beginningFor(item, preparation);
  if (!gap) return { count, stride: () => stride, only: null, beginning };
  if (!view) return { count: 1, stride: () => 1, only: null, beginning };
  const gapOf = (frames: number) => stride * gapIn(gap, Math.ceil(frames / stride), item, preparation);
  return { count: 2, stride: gapOf, only: view.place, beginning };
}

function chosenFrames({ path, names }: Frames, { count, stride, only, beginning }: Wanted): string[] {
  const every = stride(names.length);
  const first = beginning(names.length - 1 - (count - 1) * every);
  return keptFrames({ count, only }, every).map((frame) => join(path, names[first + frame] as string));
}

/** Of a video in memory: the frames that an array shows. Throws `run/data` for one that is too short. */
export function framesInMemory(
  { numbers, shape }: { readonly numbers: Numbers; readonly shape: ArrayShape },
  item: Item,
  array: NamedArray,
  preparation: Preparation,
): { readonly numbers: Numbers; readonly shape: ArrayShape } {
  const [time, ...axes] = shape.axes;
  if (!array.shape.gap || time?.name !== "time") return { numbers, shape };
  const wanted = wantedOf({ count: 2, stride: 1 }, item, array, preparation);
  const every = wanted.stride(time.size);
  const span = (wanted.count - 1) * every + 1;
  if (time.size < span) {
    throw new RunError("run/data", {
      what: `sample ${item.sample} has ${time.size} frames, and two that are ${every} apart take ${span}`,
      help: "Take a smaller `gap` in the model's `views`, or longer videos.",
    });
  }
  const first = wanted.beginning(time.size - span);
  const length = numbers.length / time.size;
  const [frame] = keptFrames(wanted, every).map((one) => first + one) as [number];
  return { numbers: numbers.subarray(frame * length, (frame + 1) * length), shape: { ...shape, axes } };
}

interface PreparedFrames {
  readonly numbers: Numbers;
  readonly size: Size;
  readonly steps: readonly AugmentStep[];
  readonly remarks: readonly Remark[];
}

/** A clip of one file. Throws as `readClip`, and as one image does that does not fit. */
export async function prepareClip(
  path: string,
  clip: ClipOf,
  item: Item,
  array: NamedArray,
  preparation: Preparation,
): Promise<PreparedFrames> {
  const wanted = wantedOf(clip, item, array, preparation);
  const { frames, size } = await readClip(path, wanted, array.shape.channels);
  const steps = planFor(size, item, array, preparation, path);
  const ofPixels = pixelStepsOf(steps);
  return { numbers: joined(frames.map((frame) => applySteps(frame, ofPixels).pixels)), size, steps, remarks: [] };
}

/** Throws as one image does, and where a frame is not like the first. */
export async function prepareFrames(
  source: Frames,
  item: Item,
  array: NamedArray,
  preparation: Preparation,
): Promise<PreparedFrames> {
  const paths = chosenFrames(source, wantedOf(source, item, array, preparation));
  const { kept } = preparation;
  const files = await Promise.all(paths.map((path) => openImage(path, kept)));
  const [first] = files as [(typeof files)[number]];
  for (const file of files) {
    if (file.height === first.height && file.width === first.width && file.deep === first.deep) continue;
    throw new RunError("run/image-size", {
      what: `${file.path} is ${kindOf(file)}, and the clip begins with ${kindOf(first)}`,
      help: "Extract the frames of the clip again, all of one size.",
    });
  }
  const steps = planFor(first, item, array, preparation, source.path);
  const ofPixels = pixelStepsOf(steps);
  const planes: Numbers[] = [];
  const remarks: Remark[] = [];
  for (const file of files) {
    const decoded = await decode(file, ofPixels, array.shape.channels, kept);
    planes.push(applySteps(decoded.raster, decoded.rest).pixels);
    remarks.push(...decoded.remarks);
  }
  return { numbers: joined(planes), size: first, steps, remarks: [...new Set(remarks)] };
}

const kindOf = ({ height, width, deep }: { height: number; width: number; deep: boolean }): string =>
  `${height}x${width} of ${deep ? 16 : 8} bits`;
