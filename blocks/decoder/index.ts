/** The decoders, sorted by name. */

import { linear } from "./linear.js";
import { queries } from "./queries.js";
import { regionQuery } from "./region-query.js";
import { regionVit } from "./region-vit.js";
import { vit } from "./vit.js";
import { vocabulary } from "./vocabulary.js";

export {
  type Decoder,
  type DecoderContext,
  type DecoderInputs,
  defineDecoder,
  type Encoded,
  type LatentInputs,
  type TokenGroup,
} from "./contract.js";
export { linear, queries, regionQuery, regionVit, vit, vocabulary };

export const decoders = [linear, queries, regionQuery, regionVit, vit, vocabulary] as const;
