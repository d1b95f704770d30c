/** What is known of the faces of a patch of a mesh as target. */

import { faceChannels } from "../arrays.js";
import { featuresOfFaces } from "../nn/index.js";
import { boxLength } from "../sets.js";
import { defineTarget } from "./contract.js";

export const faces = defineTarget({
  name: "faces",
  summary: "What is known of each face of a patch of a mesh: its area, angles, curvatures and normal.",
  source: "Liang et al., MeshMAE: Masked Autoencoders for 3D Mesh Data Analysis, ECCV 2022, section 3.3",
  since: "0.2",
  params: {},
  madeOf: "faces",
  outputs: (_, { grid }) => boxLength(grid) * (faceChannels.corner - faceChannels.feature),
  build: (code, _, { array }) => code.let("target", featuresOfFaces, array),
});
