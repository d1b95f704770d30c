/** What a network that others have trained makes of the whole sample as target: masked models that are taught by DINO, CLIP or another of their kind. */

import { type BlockValue, blockParam } from "../block-values.js";
import type { Encoder } from "../encoder/index.js";
import { averagedFeatures } from "../nn/index.js";
import { flag, int } from "../params.js";
import { madeOf } from "../sources.js";
import { defineTarget } from "./contract.js";

export const givenFeatures = defineTarget({
  name: "given_features",
  summary: "What a frozen network makes of each patch, seeing the whole image: the mean of what its last layers give.",
  source:
    "Wei et al., MVP: Multimodality-guided Visual Pre-training, ECCV 2022; Peng et al., A Unified View of Masked Image Modeling, TMLR 2023",
  since: "0.2",
  params: {
    of: madeOf,
    through: blockParam<Encoder>({
      of: "encoder",
      doc: "The network, such as `vit(depth: 12, width: 768, heads: 12)`. Its weights, with those of its tokens and positions, come from a file or an earlier stage, and stay as they are.",
    }),
    layers: int({ min: 1, default: 1, doc: "Layers of the network that are averaged, counted from the last." }),
    final_norm: flag({
      default: true,
      doc: "Whether what a layer gives passes the normalisation that ends the network, scale and shift included, before it is averaged.",
    }),
  },
  requires: [
    {
      name: "tokens",
      at: "through",
      doc: "The network gives tokens, and its layers can be read.",
      holds: ({ through: { block } }) => block.maps === undefined && block.outputs !== undefined,
      say: ({ through: { block } }) =>
        block.maps
          ? `\`${block.name}\` gives maps, and a target is said token by token`
          : `the layers of \`${block.name}\` cannot be read`,
      help: () => "use `vit`",
    },
    {
      name: "as-many-layers",
      at: "layers",
      doc: "The network has as many layers as are averaged.",
      holds: ({ through, layers }) => layers <= depthOf(through),
      say: ({ through, layers }) => `the last ${layers} layers of a network that has ${depthOf(through)}`,
      help: ({ through }) => `write at most ${depthOf(through)}`,
    },
  ],
  network: ({ through }) => through,
  outputs: ({ through: { block, values } }) => block.width(values),
  build: (code, { layers, final_norm: isNormed }, { given }) =>
    code.let("average", averagedFeatures, given(layers, ...(isNormed ? (["normed"] as const) : []))),
});

const depthOf = ({ block, values }: BlockValue<Encoder>): number => block.layers(values);
