/** Tokens, positions and encoder of a model, with the model's weights or with a copy of them. */

import {
  addPositions,
  type Batch,
  type Bound,
  type Code,
  type Encoded,
  type Encoder,
  takeTokens,
} from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { layoutOf } from "./layout.js";
import type { Parts } from "./parts.js";
import { encoderPositions, type WeightTree } from "./weights.js";

/** What the model reads of a batch, [B, ...axes, C]. */
export const arrayIn = ({ name }: Parts, batch: Batch): Tensor => batch[name] as Tensor;

/** array [B, ...axes, C] -> tokens [B, N, D] */
export const embed = (code: Code, parts: Parts, w: WeightTree, array: Tensor): Tensor =>
  parts.tokens.definition.embed(code, parts.tokens.values, w, array, parts.grid);

/** Adds the positions of all patches to tokens [B, N, D]. */
export const place = (code: Code, parts: Parts, w: WeightTree, tokens: Tensor): Tensor =>
  code.let("placed", addPositions, tokens, w[encoderPositions], { extra: layoutOf(parts).extra });

/** array [B, ...axes, C] -> tokens of all patches with their positions, [B, N, D] */
export const placedTokens = (code: Code, parts: Parts, w: WeightTree, array: Tensor): Tensor =>
  place(code, parts, w, embed(code, parts, w, array));

/** tokens [B, N, D] -> the visible ones [B, V, D] */
export const takeVisible = (code: Code, tokens: Tensor, { visible }: Batch): Tensor =>
  code.let("seen", takeTokens, tokens, visible);

export const encodeTokens = (code: Code, parts: Parts, w: WeightTree, tokens: Tensor): Tensor =>
  parts.encoder.definition.encode(code, parts.encoder.values, w, tokens, w[encoderPositions] as Tensor);

/** array [B, ...axes, C] -> the latent of every token, [B, extra + N, D] */
export const encodeWhole = (code: Code, parts: Parts, w: WeightTree, array: Tensor): Tensor =>
  encodeTokens(code, parts, w, placedTokens(code, parts, w, array));

/** The final normalisation of an encoder, on any of its tokens [..., D]. */
export const normalization =
  (code: Code, { definition, values }: Bound<Encoder>, w: WeightTree) =>
  (tokens: Tensor): Tensor =>
    definition.normalize?.(code, values, w, tokens) ?? tokens;

/**
 * What the last layer of an encoder makes of tokens [B, V, D], [B, extra + V, D], with the normalisation that ends it, which may be
 * wanted elsewhere. Of an encoder whose layers cannot be read, its latent: nothing is left to be normalised.
 */
export function lastLayer(code: Code, encoder: Bound<Encoder>, w: WeightTree, tokens: Tensor): Encoded {
  const { definition, values } = encoder;
  const positions = w[encoderPositions] as Tensor;
  const [last] = definition.outputs?.(code, values, w, tokens, positions, 1) ?? [];
  if (last) return { tokens: last, normalize: normalization(code, encoder, w) };
  return { tokens: definition.encode(code, values, w, tokens, positions), normalize: (x) => x };
}
