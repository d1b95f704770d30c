/** The encoders, sorted by name. */

import { bert } from "./bert.js";
import { vit } from "./vit.js";

export { type Drops, defineEncoder, type Encoder, type EncoderContext, type TokenOrigin } from "./contract.js";
export { bert, vit };

export const encoders = [bert, vit] as const;
