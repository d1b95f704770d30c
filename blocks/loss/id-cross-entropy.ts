/** Cross-entropy between the logits of ids and the ids of a text. */

import { idCrossEntropy as idCrossEntropyLayer, takeFlags, takeTokens } from "../nn/index.js";
import { defineLoss, lossWeight } from "./contract.js";

export const idCrossEntropy = defineLoss({
  name: "id_cross_entropy",
  summary: "Cross-entropy of the logits of each chosen place to its id; its mean over all chosen places of the batch.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, section 3.1",
  since: "0.2",
  params: { weight: lossWeight },
  compares: "ids",
  uneven: true,
  acrossSamples: true,
  weight: (p) => p.weight,
  build(code, _, { prediction, target, hidden, flags }) {
    const predicted = code.let("predicted", takeTokens, prediction, hidden);
    const wanted = code.let("wanted", takeTokens, target, hidden);
    // Of a text it differs from sample to sample how many words are hidden; of codes all that are hidden count.
    const chosen = flags ? [code.let("chosen", takeFlags, flags, hidden)] : [];
    return code.let("entropy", idCrossEntropyLayer, predicted, wanted, ...chosen);
  },
});
