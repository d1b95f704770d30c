/** Contrast between two inputs: what encoders make of one finds what they make of the other of the same sample. */

import { infoNce as infoNceLayer, meanToken } from "../nn/index.js";
import { flag, labels, real } from "../params.js";
import { defineLoss, lossWeight } from "./contract.js";

export const infoNce = defineLoss({
  name: "info_nce",
  summary: "How surely each sample's features of one input find those of the other among those of the whole batch.",
  source:
    "van den Oord et al., Representation Learning with Contrastive Predictive Coding, 2018; Gong et al., ICLR 2023",
  since: "0.1",
  params: {
    between: labels({
      parts: true,
      doc: "Two encoders, or what one of several inputs makes of each, such as `[joint.audio, joint.image]`: the second looks for the first.",
    }),
    temperature: real({ min: 0, openMin: true, default: 0.05, doc: "What cosines are divided by." }),
    symmetric: flag({
      default: false,
      doc: "Whether the first looks for the second too; the loss is then the mean of both.",
    }),
    weight: lossWeight,
  },
  requires: [
    {
      name: "between-two",
      at: "between",
      doc: "It compares two, which are not the same.",
      holds: (p) => p.between.length === 2 && p.between[0] !== p.between[1],
      say: (p) => `\`between\` names ${p.between.length === 2 ? "the same twice" : `${p.between.length}, not two`}`,
      help: () => "name two, such as `[joint.audio, joint.image]`",
    },
  ],
  acrossSamples: true,
  compares: "features",
  weight: (p) => p.weight,
  build(code, p, { between: [first, second] }) {
    const keys = code.let("keys", meanToken, first);
    const queries = code.let("queries", meanToken, second);
    return code.let("contrast", infoNceLayer, queries, keys, { temperature: p.temperature, symmetric: p.symmetric });
  },
});
