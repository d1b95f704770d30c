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
  feedName,
  joinMaps,
  joinTokens,
  keptPlaces,
  type Lattice,
  type Places,
  paddingAround,
  paddingBias,
  patchesOf,
  placeNames,
  placesApart,
  placesInRow,
  placesOfText,
  resizePositions,
  restoreTokens,
  restoreZeros,
  sequencePadding,
  type TokenOrigin,
  takeFlags,
  takeTokens,
  tokenCount,
  tokensFrom,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { type BranchOf, type WeightTree, weightsUnder } from "./branches.js";
import { corruptedText } from "./fields.js";
import {
  dropsOf,
  extraRows,
  extraTokensOf,
  hidingOf,
  isUnder,
  isWhole,
  jointMask,
  maskOver,
  variesOver,
} from "./layout.js";
import {
  type EncoderPart,
  type Features,
  type HeadPart,
  type InputPart,
  isEncoder,
  type MaskPart,
  mapsOf,
  type Parts,
} from "./parts.js";
import { computedPositions, isPlacedAgain, withFront } from "./placing.js";
import { encoderMark, encoderPositions, hasMark, hiddenTokenName } from "./weights.js";

/** A model with where the weights of its labels are. */
export interface Placed extends Parts {
  readonly branchOf: BranchOf;
}

/** What the model reads of a batch, [B, ...axes, C]. */
export const arrayIn = ({ name }: InputPart, batch: Batch): Tensor => batch[name] as Tensor;

/** What a mask is fed. */
export function placesIn({ label }: MaskPart, batch: Batch): Places {
  const { visible, hidden, restore } = placeNames(label);
  return {
    visible: batch[visible] as Tensor,
    hidden: batch[hidden] as Tensor,
    restore: batch[restore] as Tensor,
  };
}

/** What the mask over an input is fed; null: there is none. */
export function placesOf(parts: Parts, batch: Batch, input: InputPart): Places | null {
  const mask = maskOver(parts, input);
  return mask && placesIn(mask, batch);
}

/** What the mask over an input is fed that has one. */
export function maskedPlaces(parts: Parts, batch: Batch, input: InputPart): Places {
  const places = placesOf(parts, batch, input);
  invariant(places, "the checker lets through only masked inputs here");
  return places;
}

/** array [B, ...axes, C] -> tokens [B, N, D] */
export function embed(code: Code, { branchOf }: Placed, input: InputPart, w: WeightTree, array: Tensor): Tensor {
  const { tokens, grid } = input;
  invariant(tokens, "an encoder of maps reads no tokens");
  return tokens.definition.embed(code, tokens.values, weightsUnder(w, branchOf(input.label)), array, grid, input.array);
}

/** Adds the positions of all patches to tokens [B, N, D] of an array, and the mark of their input where it has one. */
export function place(
  code: Code,
  parts: Placed,
  input: InputPart,
  w: WeightTree,
  { tokens, array }: { readonly tokens: Tensor; readonly array: Tensor },
): Tensor {
  const own = weightsUnder(w, parts.branchOf(input.label));
  const table = own[encoderPositions];
  const extra = extraRows(parts, input);
  const placed = isPlacedAgain(input)
    ? tokens
    : input.positions?.definition.computed
      ? code.let("placed", addPositions, tokens, computedPositions(code, input, table, array), { extra: 0 })
      : code.let("placed", addPositions, tokens, tableOf(code, input, table, extra), { extra });
  const marked = hasMark(input) ? code.let("marked", addMark, placed, own[encoderMark]) : placed;
  return markedBy(code, parts, input, w, marked);
}

/** Tokens [B, N, D] as the encoder that reads them wants them before any is hidden. */
function markedBy(code: Code, parts: Placed, input: InputPart, w: WeightTree, tokens: Tensor): Tensor {
  const { label, block } = parts.encoders.find(({ reads }) => reads.includes(input)) ?? {};
  if (!block?.definition.mark) return tokens;
  return block.definition.mark(code, block.values, weightsUnder(w, parts.branchOf(label ?? null)), tokens);
}

