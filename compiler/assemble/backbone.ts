/** Tokens, positions and encoders of a model, with the model's weights or with a copy of them. */

import {
  addMark,
  addPositions,
  type Batch,
  type Bound,
  type Code,
  countsOf,
  dropsInput,
  type Encoded,
  type Encoder,
  joinTokens,
  keptPlaces,
  type Lattice,
  type Places,
  paddingBias,
  placeNames,
  placesInRow,
  type TokenOrigin,
  takeTokens,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { dropsOf, extraRows, maskOver } from "./layout.js";
import { type EncoderPart, type InputPart, isEncoder, type MaskPart, mapsOf, onlyInput, type Parts } from "./parts.js";
import { encoderMark, encoderPositions, hasMark, type WeightTree, weightsUnder } from "./weights.js";

/** A model with where the weights of its labels are. */
export interface Placed extends Parts {
  readonly branchOf: (label: string | null) => string | null;
}

/** What the model reads of a batch, [B, ...axes, C]. */
export const arrayIn = ({ name }: InputPart, batch: Batch): Tensor => batch[name] as Tensor;

/** What a mask is fed. */
export function placesIn({ masks }: Parts, { name }: MaskPart, batch: Batch): Places {
  const { visible, hidden, restore } = placeNames(masks.length === 1 ? null : name);
  return {
    visible: batch[visible] as Tensor,
    hidden: batch[hidden] as Tensor,
    restore: batch[restore] as Tensor,
  };
}

/** What the mask over an input is fed, or the only one of the model. */
export function placesOf(parts: Parts, batch: Batch, input: InputPart = onlyInput(parts)): Places {
  const mask = maskOver(parts, input);
  invariant(mask, "the checker lets through only masked models here");
  return placesIn(parts, mask, batch);
}

/** array [B, ...axes, C] -> tokens [B, N, D] */
export function embed(code: Code, { branchOf }: Placed, input: InputPart, w: WeightTree, array: Tensor): Tensor {
  const { tokens, grid } = input;
  invariant(tokens, "an encoder of maps reads no tokens");
  return tokens.definition.embed(code, tokens.values, weightsUnder(w, branchOf(input.label)), array, grid);
}

/** Adds the positions of all patches to tokens [B, N, D], and the mark of their input where it has one. */
export function place(code: Code, parts: Placed, input: InputPart, w: WeightTree, tokens: Tensor): Tensor {
  const own = weightsUnder(w, parts.branchOf(input.label));
  const placed = code.let("placed", addPositions, tokens, own[encoderPositions], { extra: extraRows(parts, input) });
  return hasMark(input) ? code.let("marked", addMark, placed, own[encoderMark]) : placed;
}

/** array [B, ...axes, C] -> tokens of all patches with their positions, [B, N, D] */
export const placedTokens = (code: Code, parts: Placed, input: InputPart, w: WeightTree, array: Tensor): Tensor =>
  place(code, parts, input, w, embed(code, parts, input, w, array));

/** tokens [B, N, D] -> the visible ones [B, V, D] */
export const takeVisible = (code: Code, tokens: Tensor, { visible }: Places): Tensor =>
  code.let("seen", takeTokens, tokens, visible);

/** The tokens of several, one after the other, [B, sum of N, D]. */
export const joined = (code: Code, name: string, [first, ...rest]: readonly Tensor[]): Tensor =>
  rest.reduce<Tensor>((all, tokens) => code.let(name, joinTokens, all, tokens), first as Tensor);

/** What is left out of an encoder or a head at random, in a function of a batch. */
export type Dropping = Pick<TokenOrigin, "drops">;
const nothingDropped: Dropping = {};

/** What an encoder is told besides its tokens, where there is something to tell. */
interface Seeing extends Dropping {
  /** The input that alone is seen, of several. */
  readonly input?: InputPart | null;
  readonly padding?: Tensor | null;
}

/** What is left out of the encoder of a model of one input, or of its head. */
export function droppedIn(parts: Parts, batch: Batch, part: "encoder" | "head"): Dropping {
  const { encoder, head } = dropsOf(parts);
  if ((part === "encoder" ? encoder : head).length === 0) return nothingDropped;
  const first = part === "encoder" ? 0 : encoder.reduce((sum, { numbers }) => sum + numbers, 0);
  return { drops: { values: batch[dropsInput], first } };
}

/** What keeps attention from what is behind the end of a text, array [B, N, 3]; null: all tokens of an input count. */
export const paddingOf = (code: Code, { array: { ids } }: InputPart, array: Tensor): Tensor | null =>
  ids ? code.let("padding", paddingBias, array) : null;

/** What an encoder is told of the tokens that it sees, but for their padding. `input`: the one that alone is seen, of several. */
function seenBy(
  { branchOf }: Placed,
  { reads }: EncoderPart,
  w: WeightTree,
  input: InputPart | null,
): Omit<TokenOrigin, "padding"> {
  const [only, another] = reads;
  const positions =
    only && !another && !isEncoder(only) ? (weightsUnder(w, branchOf(only.label))[encoderPositions] as Tensor) : null;
  return { positions, input: another ? (input?.label ?? null) : null };
}

/** tokens [B, V, D] of all that an encoder reads, or of `input` alone -> latent [B, extra + V, D] */
export function encodeTokens(
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  tokens: Tensor,
  { input = null, padding = null, drops }: Seeing = {},
): Tensor {
  const { definition, values } = encoder.block;
  const seen = { ...seenBy(parts, encoder, w, input), padding, ...(drops ? { drops } : {}) };
  return definition.encode(code, values, weightsUnder(w, parts.branchOf(encoder.label)), tokens, seen);
}

/** array [B, ...axes, C] of the only input -> the latent of every token, [B, extra + N, D] */
export function encodeWhole(
  code: Code,
  parts: Placed,
  input: InputPart,
  w: WeightTree,
  array: Tensor,
  drops: Dropping = nothingDropped,
): Tensor {
  if (parts.encoder.block.definition.maps) {
    return normalization(code, parts.encoder.block, w)(deepestPlaces(code, wholeMaps(code, parts, w, array)));
  }
  const tokens = placedTokens(code, parts, input, w, array);
  return encodeTokens(code, parts, parts.encoder, w, tokens, { padding: paddingOf(code, input, array), ...drops });
}

/** array [B, ...axes, C] -> the maps of an encoder that sees all of it, the finest first. */
export const wholeMaps = (code: Code, { encoder }: Placed, w: WeightTree, array: Tensor): readonly Tensor[] =>
  mapsOf(encoder.block.definition).encode(code, encoder.block.values, w, array, null);

/** Maps, the finest first -> the places of the deepest in raster order, [B, N, D]. */
export const deepestPlaces = (code: Code, maps: readonly Tensor[]): Tensor =>
  code.let("places", placesInRow, maps.at(-1));

/**
 * Where on maps of any stride something is visible, [B, ...S, 1]; each is computed once in a function. If absent, on the map whose places
 * are cells.
 */
export function keptUnder(code: Code, { grid }: InputPart, { visible, restore }: Places): (stride?: number) => Tensor {
  const known = new Map<number, Tensor>();
  const cell = (grid[0] as Lattice[number]).size;
  return (stride = cell) => {
    const scale = cell / stride;
    const kept = known.get(scale) ?? code.let("kept", keptPlaces, visible, restore, { counts: countsOf(grid), scale });
    known.set(scale, kept);
    return kept;
  };
}

/** The final normalisation of an encoder, on any of its tokens [..., D]. */
export const normalization =
  (code: Code, { definition, values }: Bound<Encoder>, w: WeightTree) =>
  (tokens: Tensor): Tensor =>
    definition.normalize?.(code, values, w, tokens) ?? tokens;

/**
 * What the last layer of an encoder makes of tokens [B, V, D], [B, extra + V, D], with the normalisation that ends it, which may be
 * wanted elsewhere. Of an encoder whose layers cannot be read, its latent: nothing is left to be normalised.
 */
export function lastLayer(
  code: Code,
  encoder: Bound<Encoder>,
  w: WeightTree,
  tokens: Tensor,
  { padding = null, drops }: Omit<Seeing, "input"> = {},
): Encoded {
  const { definition, values } = encoder;
  const positions = w[encoderPositions] as Tensor;
  const seen: TokenOrigin = { positions, input: null, padding, ...(drops ? { drops } : {}) };
  const [last] = definition.outputs?.(code, values, w, tokens, seen, 1) ?? [];
  if (last) return { tokens: last, normalize: normalization(code, encoder, w) };
  return { tokens: definition.encode(code, values, w, tokens, seen), normalize: (x) => x };
}
