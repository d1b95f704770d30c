/** The light transformer of MAE's decoder without its head: it sees the latent, one learned token for each hidden patch, and positions. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import {
  addPositions,
  type LinearParameters,
  layerNormParameters,
  linear,
  linearParameters,
  type ProjectionParameters,
  project,
  projectionParameters,
  restoreTokens,
  tokenParameter,
  transformerBlock,
} from "../nn/index.js";
import type { Weights } from "../parameters.js";
import type { ValuesOf } from "../params.js";
import { type TransformerParams, transformerBlocks } from "../vision-transformer.js";
import type { DecoderInputs } from "./contract.js";

type TrunkValues = ValuesOf<TransformerParams> & {
  readonly key_bias?: boolean | null;
  readonly embed_bias?: boolean | null;
};

export const trunkParameters = (p: TrunkValues, encoderWidth: number) => ({
  decoder_embed: embedParameters(p, encoderWidth),
  mask_token: tokenParameter(p.width),
  decoder_blocks: transformerBlocks(p),
  decoder_norm: layerNormParameters(p.width),
});

type EmbedParameters = ProjectionParameters<number, number> & Partial<LinearParameters<number, number>>;

const embedParameters = ({ width, embed_bias }: TrunkValues, encoderWidth: number): EmbedParameters =>
  embed_bias === false ? projectionParameters(encoderWidth, width) : linearParameters(encoderWidth, width);

/** -> every token in raster order, [B, extra + N, Dd], before the norm. */
export function trunk(
  code: Code,
  { heads }: Pick<ValuesOf<TransformerParams>, "heads">,
  w: Weights<ReturnType<typeof trunkParameters>>,
  { latent, restore, positions, extra }: DecoderInputs,
): Tensor {
  const embed = w.decoder_embed.bias ? linear : project;
  const narrow = code.let("narrow", embed, latent, w.decoder_embed); // [B, extra + V, Dd]
  const restored = code.let("restored", restoreTokens, narrow, w.mask_token, restore, { extra }); // [B, extra + N, Dd]
  const placed = code.let("placed", addPositions, restored, positions, { extra: 0 });
  return code.fold("x", w.decoder_blocks, placed, transformerBlock, { heads });
}
