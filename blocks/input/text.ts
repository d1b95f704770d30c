/** Texts of one length: tokens of a vocabulary, one after the other. */

import { textChannels } from "../arrays.js";
import { int } from "../params.js";
import { defineInput } from "./contract.js";

/** Ids are carried as floats, which hold whole numbers exactly up to here. */
const mostIds = 2 ** 24;

export const text = defineInput({
  name: "text",
  summary: "Texts as ids of a vocabulary: words, parts of words, letters of a protein.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, section 3",
  since: "0.2",
  numbers: "ids",
  params: {
    length: int({
      min: 1,
      max: 65_536,
      doc: "Places of a text, with [CLS] and its like: longer texts are cut, shorter ones filled up.",
    }),
    vocabulary: int({ min: 2, max: mostIds, doc: "Ids of the vocabulary; those of the data lie below." }),
    mask: int({ min: 0, max: mostIds, doc: "The id that stands for a hidden token, [MASK]." }),
  },
  requires: [
    {
      name: "mask-in-vocabulary",
      at: "mask",
      doc: "`mask` is an id of the vocabulary.",
      holds: (p) => p.mask < p.vocabulary,
      say: (p) => `the ids of a vocabulary of ${p.vocabulary} are 0 to ${p.vocabulary - 1}, and \`mask\` is ${p.mask}`,
      help: () => "write the id of [MASK] as the vocabulary's file has it, and how many ids that has",
    },
  ],
  shape: ({ length, vocabulary, mask }) => ({
    axes: [{ name: "place", size: length }],
    channels: Object.keys(textChannels).length,
    ids: { vocabulary, mask },
  }),
});
