/** Patches of pixels as targets predict them: raw or normalised patch by patch, and back to a picture. */

import type { Builder, Tensor } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import type { Code } from "../code.js";
import {
  channelDeviationEpsilon,
  denormalizeChannels,
  denormalizePatches,
  normalizeChannels,
  normalizePatches,
  patchify,
  patchVarianceEpsilon,
  unpatchify,
} from "../nn/index.js";
import { claim, claimAs } from "../nn/layer.js";
import { choice, type Param } from "../params.js";
import type { Picture } from "../program.js";
import { boxLength, type Lattice, patchPlaces, tokenCount } from "../sets.js";
import type { TargetContext } from "./contract.js";

type Normalize = "patch" | "channel" | "none";

export const normalizeParam: Param<Normalize> = choice({
  default: "patch",
  options: {
    patch: "Subtract the patch's mean and divide by its deviation (n - 1), over pixels and channels together.",
    channel: "The same of each channel by itself, as VideoMAE: its mean, and its deviation plus 1e-6.",
    none: "Pixels as the model sees them.",
  },
  doc: "Whether each patch is normalised by its own statistics.",
});

/** Numbers of one patch, whatever the values of the block. */
export const patchLength = (_: unknown, { array, grid }: TargetContext): number => boxLength(grid) * array.channels;

export const moreThanOneValue: Requirement<{ readonly normalize: Param<Normalize> }, ModelContext> = {
  name: "more-than-one-value",
  at: "normalize",
  doc: "A patch that is normalised has at least two values, or two of each channel.",
  holds: (p, context) =>
    p.normalize === "none" || patchLength(p, context) > (p.normalize === "channel" ? context.array.channels : 1),
  say: () => "a patch of one value has no deviation to be normalised by",
  help: () => "use larger patches, or `normalize: none`",
};

/** array [B, ...axes, C] -> [B, N, P] */
export function patchValues(code: Code, normalize: Normalize, array: Tensor, grid: Lattice): Tensor {
  const patches = code.let("target", patchify, array, grid);
  switch (normalize) {
    case "patch":
      return code.let("normalized", normalizePatches, patches);
    case "channel":
      return code.let("normalized", normalizeChannels, patches, { channels: array.shape.at(-1) as number });
    case "none":
      return patches;
  }
}

/** The reverse of `patchValues`: prediction [B, N, P] -> pixels [B, N, P]. */
export function patchPixels(
  code: Code,
  normalize: Normalize,
  prediction: Tensor,
  array: Tensor,
  grid: Lattice,
): Tensor {
  if (normalize === "none") return prediction;
  const patches = code.let("patches", patchify, array, grid);
  if (normalize === "patch") return code.let("pixels", denormalizePatches, prediction, patches);
  return code.let("pixels", denormalizeChannels, prediction, patches, { channels: array.shape.at(-1) as number });
}

/** Mean, and the deviation that `normalize` divides by, of some numbers. */
function statistics(
  image: Float32Array,
  places: Int32Array,
  normalize: Normalize,
): { mean: number; deviation: number } {
  if (normalize === "none") return { mean: 0, deviation: 1 };
  let sum = 0;
  for (const i of places) sum += image[i] as number;
  const mean = sum / places.length;
  let squares = 0;
  for (const i of places) squares += ((image[i] as number) - mean) ** 2;
  const variance = squares / (places.length - 1);
  const deviation =
    normalize === "patch" ? Math.sqrt(variance + patchVarianceEpsilon) : Math.sqrt(variance) + channelDeviationEpsilon;
  return { mean, deviation };
}

/** What is predicted of an image, where that is not the image itself: host side, and in a graph. */
interface Truth {
  readonly of: (image: Float32Array) => Float32Array;
  /** [B, H, W, C] -> [B, H, W, C] */
  readonly inGraph: (g: Builder, image: Tensor) => Tensor;
}

/** Predicted patches as numbers of the array. */
export const patchPicture = (normalize: Normalize, { array, grid }: TargetContext, predicted?: Truth): Picture => ({
  inGraph(g, prediction, seen) {
    const patches = claim<["B", number, number]>(prediction);
    const truth = predicted ? predicted.inGraph(g, seen) : seen;
    const { channels } = array;
    const whole = () => patchify<"B", Lattice, number>(g, claimAs(truth), grid);
    const values =
      normalize === "patch"
        ? denormalizePatches(g, patches, whole())
        : normalize === "channel"
          ? denormalizeChannels(g, patches, whole(), { channels })
          : patches;
    return unpatchify<"B", Lattice, number>(g, values, grid, { channels });
  },
  pixels(prediction, seen) {
    const truth = predicted && normalize !== "none" ? predicted.of(seen) : seen;
    const result = new Float32Array(seen.length);
    const length = patchLength(null, { array, grid });
    for (let token = 0; token < tokenCount(grid); token++) {
      const places = patchPlaces(grid, token, array.channels);
      // The channel is the fastest: of each, every so manieth place.
      const apart = normalize === "channel" ? array.channels : 1;
      for (let c = 0; c < apart; c++) {
        const { mean, deviation } = statistics(
          truth,
          apart === 1 ? places : places.filter((_, i) => i % apart === c),
          normalize,
        );
        for (let i = c; i < places.length; i += apart) {
          result[places[i] as number] = (prediction[token * length + i] as number) * deviation + mean;
        }
      }
    }
    return result;
  },
  ...(predicted ? { truth: predicted.of } : {}),
});
