/** The light transformer of MAE's decoder without its head: it sees the latent, one learned token for each hidden patch, and positions. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import {
  addMark,
  addPositions,
  groupTokens,
  joinTokens,
  type LinearParameters,
  layerNormParameters,
  leadsApart,
  leadsTogether,
  linear,
  linearParameters,
  type ProjectionParameters,
  placedBlock,
  prependClassToken,
  prependToken,
  project,
  projectionParameters,
  repeatToken,
  restoreTokens,
  tokenParameter,
  tokensFrom,
  transformerBlock,
  turnedBlock,
} from "../nn/index.js";
import type { Parameter, Weights } from "../parameters.js";
import type { ValuesOf } from "../params.js";
import { patchesOf } from "../sequence.js";
import { leadsOf } from "../sets.js";
import { blockOptions, type TransformerParams, transformerBlocks } from "../vision-transformer.js";
import type { DecoderInputs, LatentInputs, TokenGroup } from "./contract.js";

type TrunkValues = ValuesOf<TransformerParams> & {
  readonly key_bias?: boolean | null;
  readonly qkv_bias?: boolean | null;
  readonly embed?: "none" | null;
  readonly embed_bias?: boolean | null;
  readonly class_token?: "own" | null;
};

/** `whole`: hidden tokens pass through the encoder, and none stand for them here. */
export const trunkParameters = (p: TrunkValues, encoderWidth: number, whole: boolean) => ({
  ...(p.embed === "none" ? {} : { decoder_embed: embedParameters(p, encoderWidth) }),
  ...(whole ? {} : { mask_token: tokenParameter(p.width) }),
  ...ownClassToken(p),
  decoder_blocks: transformerBlocks(p),
  decoder_norm: layerNormParameters(p.width),
});

const ownClassToken = ({
  width,
  class_token,
}: TrunkValues): { readonly decoder_cls_token?: Parameter<[1, 1, number]> } =>
  class_token === "own" ? { decoder_cls_token: tokenParameter(width) } : {};

type EmbedParameters = ProjectionParameters<number, number> & Partial<LinearParameters<number, number>>;

const embedParameters = ({ width, embed_bias }: TrunkValues, encoderWidth: number): EmbedParameters =>
  embed_bias === false ? projectionParameters(encoderWidth, width) : linearParameters(encoderWidth, width);

/** -> every token in raster order, [B, extra + N, Dd], of several inputs one after the other, before the norm. */
export function trunk(
  code: Code,
  p: Pick<ValuesOf<TransformerParams>, "width" | "heads"> & { readonly norm_epsilon?: number | null },
  w: Weights<ReturnType<typeof trunkParameters>>,
  inputs: LatentInputs,
): Tensor {
  const narrow = narrowed(code, w, inputs);
  const placed = wholeSequence(code, narrow, w.mask_token, inputs);
  const sequence = w.decoder_cls_token ? withOwnToken(code, placed, w.decoder_cls_token, inputs) : placed;
  return throughBlocks(code, p, w.decoder_blocks, sequence, inputs);
}

/** tokens [B, extra + N, Dd] -> as some blocks of a decoder leave them, before the norm. */
export function throughBlocks(
  code: Code,
  p: Pick<ValuesOf<TransformerParams>, "width" | "heads"> & { readonly norm_epsilon?: number | null },
  blocks: Weights<ReturnType<typeof transformerBlocks>>,
  tokens: Tensor,
  { padding, groups }: LatentInputs,
): Tensor {
  const bias = padding ? [padding] : [];
  const [{ again, turned } = { again: null, turned: null }] = groups;
  if (turned) {
    const options = { ...blockOptions(p), ...turned.options };
    return code.fold("x", blocks, tokens, turnedBlock, turned.turns(p.width / p.heads), options, ...bias);
  }
  return again
    ? code.fold("x", blocks, tokens, placedBlock, again, blockOptions(p))
    : code.fold("x", blocks, tokens, transformerBlock, blockOptions(p), ...bias);
}

/** The latent as wide as the decoder, [B, extra + V, Dd]. */
export function narrowed(
  code: Code,
  { decoder_embed }: Pick<Weights<ReturnType<typeof trunkParameters>>, "decoder_embed">,
  { latent }: LatentInputs,
): Tensor {
  if (!decoder_embed) return latent;
  return code.let("narrow", decoder_embed.bias ? linear : project, latent, decoder_embed);
}

/** -> the patches of the only input in raster order, [B, N, Dd], each lead decoded by itself, before the norm. */
export function leadByLead(
  code: Code,
  p: Pick<ValuesOf<TransformerParams>, "heads"> & { readonly norm_epsilon?: number | null },
  w: Weights<ReturnType<typeof trunkParameters>>,
  inputs: DecoderInputs,
): Tensor {
  const leads = leadsOf(inputs.grid);
  const sizes = { leads, times: inputs.count / leads, separators: inputs.extra / leads };
  const narrow = narrowed(code, w, inputs);
  const whole = wholeSequence(code, narrow, w.mask_token, inputs); // [B, extra + N, Dd]
  const apart = code.let("apart", leadsApart, whole, sizes); // [B L, S + T, Dd]
  const x = code.fold("x", w.decoder_blocks, apart, transformerBlock, blockOptions(p));
  return code.let("patches", leadsTogether, x, sizes);
}

