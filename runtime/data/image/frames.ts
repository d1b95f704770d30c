/** Clips, of frames in image files or of one file: where in the video one begins, and its frames decoded, all by one plan. */

import { join } from "node:path";
import { type AugmentStep, beginningOf, middleView } from "../../../blocks/index.js";
import { randomStream } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import { joined } from "../numbers.js";
import type { Item, NamedArray, Numbers, Preparation, Source } from "../preparation.js";
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

function chosenFrames({ path, names, count, stride }: Frames, item: Item, preparation: Preparation): string[] {
  const first = beginningFor(item, preparation)(names.length - 1 - (count - 1) * stride);
  return Array.from({ length: count }, (_, i) => join(path, names[first + i * stride] as string));
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
  clip: { readonly count: number; readonly stride: number },
  item: Item,
  array: NamedArray,
  preparation: Preparation,
): Promise<PreparedFrames> {
  const wanted = { ...clip, beginning: beginningFor(item, preparation) };
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
  const paths = chosenFrames(source, item, preparation);
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
