/** Patches of the faces of a mesh, each mapped to a token by one linear layer, as in MeshMAE. */

import type { ArrayShape } from "../arrays.js";
import { faceEmbedParameters, featuresOfFaces, layerNorm, linear, patchCentres } from "../nn/index.js";
import { boxLength, type Lattice } from "../sets.js";
import { defineTokens } from "./contract.js";

const latticeOf = ({ axes: [group, face] }: ArrayShape): Lattice => [
  { name: "group", count: group?.size ?? 1, size: 1 },
  { name: "face", count: 1, size: face?.size ?? 1 },
];

export const faces = defineTokens({
  name: "faces",
  summary: "Maps what is known of all faces of a patch of a mesh to a token by one linear layer, and normalises it.",
  source: "Liang et al., MeshMAE: Masked Autoencoders for 3D Mesh Data Analysis, ECCV 2022, section 3.2",
  since: "0.2",
  numbers: "faces",
  params: {},
  grid: (_, array) => latticeOf(array),
  parameters: (_, { array, width }) => ({ face_embed: faceEmbedParameters(boxLength(latticeOf(array)), width) }),
  embed(code, _, w, array) {
    const features = code.let("features", featuresOfFaces, array); // [B, N, 10 F]
    return code.let("tokens", layerNorm, code.let("mapped", linear, features, w.face_embed.proj), w.face_embed.norm);
  },
  cloud: {
    array: (_, array) => array,
    centres: (code, _, array) => code.let("centres", patchCentres, array),
  },
});