/** Every token of the only input, [B, 1 + N, Dd], with the decoder's class token in the place of the encoder's. */
function withOwnToken(code: Code, placed: Tensor, token: Tensor, { extra, groups }: LatentInputs): Tensor {
  const [only] = groups as readonly [TokenGroup];
  const patches = patchesOf(code, "placed_patches", placed, { extra, count: only.count });
  if (only.turned) return code.let("sequence", prependToken, patches, token);
  return code.let("sequence", prependClassToken, patches, token, only.positions);
}

/** Of every token [B, extra + N, Dd] those of what is predicted, [B, N, Dd]. */
export function ownPatches(code: Code, x: Tensor, inputs: DecoderInputs): Tensor {
  const { extra, count, groups, own } = inputs;
  if (groups.length === 1) return patchesOf(code, "patches", x, inputs);
  const start = groups.slice(0, own).reduce((sum, group) => sum + group.count, extra);
  return code.let("patches", tokensFrom, x, { start, count });
}

/** tokens [B, extra + V, Dd] -> every token at its place, with positions, [B, extra + N, Dd]. */
export function wholeSequence(
  code: Code,
  tokens: Tensor,
  maskToken: unknown,
  { extra, front, groups, joint }: LatentInputs,
): Tensor {
  const [only, another] = groups as readonly [TokenGroup, TokenGroup?];
  if (!another && !front) {
    const marked = (every: Tensor): Tensor => markedBehind(code, placedIn(code, every, only), only, extra);
    if (!only.places) return marked(tokens);
    const { restore } = only.places;
    return marked(code.let("restored", restoreTokens, tokens, maskToken, restore, { extra })); // [B, extra + N, Dd]
  }
  // Under one mask, tokens of all inputs are restored at once; else those of each input on their own.
  const restored = joint && code.let("restored", restoreTokens, tokens, maskToken, joint.restore, { extra });
  const inFront = front
    ? [code.let("placed_latents", addPositions, tokens, front, { extra: 0 })]
    : extra > 0
      ? [code.let("front", tokensFrom, tokens, { start: 0, count: extra })]
      : [];
  let [start, all] = [extra, inFront];
  for (const group of groups) {
    const count = restored ? group.count : (group.visible as number);
    const every = everyToken(code, restored ?? tokens, maskToken, group, { start, count, extra, groups });
    start += count;
    const placed = placedIn(code, every, group);
    all = [...all, group.mark ? code.let("marked", addMark, placed, group.mark) : placed];
  }
  return all.reduce((first, second) => code.let("whole", joinTokens, first, second));
}

/** Tokens of a group with their positions, where those are added to them. */
const placedIn = (code: Code, tokens: Tensor, { positions }: TokenGroup): Tensor =>
  positions ? code.let("placed", addPositions, tokens, positions, { extra: 0 }) : tokens;

/** tokens [B, extra + N, Dd] of the only group, with the vector of its input where it has one, which those in front have not. */
function markedBehind(code: Code, tokens: Tensor, { mark, count }: TokenGroup, extra: number): Tensor {
  if (!mark) return tokens;
  if (extra === 0) return code.let("marked", addMark, tokens, mark);
  const own = code.let("own", tokensFrom, tokens, { start: extra, count });
  const front = code.let("front", tokensFrom, tokens, { start: 0, count: extra });
  return code.let("whole", joinTokens, front, code.let("marked", addMark, own, mark));
}

/** Where the tokens of a group stand in a sequence of several. */
interface Range {
  readonly start: number;
  readonly count: number;
  readonly extra: number;
  readonly groups: readonly TokenGroup[];
}

/** Every token of a group: those of its tokens that stand in a sequence, and a learned one for each of the others. */
function everyToken(
  code: Code,
  sequence: Tensor,
  maskToken: unknown,
  group: TokenGroup,
  { start, count, extra, groups }: Range,
): Tensor {
  if (group.visible === 0) return code.let("unseen", repeatToken, sequence, maskToken, { count: group.count });
  const { places } = group;
  const before = groups.slice(0, groups.indexOf(group));
  const own = groups.some(({ varies }) => varies)
    ? code.let("own", groupTokens, sequence, places?.visible ?? count, {
        extra,
        before: before.map((other) => other.places?.visible ?? other.count),
      })
    : code.let("own", tokensFrom, sequence, { start, count });
  return places ? code.let("restored", restoreTokens, own, maskToken, places.restore, { extra: 0 }) : own;
}
