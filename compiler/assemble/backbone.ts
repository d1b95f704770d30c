/** Tokens, positions and encoder of a model, with the model's weights or with a copy of them. */

import { addPositions, type Batch, type Code, takeTokens } from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { layoutOf } from "./layout.js";
import type { Parts } from "./parts.js";
import { encoderPositions, type WeightTree } from "./weights.js";

/** image [B, H, W, C] -> tokens [B, N, D] */
export const embed = (code: Code, parts: Parts, w: WeightTree, image: Tensor): Tensor =>
  parts.tokens.definition.embed(code, parts.tokens.values, w, image, parts.grid);

/** Adds the positions of all patches to tokens [B, N, D]. */
export const place = (code: Code, parts: Parts, w: WeightTree, tokens: Tensor): Tensor =>
  code.let("placed", addPositions, tokens, w[encoderPositions], { extra: layoutOf(parts).extra });

/** tokens [B, N, D] -> the visible ones [B, V, D] */
export const takeVisible = (code: Code, tokens: Tensor, { visible }: Batch): Tensor =>
  code.let("seen", takeTokens, tokens, visible);

export const encodeTokens = (code: Code, parts: Parts, w: WeightTree, tokens: Tensor): Tensor =>
  parts.encoder.definition.encode(code, parts.encoder.values, w, tokens, w[encoderPositions] as Tensor);

/** image [B, H, W, C] -> the latent of every token, [B, extra + N, D] */
export const encodeWhole = (code: Code, parts: Parts, w: WeightTree, image: Tensor): Tensor =>
  encodeTokens(code, parts, w, place(code, parts, w, embed(code, parts, w, image)));
