/** The decoder of R-MAE as released: each region is one query, which is spread over all patches of the image. */

import {
  expandQueries,
  gatherRegions,
  linear,
  linearParameters,
  meanToken,
  predictRegions,
  queryBlock,
  queryBlockParameters,
  queryExpansionParameters,
  repeat,
} from "../nn/index.js";
import { defineDecoder } from "./contract.js";
import { neck, neckParameters, regionDecoder, seenRegions } from "./region-neck.js";

export const regionQuery = defineDecoder({
  name: "region_query",
  summary:
    "Regions as queries: the mean of a region's visible patches looks at the other regions and is spread over all patches.",
  source: "Nguyen et al., R-MAE: Regions Meet Masked Autoencoders, ICLR 2024, section 3 and appendix",
  since: "0.1",
  ...regionDecoder,
  parameters: (p, { encoderWidth, outputs, codeWidth, sequences }) => ({
    ...neckParameters(p, encoderWidth),
    query_embed: linearParameters(codeWidth ?? p.width, p.width),
    ...(p.depth > 1
      ? {
          query_blocks: repeat(p.depth - 1, queryBlockParameters({ width: p.width, hidden: p.width * p.mlp_ratio })),
        }
      : {}),
    query_expansion: queryExpansionParameters(p.width),
    region_pred: linearParameters(p.width, outputs / sequences),
  }),
  decode(code, p, w, inputs) {
    const seen = seenRegions(code, inputs);
    const { memory, patches } = neck(code, p, w, inputs);
    const mean = code.let("mean", meanToken, seen.patches(seen.tokens)); // [B R, De]
    const embedded = code.let("embedded", linear, seen.normalize(mean), w.query_embed);
    const gathered = code.let("gathered", gatherRegions, embedded, { regions: seen.regions }); // [B, R, Dd]
    const options = { heads: p.heads };
    const queries = w.query_blocks
      ? code.fold("queries", w.query_blocks, gathered, queryBlock, memory, options)
      : gathered;
    const expanded = code.let("expanded", expandQueries, queries, patches, w.query_expansion, options); // [B, R, N, Dd]
    return code.let("prediction", predictRegions, expanded, w.region_pred);
  },
});
