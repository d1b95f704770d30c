/** The encoders, sorted by name. */

import { bert } from "./bert.js";
import { convnext } from "./convnext.js";
import { convvit } from "./convvit.js";
import { embedded } from "./embedded.js";
import { quantized } from "./quantized.js";
import { resnet } from "./resnet.js";
import { swin } from "./swin.js";
import { tubes } from "./tubes.js";
import { vit } from "./vit.js";

export {
  type Codes,
  cellsUnder,
  type Drops,
  deepest,
  defineEncoder,
  defineMapEncoder,
  type Encoder,
  type EncoderContext,
  type Kept,
  type MapLevel,
  type Maps,
  type Seen,
  type TokenOrigin,
  type Turned,
} from "./contract.js";
export { bert, convnext, convvit, embedded, quantized, resnet, swin, tubes, vit };

export const encoders = [bert, convnext, convvit, embedded, quantized, resnet, swin, tubes, vit] as const;
