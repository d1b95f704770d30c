/** What a teacher makes of the whole image as target, the target of data2vec. */

import { invariant } from "../../graph/index.js";
import { averagedFeatures } from "../nn/index.js";
import { flag, int } from "../params.js";
import { madeOf } from "../sources.js";
import { defineTarget } from "./contract.js";

export const features = defineTarget({
  name: "features",
  summary: "What the teacher makes of each patch, seeing the whole image: the mean of what its last layers give.",
  source: "Baevski et al., data2vec, ICML 2022, section 3.3",
  since: "0.1",
  params: {
    of: madeOf,
    layers: int({ min: 1, default: 6, doc: "Layers of the teacher that are averaged, counted from the last." }),
    final_norm: flag({
      default: false,
      doc: "Whether what a layer gives passes the normalisation that ends the teacher, scale and shift included, before it is averaged.",
    }),
  },
  requires: [
    {
      name: "as-many-layers",
      at: "layers",
      doc: "The encoder has as many layers as are averaged.",
      holds: (p, { layers }) => layers === null || p.layers <= layers,
      say: (p, { layers }) => `the last ${p.layers} layers of an encoder that has ${layers}`,
      help: (_, { layers }) => `write at most ${layers}`,
    },
  ],
  fromTeacher: true,
  outputs: (_, { width }) => width,
  build(code, p, { teacher }) {
    invariant(teacher, "a target from a teacher is built only where there is one");
    return code.let("average", averagedFeatures, teacher(p.layers, ...(p.final_norm ? (["normed"] as const) : [])));
  },
});
