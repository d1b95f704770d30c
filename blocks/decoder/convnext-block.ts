/** The decoder of FCMAE: one token in place of what is hidden, a ConvNeXt V2 block over the deepest map, a linear layer at each place. */

import type { Tensor } from "../../graph/index.js";
import {
  convNextV2Block,
  convNextV2BlockParameters,
  fillPlaces,
  linear,
  linearParameters,
  placesInRow,
  repeat,
  tokenParameter,
} from "../nn/index.js";
import { int } from "../params.js";
import { defineDecoder, ofHidden, ofMaps } from "./contract.js";

const kernel = 7;

export const convnextBlock = defineDecoder({
  name: "convnext_block",
  summary: "ConvNeXt V2 blocks over the deepest map, with one learned vector at hidden places.",
  source: "Woo et al., ConvNeXt V2: Co-designing and Scaling ConvNets with Masked Autoencoders, CVPR 2023, section 3",
  since: "0.2",
  params: {
    depth: int({ min: 1, max: 1024, default: 1, doc: "Blocks." }),
    width: int({ min: 1, max: 65_536, default: 512, doc: "Features of a place." }),
  },
  requires: [ofMaps, ofHidden],
  width: () => null,
  reads: "maps",
  staged: ({ depth }) => ({ method: "FCMAE", depth }),
  parameters: ({ depth, width }, { encoderWidth, outputs, maps }) => ({
    proj: linearParameters(encoderWidth, width),
    mask_token: tokenParameter(width),
    decoder: repeat(
      depth,
      convNextV2BlockParameters({ width, kernel: Array.from({ length: maps?.sizes.length ?? 2 }, () => kernel) }),
    ),
    pred: linearParameters(width, outputs),
  }),
  decode(code, _, w, { maps, kept }) {
    const deep = maps.at(-1) as Tensor; // [B, ...S, D]
    const projected = code.let("projected", linear, deep, w.proj);
    const filled = code.let("filled", fillPlaces, projected, w.mask_token, kept());
    const x = code.fold("x", w.decoder, filled, convNextV2Block);
    return code.let("prediction", placesInRow, code.let("predicted", linear, x, w.pred));
  },
});
