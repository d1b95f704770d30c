/** How far what a layer makes of the tokens is from what one of a frozen network makes of the same: distillation of features. */

import { blockParam } from "../block-values.js";
import type { Encoder } from "../encoder/index.js";
import { featureError, linear, linearParameters } from "../nn/index.js";
import { choice, int, optional, real } from "../params.js";
import { defineLoss, lossWeight } from "./contract.js";

export const distillation = defineLoss({
  name: "distillation",
  summary: "Distance between what a layer of the encoder and one of a frozen network make of the same visible tokens.",
  source: "Bai et al., Masked Autoencoders Enable Efficient Knowledge Distillers, CVPR 2023",
  since: "0.2",
  params: {
    through: blockParam<Encoder>({
      of: "encoder",
      doc: "The network that is followed, such as `vit(depth: 24, width: 1024, heads: 16)`. Its weights, with those of its tokens and positions, come from a file or an earlier stage, and stay as they are.",
    }),
    layer: int({ min: 1, doc: "Layer of the encoder whose features are brought near, counted from 1." }),
    given_layer: int({ min: 1, doc: "Layer of the network that they are to be near, counted from 1." }),
    compare: choice({
      default: "directions",
      options: {
        directions: "Features of a token divided by their length.",
        features: "Features as they are.",
      },
      doc: "What of both is compared.",
    }),
    beta: optional(
      real({
        min: 0,
        openMin: true,
        doc: "Difference below which the error is quadratic, as in `smooth_l1`; if absent, the absolute error counts.",
      }),
    ),
    weight: lossWeight,
  },
  requires: [
    {
      name: "layers",
      at: "layer",
      doc: "The encoder has that layer.",
      holds: (p, { layers }) => layers === null || p.layer <= layers,
      say: (p, { layers }) => `layer ${p.layer} of an encoder that has ${layers}`,
      help: (_, { layers }) => `write at most ${layers}; about three quarters of them is ${threeQuarters(layers ?? 0)}`,
    },
    {
      name: "tokens",
      at: "through",
      doc: "The network gives tokens, and each of its layers can be read.",
      holds: ({ through: { block } }) => block.maps === undefined && block.outputs !== undefined,
      say: ({ through: { block } }) =>
        block.maps
          ? `\`${block.name}\` gives maps, and tokens are compared`
          : `the layers of \`${block.name}\` cannot be read`,
      help: () => "use `vit`",
    },
    {
      name: "given-layers",
      at: "given_layer",
      doc: "The network has that layer.",
      holds: ({ through: { block, values }, ...p }) => p.given_layer <= block.layers(values),
      say: ({ through: { block, values }, ...p }) =>
        `layer ${p.given_layer} of a network that has ${block.layers(values)}`,
      help({ through: { block, values } }) {
        const layers = block.layers(values);
        return `write at most ${layers}; about three quarters of them is ${threeQuarters(layers)}`;
      },
    },
    {
      name: "same-tokens",
      at: "through",
      doc: "The network puts as many tokens in front of the patches as the encoder does.",
      holds: ({ through: { block, values } }, { extraTokens }) =>
        extraTokens === null || block.extraTokens(values) === extraTokens,
      say: ({ through: { block, values } }, { extraTokens }) =>
        `it puts ${block.extraTokens(values)} in front, and the encoder ${extraTokens}`,
      help: () => "write `class_token` of both alike",
    },
  ],
  readsLayers: true,
  weight: (p) => p.weight,
  parameters: ({ through }, { encoderWidth, seeing }) => ({
    distillation: seeing(through),
    distillation_proj: linearParameters(encoderWidth, through.block.width(through.values)),
  }),
  build(code, { through, ...p }, { layers }, w) {
    const own = code.let("brought", linear, layers.own(p.layer), w.distillation_proj);
    const wanted = layers.given(through, w.distillation, p.given_layer);
    const options = { compare: p.compare, ...(p.beta === null ? {} : { beta: p.beta }) };
    return code.let("distillation", featureError, own, wanted, options);
  },
});

const threeQuarters = (layers: number): number => Math.max(1, Math.round(0.75 * layers));
