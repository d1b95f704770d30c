/** How far two sets of points are from each other. */

import { chamferDistance } from "../nn/index.js";
import { int } from "../params.js";
import { chosenPatches, comparisonParams, comparisonRequirements, defineLoss } from "./contract.js";

export const chamfer = defineLoss({
  name: "chamfer",
  summary:
    "How far the points of each chosen token are from the nearest predicted ones, and those from the nearest true ones.",
  source: "Fan et al., A Point Set Generation Network, CVPR 2017; Pang et al., ECCV 2022, section 3.3",
  since: "0.2",
  params: {
    power: int({
      min: 1,
      max: 2,
      default: 2,
      doc: "What is measured between nearest points. 2: squared distances, their means over the points of either set added; 1: distances, half of that sum.",
    }),
    ...comparisonParams,
  },
  requires: comparisonRequirements,
  compares: "points",
  weight: (p) => p.weight,
  build: (code, p, inputs) =>
    code.let("chamfer", chamferDistance, ...chosenPatches(code, p.on, inputs), { power: p.power }),
});
