/** What is done to volumes as a whole: the spacing of their voxels, boxes cut out of them, and turning them over. */

import { choice, flag, ratio } from "../params.js";
import { defineAugment } from "./contract.js";

export const respace = defineAugment({
  name: "respace",
  summary: "Makes voxels of the size that the model reads.",
  source: "own definition; by lines as nibabel.processing.resample_to_output with order 1 and MONAI's Spacing",
  since: "0.2",
  changes: "volumes",
  params: {
    by: choice({
      default: "lines",
      options: {
        lines: "Lines between neighbouring voxels, axis by axis.",
        nearest: "The nearest voxel; for maps of classes.",
      },
      doc: "How a voxel is made of others.",
    }),
  },
  positional: "by",
  requires: [
    {
      name: "spacing",
      at: null,
      doc: "The model says which spacing it reads.",
      holds: (_, { array }) => array.spacing !== undefined,
      say: () => "the model does not say how large its voxels are",
      help: () =>
        "write it in the model's input: `volume(spacing: (2, 1.5, 1.5), ...)`, in millimetres of depth, row and column",
    },
  ],
  random: false,
  plan: ({ by }) => [{ kind: "spacing", by }],
});

const pad = flag({
  default: false,
  doc: "Whether zeros lie around a volume that is smaller; otherwise a smaller one is of no use.",
});
const middle = 0.5;
const center = [middle, middle, middle] as const;

export const randomBox = defineAugment({
  name: "random_box",
  summary: "Cuts out a box of the input's size at a random place; in evaluation, the middle.",
  source: "own definition",
  since: "0.2",
  changes: "volumes",
  params: { pad },
  random: true,
  plan: ({ pad }, _current, _context, random) => [
    { kind: "box", at: [random.uniform(), random.uniform(), random.uniform()], pad },
  ],
  evaluationPlan: ({ pad }) => [{ kind: "box", at: center, pad }],
});

export const centerBox = defineAugment({
  name: "center_box",
  summary: "Cuts out the middle, a box of the input's size.",
  source: "own definition",
  since: "0.2",
  changes: "volumes",
  params: { pad },
  random: false,
  plan: ({ pad }) => [{ kind: "box", at: center, pad }],
});

export const depthFlip = defineAugment({
  name: "depth_flip",
  summary: "Turns a random share of the volumes over: the last slice comes first.",
  source: "own definition",
  since: "0.2",
  changes: "volumes",
  params: { probability: ratio({ default: 0.5, doc: "Share of the samples that are turned over." }) },
  positional: "probability",
  random: true,
  plan: (p, _current, _context, random) => (random.uniform() < p.probability ? [{ kind: "turn" }] : []),
});
