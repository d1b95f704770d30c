/** The encoders, sorted by name. */

import { vit } from "./vit.js";

export { type Drops, defineEncoder, type Encoder, type EncoderContext, type TokenOrigin } from "./contract.js";
export { vit };

export const encoders = [vit] as const;
