/** Clips whose frames are image files: where in the video one begins, and its frames decoded, all by one plan. */

import { join } from "node:path";
import type { AugmentStep } from "../../../blocks/index.js";
import { randomStream } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import { joined } from "../numbers.js";
import type { Item, NamedArray, Numbers, Preparation, Source } from "../preparation.js";
import type { Remark } from "./channels.js";
import { decode, openImage } from "./decode.js";
import { pixelStepsOf, planFor } from "./plan.js";
import type { Size } from "./raster.js";
import { applySteps } from "./steps.js";

type Frames = Source & { readonly kind: "frames" };

/** The key of the stream that draws where a clip begins, beside that of its augmentations. */
const beginning = 1;

/** Training begins anywhere, evaluation so that the clip is the middle of the video. */
function chosenFrames({ path, names, count, stride }: Frames, item: Item, { seed, mode }: Preparation): string[] {
  const most = names.length - 1 - (count - 1) * stride;
  const random = randomStream(seed, "augment", item.epoch, item.sample, beginning);
  const first = mode === "train" ? random.integer(most + 1) : Math.floor(most / 2);
  return Array.from({ length: count }, (_, i) => join(path, names[first + i * stride] as string));
}

/** Throws as one image does, and where a frame is not like the first. */
export async function prepareFrames(
  source: Frames,
  item: Item,
  array: NamedArray,
  preparation: Preparation,
): Promise<{
  readonly numbers: Numbers;
  readonly size: Size;
  readonly steps: readonly AugmentStep[];
  readonly remarks: readonly Remark[];
}> {
  const paths = chosenFrames(source, item, preparation);
  const files = await Promise.all(paths.map(openImage));
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
    const decoded = await decode(file, ofPixels, array.shape.channels);
    planes.push(applySteps(decoded.raster, decoded.rest).pixels);
    remarks.push(...decoded.remarks);
  }
  return { numbers: joined(planes), size: first, steps, remarks: [...new Set(remarks)] };
}

const kindOf = ({ height, width, deep }: { height: number; width: number; deep: boolean }): string =>
  `${height}x${width} of ${deep ? 16 : 8} bits`;
