/** The corners of a patch of a mesh as target, as seen from its centre. */

import { type ArrayShape, faceChannels } from "../arrays.js";
import { verticesOf } from "../meshes.js";
import { patchVertices } from "../nn/index.js";
import { boxLength, tokenCount } from "../sets.js";
import { defineTarget, type TargetContext } from "./contract.js";

const levelsOf = ({ mesh }: ArrayShape): number => mesh?.levels ?? 0;

/**
 * Predicted points where faces are, so that they can be looked at: each in the place of a face whose corners are all there. Points have no order,
 * and no faces between them.
 */
function asFaces({ array, grid }: TargetContext, prediction: Float32Array, seen: Float32Array): Float32Array {
  const [tokens, faces, points] = [tokenCount(grid), boxLength(grid), verticesOf(levelsOf(array))];
  const { corner, all } = faceChannels;
  const values = new Float32Array(tokens * faces * all);
  for (let token = 0; token < tokens; token++) {
    const own = (face: number): Float32Array =>
      seen.subarray((token * faces + face) * all, (token * faces + face + 1) * all);
    const centre = [0, 0, 0];
    for (let face = 0; face < faces; face++) {
      for (let k = corner; k < all; k++) {
        centre[(k - corner) % 3] = (centre[(k - corner) % 3] as number) + (own(face)[k] as number) / (faces * 3);
      }
    }
    for (let face = 0; face < faces; face++) {
      for (let k = corner; k < all; k++) {
        const axis = (k - corner) % 3;
        const point = prediction[(token * points + (face % points)) * 3 + axis] as number;
        values[(token * faces + face) * all + k] = point + (centre[axis] as number);
      }
    }
  }
  return values;
}

export const vertices = defineTarget({
  name: "vertices",
  summary: "The different corners of the faces of each patch of a mesh, as seen from its centre.",
  source: "Liang et al., MeshMAE: Masked Autoencoders for 3D Mesh Data Analysis, ECCV 2022, section 3.3",
  since: "0.2",
  params: {},
  predicts: "points",
  madeOf: "faces",
  outputs: (_, { array }) => verticesOf(levelsOf(array)) * 3,
  build: (code, _, { array }, context) => code.let("target", patchVertices, array, { levels: levelsOf(context.array) }),
  picture: (_, context) => ({
    inSpace: true,
    pixels: (prediction, seen) => asFaces(context, prediction, seen),
  }),
});
