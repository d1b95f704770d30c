/** Histograms of oriented gradients as target, the target of MaskFeat. */

import { patchArea } from "../geometry.js";
import { orientedGradients } from "../nn/index.js";
import { int, size } from "../params.js";
import { defineTarget, type TargetContext } from "./contract.js";

/** Numbers of one patch: a histogram for each channel of each cell. */
const valuesOf = (
  p: { readonly bins: number; readonly cell: readonly [number, number] },
  { image, grid }: TargetContext,
): number => (patchArea(grid) / (p.cell[0] * p.cell[1])) * image.channels * p.bins;

export const hog = defineTarget({
  name: "hog",
  summary:
    "Histograms of oriented gradients of each patch: the directions of its edges, cell by cell and channel by channel.",
  source: "Wei et al., Masked Feature Prediction for Self-Supervised Visual Pre-Training, CVPR 2022, section 3.2",
  since: "0.1",
  params: {
    bins: int({
      min: 2,
      max: 180,
      default: 9,
      doc: "Directions that a half-turn is divided into; opposite ones are the same.",
    }),
    cell: size({ default: [8, 8], doc: "Pixels over which one histogram is summed, height x width." }),
  },
  requires: [
    {
      name: "whole-cells",
      at: "cell",
      doc: "A patch is divided into whole cells.",
      holds: (p, { grid }) => grid.patch.every((side, i) => side % (p.cell[i] as number) === 0),
      say: (p, { grid }) =>
        `patches of ${grid.patch.join("x")} pixels are not divisible into cells of ${p.cell.join("x")}`,
      help: (_, { grid }) => `use cells whose sides divide ${grid.patch[0]} and ${grid.patch[1]}`,
    },
    {
      name: "pixels-to-mirror",
      at: null,
      doc: "The image has at least two rows and two columns, since its borders are mirrored.",
      holds: (_, { image }) => image.height > 1 && image.width > 1,
      say: (_, { image }) => `an image of ${image.height}x${image.width} pixels has no neighbours to mirror`,
      help: () => "use a larger image, or another target",
    },
  ],
  outputs: valuesOf,
  build: (code, p, { image }, { grid, image: shape }) =>
    code.let("histograms", orientedGradients, image, grid, {
      bins: p.bins,
      cell: p.cell,
      values: valuesOf(p, { grid, image: shape }),
    }),
});
