/** Histograms of oriented gradients as target, the target of MaskFeat. */

import { sidesText } from "../arrays.js";
import { orientedGradients } from "../nn/index.js";
import { int, size } from "../params.js";
import { boxLength, boxOf, boxText } from "../sets.js";
import { madeOf } from "../sources.js";
import { defineTarget, ofRowsAndColumns, type TargetContext } from "./contract.js";

/** Numbers of one patch: a histogram for each channel of each cell. */
const valuesOf = (
  p: { readonly bins: number; readonly cell: readonly [number, number] },
  { array, grid }: TargetContext,
): number => (boxLength(grid) / (p.cell[0] * p.cell[1])) * array.channels * p.bins;

export const hog = defineTarget({
  name: "hog",
  summary:
    "Histograms of oriented gradients of each patch: the directions of its edges, cell by cell and channel by channel.",
  source: "Wei et al., Masked Feature Prediction for Self-Supervised Visual Pre-Training, CVPR 2022, section 3.2",
  since: "0.1",
  params: {
    of: madeOf,
    bins: int({
      min: 2,
      max: 180,
      default: 9,
      doc: "Directions that a half-turn is divided into; opposite ones are the same.",
    }),
    cell: size({ default: [8, 8], doc: "Pixels over which one histogram is summed, height x width." }),
  },
  requires: [
    ofRowsAndColumns("gradients are those of rows and columns"),
    {
      name: "whole-cells",
      at: "cell",
      doc: "A patch is divided into whole cells.",
      holds: (p, { grid }) => boxOf(grid).every((side, i) => side % (p.cell[i] ?? 1) === 0),
      say: (p, { grid }) => `patches of ${boxText(grid)} pixels are not divisible into cells of ${p.cell.join("x")}`,
      help: (_, { grid }) => `use cells whose sides divide ${boxOf(grid).join(" and ")}`,
    },
    {
      name: "pixels-to-mirror",
      at: null,
      doc: "The image has at least two rows and two columns, since its borders are mirrored.",
      holds: (_, { array }) => array.axes.every(({ size }) => size > 1),
      say: (_, { array }) => `an image of ${sidesText(array)} pixels has no neighbours to mirror`,
      help: () => "use a larger image, or another target",
    },
  ],
  outputs: valuesOf,
  build: (code, p, { array }, context) =>
    code.let("histograms", orientedGradients, array, context.grid, {
      bins: p.bins,
      cell: p.cell,
      values: valuesOf(p, context),
    }),
});
