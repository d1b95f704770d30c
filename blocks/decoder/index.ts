/** The decoders, sorted by name. */

import { linear } from "./linear.js";
import { vit } from "./vit.js";

export { type Decoder, type DecoderContext, type DecoderInputs, defineDecoder } from "./contract.js";
export { linear, vit };

export const decoders = [linear, vit] as const;
