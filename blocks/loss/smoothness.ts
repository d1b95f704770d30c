/** How rough what a head says of where places go is. */

import { roughness } from "../nn/index.js";
import { real } from "../params.js";
import { defineLoss } from "./contract.js";

export const smoothness = defineLoss({
  name: "smoothness",
  summary: "Mean of the squared differences between the displacements of neighbours.",
  source: "Balakrishnan et al., VoxelMorph, IEEE Transactions on Medical Imaging 2019",
  since: "0.2",
  params: { weight: real({ min: 0, openMin: true, default: 0.02, doc: "Factor in the sum of all losses." }) },
  compares: "moves",
  weight: (p) => p.weight,
  build: (code, _, { prediction }) => code.let("rough", roughness, prediction),
});
