/** Says one number of a sample, such as the energy of a molecule. */

import { droppedFeatures, headParameters, inOwnUnit, linear } from "../nn/index.js";
import { real } from "../params.js";
import { featuresFrom } from "../sources.js";
import { defineHead, numberField } from "./contract.js";
import { dropoutParams, pooledIsThere, pooledOf, poolParams } from "./pool.js";

export const regressor = defineHead({
  name: "regressor",
  summary: "A number of the sample, in its own unit: a linear layer on what stands for the sample, then scaled.",
  source:
    "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, section 4.1 (STS-B); the scale: own definition",
  since: "0.2",
  params: {
    mean: real({
      default: 0,
      doc: "What the head says where the linear layer says 0: the mean of the numbers of the training samples.",
    }),
    deviation: real({
      min: 0,
      openMin: true,
      default: 1,
      doc: "What 1 of the linear layer stands for: their standard deviation.",
    }),
    ...poolParams,
    ...dropoutParams,
    of: featuresFrom,
  },
  requires: [pooledIsThere],
  says: "number",
  classes: () => 0,
  parameters: (_, { encoderWidth }) => ({ head: headParameters(encoderWidth, 1) }),
  drops: ({ dropout }, { encoderWidth }) => (dropout ? [{ rate: dropout, numbers: encoderWidth }] : []),
  classify(code, p, w, inputs) {
    const { drops } = inputs;
    const pooled = pooledOf(code, p.pool, inputs);
    const kept =
      drops && p.dropout ? code.let("kept", droppedFeatures, pooled, drops.values, { first: drops.first }) : pooled;
    const said = code.let("said", linear, kept, w.head); // [B, 1]
    return code.let("number", inOwnUnit, said, { mean: p.mean, deviation: p.deviation });
  },
  field: () => numberField,
});
