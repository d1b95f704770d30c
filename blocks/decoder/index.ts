/** The decoders, sorted by name. */

import { blockVit } from "./block-vit.js";
import { branch } from "./branch.js";
import { convnextBlock } from "./convnext-block.js";
import { cross } from "./cross.js";
import { linear } from "./linear.js";
import { mapVit } from "./map-vit.js";
import { queries } from "./queries.js";
import { regionQuery } from "./region-query.js";
import { regionVit } from "./region-vit.js";
import { swin } from "./swin.js";
import { unet } from "./unet.js";
import { vit } from "./vit.js";
import { vocabulary } from "./vocabulary.js";
import { windowVit } from "./window-vit.js";

export {
  type Decoder,
  type DecoderContext,
  type DecoderInputs,
  defineDecoder,
  type Encoded,
  type HiddenBlocks,
  type LatentInputs,
  type TokenGroup,
} from "./contract.js";
export { trunk, trunkParameters } from "./trunk.js";
export {
  blockVit,
  branch,
  convnextBlock,
  cross,
  linear,
  mapVit,
  queries,
  regionQuery,
  regionVit,
  swin,
  unet,
  vit,
  vocabulary,
  windowVit,
};

export const decoders = [
  blockVit,
  branch,
  convnextBlock,
  cross,
  linear,
  mapVit,
  queries,
  regionQuery,
  regionVit,
  swin,
  unet,
  vit,
  vocabulary,
  windowVit,
] as const;
