/** What the decoders of regions share: a light transformer over the pixels' latent, which gives regions their context. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import {
  addPositions,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
  patchTokens,
  repeat,
  restoreTokens,
  tokenParameter,
  transformerBlock,
  transformerBlockParameters,
} from "../nn/index.js";
import type { Weights } from "../parameters.js";
import { int, type ValuesOf } from "../params.js";
import { transformerParams } from "../vision-transformer.js";
import type { DecoderInputs } from "./contract.js";

const { depth, width, heads, mlp_ratio } = transformerParams("decoder");

/** The sizes of the released models by default. */
export const regionDecoderParams = {
  depth: { ...depth, default: 1 },
  width: { ...width, default: 128 },
  heads: { ...heads, default: 8 },
  mlp_ratio,
  neck_depth: int({
    min: 1,
    max: 1024,
    default: 8,
    doc: "Transformer blocks over the latent of the pixels, before regions meet it.",
  }),
};

export type RegionDecoderValues = ValuesOf<typeof regionDecoderParams>;

/** Named as in the decoder of pixels, which it equals but for its head. */
export const neckParameters = (p: RegionDecoderValues, encoderWidth: number) => ({
  decoder_embed: linearParameters(encoderWidth, p.width),
  mask_token: tokenParameter(p.width),
  decoder_blocks: repeat(p.neck_depth, transformerBlockParameters({ width: p.width, hidden: p.width * p.mlp_ratio })),
  decoder_norm: layerNormParameters(p.width),
});

/** -> memory [B, extra + N, Dd] of every token in raster order, and that of the patches [B, N, Dd]. */
export function neck(
  code: Code,
  p: RegionDecoderValues,
  w: Weights<ReturnType<typeof neckParameters>>,
  { latent, restore, positions, extra, count }: DecoderInputs,
): { readonly memory: Tensor; readonly patches: Tensor } {
  const narrow = code.let("narrow", linear, latent, w.decoder_embed); // [B, extra + V, Dd]
  const restored = code.let("restored", restoreTokens, narrow, w.mask_token, restore, { extra });
  const placed = code.let("placed", addPositions, restored, positions, { extra: 0 });
  const x = code.fold("x", w.decoder_blocks, placed, transformerBlock, { heads: p.heads });
  const memory = code.let("memory", layerNorm, x, w.decoder_norm);
  return { memory, patches: extra === 0 ? memory : code.let("patches", patchTokens, memory, { extra, count }) };
}
