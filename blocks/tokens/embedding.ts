/** Tokens of ids: the rows of a learned table. */

import { invariant } from "../../graph/index.js";
import { addSegments, embeddingParameters, embedIds } from "../nn/index.js";
import { int, optional } from "../params.js";
import { cutInto } from "../sets.js";
import { defineTokens } from "./contract.js";

export const embedding = defineTokens({
  name: "embedding",
  summary: "Looks up the token of each id in a learned table.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, section 3",
  since: "0.2",
  numbers: "ids",
  params: {
    segments: optional(
      int({
        min: 1,
        max: 1024,
        doc: "Segments that are told apart by a learned vector of each: 2 in BERT, whose samples may be pairs of texts. Later ones have the last vector. If absent, none are told apart.",
      }),
    ),
  },
  grid(_, array) {
    const single = array.axes.map(() => 1);
    const lattice = cutInto(array, single);
    invariant(lattice, "1 divides every size");
    return lattice;
  },
  parameters: (p, { array, width }) => ({
    word_embed: embeddingParameters(array.ids?.vocabulary ?? 0, width),
    ...(p.segments === null ? {} : { segment_embed: embeddingParameters(p.segments, width) }),
  }),
  embed(code, _, w, array) {
    const tokens = code.let("tokens", embedIds, array, w.word_embed);
    return w.segment_embed ? code.let("tokens", addSegments, tokens, array, w.segment_embed) : tokens;
  },
  table: (w) => w.word_embed.weight,
});
