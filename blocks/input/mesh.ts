/** Meshes: surfaces of triangles that were made by cutting those of a base mesh in four, again and again. */

import { faceChannels } from "../arrays.js";
import { facesOf } from "../meshes.js";
import { int } from "../params.js";
import { defineInput } from "./contract.js";

export const mesh = defineInput({
  name: "mesh",
  summary: "Surfaces of triangles, each a patch of the faces that a triangle of a base mesh was cut into.",
  source: "Liang et al., MeshMAE: Masked Autoencoders for 3D Mesh Data Analysis, ECCV 2022, section 3.1",
  since: "0.2",
  numbers: "faces",
  params: {
    patches: int({ min: 2, max: 4096, doc: "Patches of a mesh: the triangles of its base mesh." }),
    levels: int({
      min: 1,
      max: 5,
      default: 3,
      doc: "How often each of these was cut in four: 3 times gives 64 faces.",
    }),
  },
  shape: ({ patches, levels }) => ({
    axes: [
      { name: "group", size: patches },
      { name: "face", size: facesOf(levels) },
    ],
    channels: faceChannels.all,
    mesh: { levels },
  }),
});