/** The positions of an input [1, extra + N, D]: where its table is of other tokens, resized. */
function tableOf({ let: call }: Code, { table, grid }: InputPart, positions: unknown, extra: number): unknown {
  if (!table) return positions;
  return call("positions", resizePositions, positions, { extra, from: countsOf(table), to: countsOf(grid) });
}

/** array [B, ...axes, C] -> tokens of all patches with their positions, [B, N, D] */
export const placedTokens = (code: Code, parts: Placed, input: InputPart, w: WeightTree, array: Tensor): Tensor =>
  place(code, parts, input, w, { tokens: embed(code, parts, input, w, array), array });

/** tokens [B, N, D] -> the visible ones [B, V, D] */
export const takeVisible = (code: Code, tokens: Tensor, { visible }: Places): Tensor =>
  code.let("seen", takeTokens, tokens, visible);

/**
 * What an encoder is given of an input: of a masked one the visible tokens, or every token where hidden ones enter it as something
 * else, [B, V or N, D].
 */
export function seenTokens(code: Code, parts: Placed, input: InputPart, w: WeightTree, batch: Batch): Tensor {
  const hiding = hidingOf(parts, input);
  if (hiding === "corrupt") {
    return placedTokens(code, parts, input, w, corruptedText(code, parts, input, arrayIn(input, batch), batch));
  }
  const array = arrayIn(input, batch);
  const tokens = embed(code, parts, input, w, array); // [B, N, D]
  const places = placesOf(parts, batch, input);
  if (hiding === null || places === null) return place(code, parts, input, w, { tokens, array });
  if (hiding === "drop") return takeVisible(code, place(code, parts, input, w, { tokens, array }), places);
  const seen = takeVisible(code, tokens, places); // [B, V, D]
  const own = weightsUnder(w, parts.branchOf(input.label));
  const entered =
    hiding === "token"
      ? code.let("entered", restoreTokens, seen, own[hiddenTokenName(parts, input)], places.restore, { extra: 0 })
      : code.let("entered", restoreZeros, seen, places.restore);
  return place(code, parts, input, w, { tokens: entered, array });
}

/** What an encoder adds to its tokens before each layer, where it does. */
export function againFor(
  code: Code,
  parts: Placed,
  { reads: [read, another] }: EncoderPart,
  w: WeightTree,
  batch: Batch,
  sight: Sight,
): Pick<TokenOrigin, "again"> {
  if (!read || another || isEncoder(read) || !isPlacedAgain(read)) return {};
  const own = weightsUnder(w, parts.branchOf(read.label))[encoderPositions] as WeightTree;
  const seen = sight === "seen" && hidingOf(parts, read) === "drop" ? placesOf(parts, batch, read) : null;
  const positions = computedPositions(code, read, own, arrayIn(read, batch), seen ?? undefined);
  return { again: withFront(code, positions, own) };
}

/** The tokens of several, one after the other, [B, sum of N, D]. */
const joined = (code: Code, name: string, [first, ...rest]: readonly Tensor[]): Tensor =>
  rest.reduce<Tensor>((all, tokens) => code.let(name, joinTokens, all, tokens), first as Tensor);

/** What is left out of an encoder or a head at random, in a function of a batch. */
export type Dropping = Pick<TokenOrigin, "drops">;
const nothingDropped: Dropping = {};

/** What an encoder is told besides its tokens, where there is something to tell. */
interface Seeing extends Dropping, Pick<TokenOrigin, "again"> {
  /** The input that alone is seen, of several. */
  readonly input?: InputPart | null;
  readonly padding?: Tensor | null;
}

/** What is left out of an encoder of the model, or of a head. */
export function droppedIn(parts: Parts, batch: Batch, part: EncoderPart | HeadPart): Dropping {
  const all = dropsOf(parts);
  const at = all.findIndex((own) => own.part === part);
  if ((all[at]?.drops.length ?? 0) === 0) return nothingDropped;
  const first = all
    .slice(0, at)
    .reduce((sum, { drops }) => sum + drops.reduce((own, drop) => own + drop.numbers, 0), 0);
  return { drops: { values: batch[feedName(parts.stream, dropsInput)], first } };
}

