/** The feature decoder of CMAE: what a teacher makes of every patch, from what the student makes of the visible ones. */

import type { Tensor } from "../../graph/index.js";
import { type TokenGroup, trunk, trunkParameters } from "../decoder/index.js";
import { layerNorm, linear, linearParameters, sinCosPositions } from "../nn/index.js";
import type { Weights } from "../parameters.js";
import type { ValuesOf } from "../params.js";
import { countsOf } from "../sets.js";
import { vectorsFrom } from "../sources.js";
import { transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineVectorHead, type VectorContext, type VectorInputs } from "./contract.js";

const { width, heads, mlp_ratio, depth } = transformerParams("head");

const params = {
  depth: { ...depth, default: 2 },
  width: { ...width, default: 512 },
  heads: { ...heads, default: 16 },
  mlp_ratio,
  of: vectorsFrom,
};

type Values = ValuesOf<typeof params>;

const weightsOf = (p: Values, { width: read, grid, extra }: VectorContext) => ({
  ...trunkParameters(p, read, false),
  decoder_pos_embed: sinCosPositions({ counts: countsOf(grid), extra, width: p.width }),
  decoder_pred: linearParameters(p.width, read),
});

/** The tokens that it reads as a decoder does: of the only input, at the places where they are visible. */
function groupOf({ x, extra, places }: VectorInputs, positions: Tensor): TokenGroup {
  const [, rows] = positions.shape as readonly [number, number];
  const visible = places ? (x.shape[1] as number) - extra : rows - extra;
  return {
    input: null,
    count: rows - extra,
    visible,
    varies: false,
    places,
    positions,
    again: null,
    turned: null,
    mark: null,
  };
}

export const featureDecoder = defineVectorHead({
  name: "feature_decoder",
  summary:
    "A light transformer over all tokens, hidden ones standing as copies of one learned token, to as many numbers as it reads; a teacher has none.",
  source: "Huang et al., Contrastive Masked Autoencoders are Stronger Vision Learners (CMAE), TPAMI 2024",
  since: "0.2",
  params,
  requires: [
    ...transformerRequirements,
    {
      name: "width-in-quarters",
      at: "width",
      doc: "Its sine-cosine positions have a sine and a cosine for each axis of the tokens.",
      holds: (p, { grid }) => p.width % (2 * grid.length) === 0,
      say: (p, { grid }) => `a width of ${p.width} is not divisible by ${2 * grid.length}`,
      help: (p, { grid }) => `write \`width: ${Math.ceil(p.width / (2 * grid.length)) * 2 * grid.length}\``,
    },
    {
      name: "something-hidden",
      at: null,
      doc: "A mask hides something: it stands for what is not seen.",
      holds: (_, { masked }) => masked,
      say: () => "the model has no mask",
      help: () => "add one, such as `mask random(ratio: 75%, on: [first])`, or use `projector`",
    },
  ],
  vectors: {
    ofTokens: true,
    studentOnly: true,
    width: (_, read) => read,
    parameters: (p, context) => ({ head: weightsOf(p, context) }),
    apply(code, p, w, inputs) {
      const own = w.head as Weights<ReturnType<typeof weightsOf>>;
      const group = groupOf(inputs, own.decoder_pos_embed);
      const { x, extra } = inputs;
      const latent = { latent: x, whole: inputs.places === null, extra, front: null, groups: [group] };
      const decoded = trunk(code, p, own, { ...latent, padding: null, joint: null });
      return code.let("features", linear, code.let("normed", layerNorm, decoded, own.decoder_norm), own.decoder_pred);
    },
  },
});
