/** The encoders, sorted by name. */

import { bert } from "./bert.js";
import { convnext } from "./convnext.js";
import { vit } from "./vit.js";

export {
  cellsUnder,
  type Drops,
  defineEncoder,
  defineMapEncoder,
  type Encoder,
  type EncoderContext,
  type Kept,
  type MapLevel,
  type TokenOrigin,
} from "./contract.js";
export { bert, convnext, vit };

export const encoders = [bert, convnext, vit] as const;