/**
 * What keeps attention from what is behind the end of a text, of an encoder under which there is one; null: all tokens count. `only`: where
 * it sees one of its inputs alone.
 */
export function paddingFor(
  code: Code,
  parts: Parts,
  encoder: EncoderPart,
  batch: Batch,
  sight: Sight,
  only: InputPart | null = null,
): Tensor | null {
  const reads = readsOf(encoder, only);
  const inputs = reads.flatMap((read) => (isEncoder(read) ? read.inputs.filter((one) => isUnder(one, only)) : [read]));
  const joint = sight === "seen" ? jointMask(parts) : null;
  const seenOf = (input: InputPart): Places | null =>
    sight === "seen" && !joint && !isWhole(parts, input) ? placesOf(parts, batch, input) : null;
  const text = textOf(encoder);
  if (text && !joint && !seenOf(text)) return code.let("padding", paddingBias, arrayIn(text, batch));
  const texts = inputs.filter(({ array }) => array.ids);
  if (texts.length === 0) return null;
  const flags = texts.map((input) => {
    const all = code.let("places", placesOfText, arrayIn(input, batch));
    const places = seenOf(input);
    return places ? code.let("seen_places", takeFlags, all, places.visible) : all;
  });
  const front = reads.reduce((sum, read) => sum + (isEncoder(read) ? extraTokensOf(read, only) : 0), 0);
  const counts = inputs.map((input) =>
    input.array.ids ? null : (seenOf(input)?.visible.shape[1] ?? tokenCount(input.grid)),
  );
  const told = { counts: front > 0 ? [front, ...counts] : counts };
  return code.let("padding", sequencePadding, flags, told, ...(joint ? [placesIn(joint, batch).visible] : []));
}

/** The text that an encoder reads alone; null: it reads something else. */
export function textOf({ reads: [read, another] }: EncoderPart): InputPart | null {
  return !read || another || isEncoder(read) || !read.array.ids ? null : read;
}

/** Whether there is a text among what an encoder reads. */
export const readsText = ({ inputs }: EncoderPart): boolean => inputs.some(({ array }) => array.ids !== undefined);

/** What an encoder reads, one after the other: what stands in front of the patches of any of them stands in front of all. */
export function sequenceOf(
  code: Code,
  parts: Parts,
  reads: readonly (InputPart | EncoderPart)[],
  given: readonly Tensor[],
  sight: Sight,
  only: InputPart | null = null,
): Tensor {
  const fronts = reads.map((read) => (isEncoder(read) ? extraTokensOf(read, only) : 0));
  if (given.length === 1 || fronts.every((extra) => extra === 0)) return joined(code, "tokens", given);
  const front = given.flatMap((x, i) => {
    const extra = fronts[i] as number;
    return extra === 0 ? [] : [code.let("front", tokensFrom, x, { start: 0, count: extra })];
  });
  const patches = given.map((x, i) => {
    const [read, extra] = [reads[i] as InputPart | EncoderPart, fronts[i] as number];
    const varies =
      sight === "seen" && (isEncoder(read) ? read.inputs : [read]).some((input) => variesOver(parts, input));
    return patchesOf(code, "patches", x, { extra, count: varies ? null : (x.shape[1] as number) - extra });
  });
  return joined(code, "tokens", [...front, ...patches]);
}

/** Of a sample: every token of its arrays, or what a mask lets an encoder see of them. */
export type Sight = "whole" | "seen";

/** The parts that an encoder reads, of all its inputs or of one alone. */
export const readsOf = ({ reads }: EncoderPart, only: InputPart | null): readonly (InputPart | EncoderPart)[] =>
  reads.filter((read) => isUnder(read, only));

/**
 * What an encoder is given, computed without calling other functions of the model: with its weights, or with a copy of them. `only`: where
 * it sees one of its inputs alone.
 */
