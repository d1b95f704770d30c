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
import { boxLength, filledFromVisible, type Lattice, patchPlaces, spreadFromKnown, tokenCount } from "../sets.js";
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

/** Mean, and the deviation that `normalize` divides by, of each patch, or of each of its channels: [N, K, 2]. */
function patchStatistics(image: Float32Array, normalize: Exclude<Normalize, "none">, context: TargetContext) {
  const { array, grid } = context;
  const kinds = statisticsOfPatch(normalize, context);
  const all = new Float64Array(tokenCount(grid) * kinds * 2);
  for (let token = 0; token < tokenCount(grid); token++) {
    const places = patchPlaces(grid, token, array.channels);
    // The channel is the fastest: of each, every so manieth place.
    for (let c = 0; c < kinds; c++) {
      const own = kinds === 1 ? places : places.filter((_, i) => i % kinds === c);
      all.set(statistics(image, own, normalize), (token * kinds + c) * 2);
    }
  }
  return all;
}

/** How many means and deviations a patch has. */
const statisticsOfPatch = (normalize: Normalize, { array }: TargetContext): number =>
  normalize === "channel" ? array.channels : 1;

function statistics(image: Float32Array, places: Int32Array, normalize: Normalize): readonly [number, number] {
  let sum = 0;
  for (const i of places) sum += image[i] as number;
  const mean = sum / places.length;
  let squares = 0;
  for (const i of places) squares += ((image[i] as number) - mean) ** 2;
  const variance = squares / (places.length - 1);
  const deviation =
    normalize === "patch" ? Math.sqrt(variance + patchVarianceEpsilon) : Math.sqrt(variance) + channelDeviationEpsilon;
  return [mean, deviation];
}

/** prediction [N * P] -> values of the array [...axes, C]; `scales` [N, K, 2]: what each patch is multiplied by and moved to. */
function placed(prediction: Float32Array, scales: Float64Array | null, { array, grid }: TargetContext): Float32Array {
  const length = patchLength(null, { array, grid });
  const result = new Float32Array(tokenCount(grid) * length);
  const kinds = (scales?.length ?? 0) / tokenCount(grid) / 2;
  for (let token = 0; token < tokenCount(grid); token++) {
    for (const [i, place] of patchPlaces(grid, token, array.channels).entries()) {
      const at = (token * kinds + (i % kinds)) * 2;
      const [mean, deviation] = scales === null ? [0, 1] : [scales[at] as number, scales[at + 1] as number];
      result[place] = (prediction[token * length + i] as number) * deviation + mean;
    }
  }
  return result;
}

/** What is predicted of an image, where that is not the image itself: host side, and in a graph. */
interface Truth {
  readonly of: (image: Float32Array) => Float32Array;
  /** [B, H, W, C] -> [B, H, W, C] */
  readonly inGraph: (g: Builder, image: Tensor) => Tensor;
}

/** Predicted patches as numbers of the array. */
export const patchPicture = (normalize: Normalize, context: TargetContext, predicted?: Truth): Picture => ({
  inGraph(g, prediction, seen) {
    const { array, grid } = context;
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
    if (normalize === "none") return placed(prediction, null, context);
    return placed(prediction, patchStatistics(predicted?.of(seen) ?? seen, normalize, context), context);
  },
  ...(normalize === "none" ? {} : { unaided: unaided(normalize, context, predicted) }),
  ...(predicted ? { truth: predicted.of } : {}),
});

const unaided =
  (
    normalize: Exclude<Normalize, "none">,
    context: TargetContext,
    predicted: Truth | undefined,
  ): NonNullable<Picture["unaided"]> =>
  (prediction, seen, isHidden) => {
    const { array, grid } = context;
    // What is filtered must not carry anything of hidden patches into visible ones.
    const known = filledFromVisible(grid, array.channels, seen, isHidden);
    const scales = patchStatistics(predicted?.of(known) ?? known, normalize, context);
    const each = statisticsOfPatch(normalize, context) * 2;
    for (let token = 0; token < scales.length / each; token++) {
      if (isHidden(token)) for (let k = 0; k < each; k++) scales[token * each + k] = k % 2;
    }
    spreadFromKnown(grid, (token) => !isHidden(token), scales);
    return placed(prediction, scales, context);
  };
