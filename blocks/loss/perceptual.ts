/** How far a prediction is from the original for a network that was trained to see: the perceptual loss of LPIPS, without its learned weights. */

import { blockParam, soundWithin } from "../block-values.js";
import { cellsUnder, type Encoder } from "../encoder/index.js";
import { givenNetwork, perceptualDistance } from "../nn/index.js";
import type { Weights } from "../parameters.js";
import { choice } from "../params.js";
import { defineLoss, type JudgedTargets, lossWeight } from "./contract.js";

export const perceptual = defineLoss({
  name: "perceptual",
  summary: "Distance of prediction and original in the features of a frozen network.",
  source:
    "Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, CVPR 2018; Johnson, Alahi and Fei-Fei, Perceptual Losses, ECCV 2016",
  since: "0.2",
  params: {
    through: blockParam<Encoder>({
      of: "encoder",
      doc: "The network that looks at both, such as `convnext(depths: (1, 2), widths: (16, 32), stem: 2)`. Its weights come from a file or an earlier stage, and stay as they are.",
    }),
    on: choice({
      default: "hidden",
      options: {
        hidden: "The picture with its hidden patches predicted, and the others as they are.",
        all: "The picture with every patch predicted.",
      },
      doc: "What of the prediction it looks at.",
    }),
    weight: lossWeight,
  },
  requires: [
    {
      name: "pixels",
      at: null,
      doc: "What is predicted leads back to pixels: a network looks at pictures.",
      holds: (_, { predictsPixels }) => predictsPixels,
      say: () => "it looks at pictures, and the target does not say what the picture looks like",
      help: () => "use the target `pixels`",
    },
    {
      name: "maps",
      at: "through",
      doc: "The network gives maps of the picture.",
      holds: ({ through }) => through.block.maps !== undefined,
      say: ({ through }) => `\`${through.block.name}\` gives tokens, and maps are compared`,
      help: () => "use an encoder of maps, such as `convnext`",
    },
    soundWithin<JudgedTargets>("through"),
    {
      name: "some-hidden",
      at: "on",
      doc: "Something of what is predicted is hidden, where hidden patches are looked at.",
      holds: (p, { unmasked }) => p.on !== "hidden" || unmasked === null,
      say: (_, { unmasked }) => `no mask hides anything of \`${unmasked}\``,
      help: () => "write `on: all`",
    },
  ],
  weight: (p) => p.weight,
  parameters: ({ through: { block, values } }, { array }) => ({
    perceptual: givenNetwork(
      block.parameters(values, {
        array,
        grid: block.maps ? cellsUnder(block.maps, values, array) : [],
        masked: false,
        inputs: [],
      }),
    ),
  }),
  build(code, { through: { block, values }, on }, { pictures }, w) {
    const { maps } = block;
    const look = (picture: ReturnType<typeof pictures>[number]) =>
      maps?.encode(code, values, w.perceptual as Weights<never>, picture, { kept: null, places: null }) ?? [];
    const [predicted, wanted] = pictures(on);
    return code.let("perceptual", perceptualDistance, look(predicted), look(wanted));
  },
});