export function tokensFor(
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  batch: Batch,
  sight: Sight,
  only: InputPart | null = null,
): Tensor {
  const joint = sight === "seen" ? jointMask(parts) : null;
  const reads = readsOf(encoder, only);
  const given = reads.map((read) => {
    if (isEncoder(read)) {
      const below = tokensFor(code, parts, read, w, batch, sight, only);
      const drops = sight === "seen" ? droppedIn(parts, batch, read) : {};
      const padding = paddingFor(code, parts, read, batch, sight, only);
      const again = againFor(code, parts, read, w, batch, sight);
      return encodeTokens(code, parts, read, w, below, { input: only, padding, ...drops, ...again });
    }
    return sight === "whole" || joint
      ? placedTokens(code, parts, read, w, arrayIn(read, batch))
      : seenTokens(code, parts, read, w, batch);
  });
  const tokens = sequenceOf(code, parts, reads, given, sight, only);
  return joint && !reads.some(isEncoder) ? takeVisible(code, tokens, placesIn(joint, batch)) : tokens;
}

/** What an encoder is told of the tokens that it sees. `input`: the one that alone is seen, of several. */
export function seenBy(
  { branchOf }: Placed,
  { reads }: EncoderPart,
  w: WeightTree,
  input: InputPart | null,
): TokenOrigin {
  const [only, another] = reads;
  const positions =
    only && !another && !isEncoder(only) && !isPlacedAgain(only)
      ? (weightsUnder(w, branchOf(only.label))[encoderPositions] as Tensor)
      : null;
  return { positions, input: another ? (input?.label ?? null) : null, padding: null };
}

/** tokens [B, V, D] of all that an encoder reads, or of `input` alone -> latent [B, extra + V, D], or latents [B, count, width] */
export function encodeTokens(
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  tokens: Tensor,
  { input = null, padding = null, ...beside }: Seeing = {},
): Tensor {
  const { definition, values } = encoder.block;
  const { latents } = encoder;
  const own = weightsUnder(w, parts.branchOf(encoder.label));
  const entered = latents ? latents.definition.enter(code, latents.values, own, tokens) : tokens;
  const behind = (entered.shape[1] as number) - (tokens.shape[1] as number);
  const counted = padding && behind > 0 ? code.let("padding", paddingAround, padding, { behind }) : padding;
  const seen = { ...seenBy(parts, encoder, w, input), padding: counted, ...beside };
  const encoded = definition.encode(code, values, own, entered, seen);
  if (!latents) return encoded;
  return latents.definition.leave(code, latents.values, own, encoded, paddingBehindFront(code, encoder, counted));
}

/** What keeps attention to what an encoder gives from what is behind the end of a text: its tokens in front count. */
export const paddingBehindFront = (
  code: Code,
  { block: { definition, values } }: EncoderPart,
  padding: Tensor | null,
): Tensor | null => {
  const front = definition.extraTokens(values);
  return padding && front > 0 ? code.let("padding", paddingAround, padding, { front }) : padding;
};

/** The arrays of a batch -> what an encoder makes of every token of all that it reads, [B, extra + N, D] */
export function encodeWhole(
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  batch: Batch,
  drops: Dropping = nothingDropped,
): Tensor {
  if (encoder.block.definition.maps) {
    const places = deepestPlaces(code, mapsFor(code, parts, encoder, w, batch, "whole", drops));
    return normalizationOf(code, parts, encoder, w)(places);
  }
  const tokens = tokensFor(code, parts, encoder, w, batch, "whole");
  const again = againFor(code, parts, encoder, w, batch, "whole");
  return encodeTokens(code, parts, encoder, w, tokens, {
    padding: paddingFor(code, parts, encoder, batch, "whole"),
    ...drops,
    ...again,
  });
}

/** The maps of an encoder, the finest first, of whole arrays or of what a mask shows. */
export function mapsFor(
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  batch: Batch,
  sight: Sight,
  drops: Dropping = nothingDropped,
): readonly Tensor[] {
  const { definition, values } = encoder.block;
  const [input] = encoder.inputs;
  invariant(input, "an encoder of maps reads an array");
  const places = sight === "seen" ? placesOf(parts, batch, input) : null;
  const own = weightsUnder(w, parts.branchOf(encoder.label));
  const seen = { kept: places && keptUnder(code, input, places), ...drops };
  return mapsOf(definition).encode(code, values, own, arrayIn(input, batch), seen);
}

