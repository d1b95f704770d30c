/** The decoders, sorted by name. */

import { linear } from "./linear.js";
import { queries } from "./queries.js";
import { regionQuery } from "./region-query.js";
import { regionVit } from "./region-vit.js";
import { vit } from "./vit.js";

export {
  type Decoder,
  type DecoderContext,
  type DecoderInputs,
  defineDecoder,
  type Encoded,
  type LatentInputs,
  type TokenGroup,
} from "./contract.js";
export { linear, queries, regionQuery, regionVit, vit };

export const decoders = [linear, queries, regionQuery, regionVit, vit] as const;
