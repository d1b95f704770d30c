/** Ids as target: which token of the vocabulary stands at each place. */

import { idsOf } from "../nn/index.js";
import { defineTarget } from "./contract.js";

export const ids = defineTarget({
  name: "ids",
  summary: "The id of each token of a text, of which a logit for each id of the vocabulary is predicted.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, section 3.1",
  since: "0.2",
  params: {},
  predicts: "ids",
  outputs: (_, { array }) => array.ids?.vocabulary ?? 0,
  build: (code, _, { array }) => code.let("ids", idsOf, array),
});