/**
 * Maps for a head that reads such: those of an encoder of maps, the finest first, or the patches of some layers of an encoder of tokens, laid out as
 * they lie; of several arrays cut alike, beside each other. The last one is normalised.
 */
export function mapsOfLayers(
  code: Code,
  parts: Placed,
  { encoder, input }: Features,
  w: WeightTree,
  batch: Batch,
  { layers, ...dropped }: Dropping & { readonly layers: readonly number[] },
): readonly Tensor[] {
  const { definition, values } = encoder.block;
  const normalize = normalizationOf(code, parts, encoder, w, input);
  if (definition.maps) {
    const maps = mapsFor(code, parts, encoder, w, batch, "whole");
    return maps.map((map, i) => (i === maps.length - 1 ? normalize(map) : map));
  }
  const tokens = tokensFor(code, parts, encoder, w, batch, "whole", input);
  const last = definition.layers(values);
  const count = last - Math.min(...layers) + 1;
  const own = weightsUnder(w, parts.branchOf(encoder.label));
  const seen = { ...seenBy(parts, encoder, w, input), ...dropped };
  const outputs = definition.outputs?.(code, values, own, tokens, seen, count);
  invariant(outputs, "the checker lets through only heads over encoders whose layers can be read");
  const extra = extraTokensOf(encoder, input);
  const inputs = input === null ? encoder.inputs : [input];
  return layers.map((layer) => {
    const output = outputs[layer - (last - count) - 1] as Tensor;
    const latent = layer === last ? normalize(output) : output;
    const maps = inputs.map(({ grid }, i) => {
      const patches =
        inputs.length === 1
          ? patchesOf(code, "patches", latent, { extra, count: tokenCount(grid) })
          : code.let("patches", tokensFrom, latent, { start: extra + i * tokenCount(grid), count: tokenCount(grid) });
      return code.let("map", placesApart, patches, { counts: countsOf(grid) });
    });
    return maps.length === 1 ? (maps[0] as Tensor) : code.let("joined", joinMaps, maps);
  });
}

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
  (code: Code, { definition, values }: Bound<Encoder>, w: WeightTree, seen: TokenOrigin) =>
  (tokens: Tensor): Tensor =>
    definition.normalize?.(code, values, w, tokens, seen) ?? tokens;

/** The same, of an encoder of the model. `input`: the one that alone is seen, of several. */
export const normalizationOf = (
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  input: InputPart | null = null,
): ((tokens: Tensor) => Tensor) =>
  normalization(code, encoder.block, weightsUnder(w, parts.branchOf(encoder.label)), seenBy(parts, encoder, w, input));

/** What the last layer of an encoder of the model makes of its tokens: see `lastLayer`. */
export const lastLayerOf = (
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  tokens: Tensor,
  { input = null, padding = null, ...beside }: Seeing,
): Encoded =>
  lastLayer(code, encoder.block, weightsUnder(w, parts.branchOf(encoder.label)), tokens, {
    ...seenBy(parts, encoder, w, input),
    padding,
    ...beside,
  });

/**
 * What the last layer of an encoder makes of tokens [B, V, D], [B, extra + V, D], with the normalisation that ends it, which may be
 * wanted elsewhere. Of an encoder whose layers cannot be read, its latent: nothing is left to be normalised.
 */
export function lastLayer(
  code: Code,
  encoder: Bound<Encoder>,
  w: WeightTree,
  tokens: Tensor,
  seen: TokenOrigin,
): Encoded {
  const { definition, values } = encoder;
  const [last] = definition.outputs?.(code, values, w, tokens, seen, 1) ?? [];
  if (last) return { tokens: last, normalize: normalization(code, encoder, w, seen) };
  return { tokens: definition.encode(code, values, w, tokens, seen), normalize: (x) => x };
}
