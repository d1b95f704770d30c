/** Pixels as target: raw, or normalised patch by patch. */

import type { Grid, ImageShape } from "../geometry.js";
import { normalizePatches, patchify, patchVarianceEpsilon } from "../nn/index.js";
import { choice } from "../params.js";
import { defineTarget } from "./contract.js";

/** Indices into [H, W, C] of the values of one patch, in the order of `patchify`. */
function patchIndices(grid: Grid, image: ImageShape, token: number): Int32Array {
  const [height, width] = grid.patch;
  const top = Math.floor(token / grid.columns) * height;
  const left = (token % grid.columns) * width;
  const run = width * image.channels;
  return Int32Array.from({ length: height * run }, (_, i) => {
    const y = top + Math.floor(i / run);
    return (y * image.width + left) * image.channels + (i % run);
  });
}

/** Mean, and root of the variance divided by n - 1, of one patch; as `normalizePatches` has them. */
function statistics(image: Float32Array, indices: Int32Array): { mean: number; deviation: number } {
  let sum = 0;
  for (const i of indices) sum += image[i] as number;
  const mean = sum / indices.length;
  let squares = 0;
  for (const i of indices) squares += ((image[i] as number) - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / (indices.length - 1) + patchVarianceEpsilon) };
}

export const pixels = defineTarget({
  name: "pixels",
  summary: "The pixels of each patch, raw or normalised by the patch's own mean and deviation.",
  source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3",
  since: "0.1",
  params: {
    normalize: choice({
      default: "patch",
      options: {
        patch: "Subtract the patch's mean and divide by its deviation (n - 1), over pixels and channels together.",
        none: "Pixels as the model sees them.",
      },
      doc: "Whether each patch is normalised by its own statistics.",
    }),
  },
  requires: [
    {
      name: "more-than-one-value",
      at: "normalize",
      doc: "A patch that is normalised has at least two values.",
      holds: (p, { grid, image }) => p.normalize === "none" || grid.patch[0] * grid.patch[1] * image.channels > 1,
      say: () => "a patch of one value has no deviation to be normalised by",
      help: () => "use larger patches, or pixels(normalize: none)",
    },
  ],
  outputs: (_, { image, grid }) => grid.patch[0] * grid.patch[1] * image.channels,
  build(code, p, image, { grid }) {
    const patches = code.let("target", patchify, image, grid); // [B, N, P]
    return p.normalize === "patch" ? code.let("normalized", normalizePatches, patches) : patches;
  },
  picture: (p, { image, grid }) => ({
    pixels(prediction, truth) {
      const result = new Float32Array(truth.length);
      const size = grid.patch[0] * grid.patch[1] * image.channels;
      for (let token = 0; token < grid.rows * grid.columns; token++) {
        const indices = patchIndices(grid, image, token);
        const { mean, deviation } = p.normalize === "patch" ? statistics(truth, indices) : { mean: 0, deviation: 1 };
        indices.forEach((at, i) => {
          result[at] = (prediction[token * size + i] as number) * deviation + mean;
        });
      }
      return result;
    },
  }),
});
