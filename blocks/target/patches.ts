/** Patches of pixels as targets predict them: raw or normalised patch by patch, and back to a picture. */

import type { Builder, Tensor } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import type { Code } from "../code.js";
import { denormalizePatches, normalizePatches, patchify, patchVarianceEpsilon, unpatchify } from "../nn/index.js";
import { claim, claimAs } from "../nn/layer.js";
import { choice, type Param } from "../params.js";
import type { Picture } from "../program.js";
import { boxLength, type Lattice, patchPlaces, tokenCount } from "../sets.js";
import type { TargetContext } from "./contract.js";

type Normalize = "patch" | "none";

export const normalizeParam: Param<Normalize> = choice({
  default: "patch",
  options: {
    patch: "Subtract the patch's mean and divide by its deviation (n - 1), over pixels and channels together.",
    none: "Pixels as the model sees them.",
  },
  doc: "Whether each patch is normalised by its own statistics.",
});

/** Numbers of one patch, whatever the values of the block. */
export const patchLength = (_: unknown, { array, grid }: TargetContext): number => boxLength(grid) * array.channels;

export const moreThanOneValue: Requirement<{ readonly normalize: Param<Normalize> }, ModelContext> = {
  name: "more-than-one-value",
  at: "normalize",
  doc: "A patch that is normalised has at least two values.",
  holds: (p, context) => p.normalize === "none" || patchLength(p, context) > 1,
  say: () => "a patch of one value has no deviation to be normalised by",
  help: () => "use larger patches, or `normalize: none`",
};

/** array [B, ...axes, C] -> [B, N, P] */
export function patchValues(code: Code, normalize: Normalize, array: Tensor, grid: Lattice): Tensor {
  const patches = code.let("target", patchify, array, grid);
  return normalize === "patch" ? code.let("normalized", normalizePatches, patches) : patches;
}

/** Mean, and root of the variance divided by n - 1, of one patch; as `normalizePatches` has them. */
function statistics(image: Float32Array, places: Int32Array): { mean: number; deviation: number } {
  let sum = 0;
  for (const i of places) sum += image[i] as number;
  const mean = sum / places.length;
  let squares = 0;
  for (const i of places) squares += ((image[i] as number) - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / (places.length - 1) + patchVarianceEpsilon) };
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
    const values =
      normalize === "patch"
        ? denormalizePatches(g, patches, patchify<"B", Lattice, number>(g, claimAs(truth), grid))
        : patches;
    return unpatchify<"B", Lattice, number>(g, values, grid, { channels: array.channels });
  },
  pixels(prediction, seen) {
    const truth = predicted && normalize === "patch" ? predicted.of(seen) : seen;
    const result = new Float32Array(seen.length);
    const length = patchLength(null, { array, grid });
    for (let token = 0; token < tokenCount(grid); token++) {
      const places = patchPlaces(grid, token, array.channels);
      const { mean, deviation } = normalize === "patch" ? statistics(truth, places) : { mean: 0, deviation: 1 };
      places.forEach((at, i) => {
        result[at] = (prediction[token * length + i] as number) * deviation + mean;
      });
    }
    return result;
  },
  ...(predicted ? { truth: predicted.of } : {}),
});
