/** Finds objects: maps of several sizes made of the encoder's last one, and at each of their places a class, a box and an outline. */

import { type DetectorFacts, denseTargets, placesOf, predictionNumbers, targetNumbers } from "../detection/dense.js";
import { detectDensely, detectorParameters } from "../nn/index.js";
import { int, reals } from "../params.js";
import { patchesOf } from "../sequence.js";
import type { Lattice } from "../sets.js";
import { featuresFrom } from "../sources.js";
import { defineHead } from "./contract.js";

/** What a map can be beside the encoder's. */
const sizes = [4, 2, 1, 0.5];

export const detector = defineHead({
  name: "detector",
  summary:
    "Objects in images: a pyramid of maps over the encoder's last one, and at each place a class, a box and an outline.",
  source:
    "Li et al., Exploring Plain Vision Transformer Backbones for Object Detection (ViTDet), ECCV 2022: the pyramid; Tian et al., FCOS, ICCV 2019: the places; outlines as cells over the box: own definition",
  since: "0.1",
  params: {
    classes: int({ min: 1, max: 100_000, doc: "Classes of objects." }),
    scales: reals({
      min: 0.5,
      max: 4,
      default: [4, 2, 1, 0.5],
      doc: "Sides of the maps beside those of the encoder's, finest first: 4, 2, 1 and 0.5.",
    }),
    channels: int({ min: 1, max: 65_536, default: 256, doc: "Features at a place of the maps." }),
    depth: int({ min: 0, max: 64, default: 4, doc: "Convolutions in each of the two towers that all maps share." }),
    of: featuresFrom,
    outline: int({
      min: 0,
      max: 64,
      default: 14,
      doc: "Cells along a side of an outline over its box; 0: boxes alone.",
    }),
  },
  requires: [
    {
      name: "scales",
      at: "scales",
      doc: "Scales are some of 4, 2, 1 and 0.5, each once, the largest first.",
      holds: (p) =>
        p.scales.length > 0 &&
        p.scales.every((scale, i) => sizes.includes(scale) && (i === 0 || scale < (p.scales[i - 1] as number))),
      say: (p) =>
        `(${p.scales.join(", ")}) are not scales from the largest to the smallest, out of ${sizes.join(", ")}`,
      help: () => "leave `scales` out for all four",
    },
    {
      name: "image",
      at: null,
      doc: "The model reads images of colours in square patches: objects have boxes along two axes.",
      holds: (_, { grid }) => grid.length === 2 && grid[0]?.size === grid[1]?.size,
      say: (_, { grid }) =>
        `the model's tokens are ${grid.map(({ size }) => size).join("x")}, and places of a detector are squares`,
      help: () => "write `input image` and `tokens patch(size: 16x16)`",
    },
    {
      name: "whole",
      at: null,
      doc: "The model reads one input, of which an encoder of tokens sees all: every place of it is looked at.",
      holds: (_, { inputs, maps, masked }) => inputs === 1 && maps === null && !masked,
      say: (_, { inputs, masked }) =>
        inputs > 1
          ? `the model reads ${inputs} inputs`
          : masked
            ? "a mask hides a part of the image"
            : "the encoder gives maps of its own",
      help: () => "let a model of its own find objects: one image, an encoder such as `vit`, and no mask",
    },
    {
      name: "even",
      at: "scales",
      doc: "A map of half the sides is made of one with even sides.",
      holds: (p, { grid }) => !p.scales.includes(0.5) || grid.every(({ count }) => count % 2 === 0),
      say: (_, { grid }) => `${grid.map(({ count }) => count).join("x")} tokens cannot be halved`,
      help: () => "leave 0.5 out of `scales`, or change the image's size",
    },
  ],
  says: "objects",
  classes: (p) => p.classes,
  parameters: (p, { encoderWidth }) => {
    const { classes, scales, channels, depth, outline: mask } = p;
    return { head: detectorParameters({ width: encoderWidth, classes, scales, channels, depth, mask }) };
  },
  detector: (p, { grid }) => factsOf(p, grid),
  classify(code, p, w, { tokens, normalize, extra, count, grid }) {
    const patches = patchesOf(code, "patches", normalize(tokens), { extra, count }); // [B, N, D]
    const facts = factsOf(p, grid);
    const [rows, columns] = grid.map((axis) => axis.count) as [number, number];
    const sizes = { rows, columns, scales: p.scales, places: placesOf(facts), numbers: predictionNumbers(facts) };
    return code.let("places", detectDensely, patches, w.head, sizes);
  },
  field(p, { grid }) {
    const facts = factsOf(p, grid);
    return {
      shape: [placesOf(facts), targetNumbers(facts.mask)],
      dtype: "float32",
      objects: true,
      compute: ({ objects }) => denseTargets(objects ?? [], facts),
    };
  },
});

function factsOf(
  {
    classes,
    scales,
    outline,
  }: { readonly classes: number; readonly scales: readonly number[]; readonly outline: number },
  grid: Lattice,
): DetectorFacts {
  const [rows, columns] = grid as readonly [Lattice[number], Lattice[number]];
  const levels = scales.map((scale) => ({
    rows: rows.count * scale,
    columns: columns.count * scale,
    stride: rows.size / scale,
  }));
  return { levels, classes, mask: outline };
}
