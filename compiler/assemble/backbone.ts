/** Encoders of a model, with the model's weights or with a copy of them: what they are given, and what they make of it. */

import {
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
  type LossInputs,
  type Places,
  paddingAround,
  patchesOf,
  placesApart,
  placesInRow,
  type TokenOrigin,
  tokenCount,
  tokensFrom,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import {
  againFor,
  arrayIn,
  type Placed,
  placedTokens,
  placesIn,
  placesOf,
  readsOf,
  type Sight,
  seenTokens,
  takeVisible,
} from "./input-tokens.js";
import { dropsOf, extraTokensOf, jointMask, variesOver } from "./layout.js";
import { paddingBehindFront, paddingFor } from "./padding.js";
import {
  type EncoderPart,
  type Features,
  type HeadPart,
  type InputPart,
  isEncoder,
  mapsOf,
  networkBeside,
  type Parts,
} from "./parts.js";
import { isPlacedAgain, isTurned } from "./placing.js";
import { encoderPositions } from "./weights.js";

/** The tokens of several, one after the other, [B, sum of N, D]. */
const joined = (code: Code, name: string, [first, ...rest]: readonly Tensor[]): Tensor =>
  rest.reduce<Tensor>((all, tokens) => code.let(name, joinTokens, all, tokens), first as Tensor);

/** What is left out of an encoder or a head at random, in a function of a batch. */
export type Dropping = Pick<TokenOrigin, "drops">;
const nothingDropped: Dropping = {};

/** What an encoder is told besides its tokens, where there is something to tell. */
interface Seeing extends Dropping, Pick<TokenOrigin, "again" | "turned"> {
  /** The input that alone is seen, of several. */
  readonly input?: InputPart | null;
  readonly padding?: Tensor | null;
}

/** What is left out of an encoder of the model, or of a head. */
export function droppedIn(parts: Parts, batch: Batch, part: EncoderPart | HeadPart): Dropping {
  const all = dropsOf(parts);
  const at = all.findIndex((own) => own.part === part);
  // Of a model that is trained on views, whole samples are never seen in training.
  const isJudging = parts.streams.length > 0 && parts.stream === null;
  if (isJudging || (all[at]?.drops.length ?? 0) === 0) return nothingDropped;
  const first = all
    .slice(0, at)
    .reduce((sum, { drops }) => sum + drops.reduce((own, drop) => own + drop.numbers, 0), 0);
  return { drops: { values: batch[feedName(parts.stream, dropsInput)], first } };
}

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
      const told = toldOf(code, parts, read, w, batch, sight, only);
      return encodeTokens(code, parts, read, w, below, { input: only, ...drops, ...told });
    }
    return sight === "whole" || joint
      ? placedTokens(code, parts, read, w, arrayIn(read, batch))
      : seenTokens(code, parts, read, w, batch);
  });
  const tokens = sequenceOf(code, parts, reads, given, sight, only);
  return joint && !reads.some(isEncoder) ? takeVisible(code, tokens, placesIn(joint, batch)) : tokens;
}

/**
 * What an encoder is told of a batch besides its tokens: where its texts end, and what is added before each layer. `only`: where it sees one
 * of its inputs alone.
 */
export const toldOf = (
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  batch: Batch,
  sight: Sight,
  only: InputPart | null = null,
): Pick<TokenOrigin, "padding" | "again" | "turned"> => ({
  padding: paddingFor(code, parts, encoder, batch, sight, only),
  ...againFor(code, parts, encoder, w, batch, sight),
});

/** What an encoder is told of the tokens that it sees. `input`: the one that alone is seen, of several. */
export function seenBy(
  { branchOf }: Placed,
  { reads, block }: EncoderPart,
  w: WeightTree,
  input: InputPart | null,
): TokenOrigin {
  const [only, another] = reads;
  const lying = block.definition.everyToken && only && !isEncoder(only) ? { grid: only.grid } : {};
  const positions =
    only && !another && !isEncoder(only) && !isPlacedAgain(only) && !isTurned(only)
      ? (weightsUnder(w, branchOf(only.label))[encoderPositions] as Tensor)
      : null;
  return { positions, input: another ? (input?.label ?? null) : null, padding: null, ...lying };
}

/** tokens [B, V, D] of all that an encoder reads, or of `input` alone -> latent [B, extra + V, D], or latents [B, count, width] */
export function encodeTokens(
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  tokens: Tensor,
  { input = null, padding = null, turned, ...beside }: Seeing = {},
): Tensor {
  const { definition, values } = encoder.block;
  const { latents } = encoder;
  const own = weightsUnder(w, parts.branchOf(encoder.label));
  const entered = latents ? latents.definition.enter(code, latents.values, own, tokens) : tokens;
  const behind = (entered.shape[1] as number) - (tokens.shape[1] as number);
  const counted = padding && behind > 0 ? code.let("padding", paddingAround, padding, { behind }) : padding;
  const turning = turned && { turned: { ...turned, turns: (width: number) => turned.turns(width, behind) } };
  const seen = { ...seenBy(parts, encoder, w, input), padding: counted, ...beside, ...turning };
  const encoded = definition.encode(code, values, own, entered, seen);
  if (!latents) return encoded;
  return latents.definition.leave(code, latents.values, own, encoded, paddingBehindFront(code, encoder, counted));
}

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
  return encodeTokens(code, parts, encoder, w, tokens, {
    ...toldOf(code, parts, encoder, w, batch, "whole"),
    ...drops,
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
  const seen = { kept: places && keptUnder(code, input, places), places, ...drops };
  return mapsOf(definition).encode(code, values, own, arrayIn(input, batch), seen);
}

/**
 * Maps for a head that reads such: those of an encoder of maps, the finest first, or the patches of some layers of an encoder of tokens, laid out as
 * they lie; of several arrays cut alike, beside each other. The last one is normalised, or each.
 */
export function mapsOfLayers(
  code: Code,
  parts: Placed,
  { encoder, input }: Features,
  w: WeightTree,
  batch: Batch,
  {
    layers,
    normalizesAll,
    ...dropped
  }: Dropping & { readonly layers: readonly number[]; readonly normalizesAll: boolean },
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
  const told = toldOf(code, parts, encoder, w, batch, "whole", input);
  const seen = { ...seenBy(parts, encoder, w, input), ...told, ...dropped };
  const outputs = definition.outputs?.(code, values, own, tokens, seen, count);
  invariant(outputs, "the checker lets through only heads over encoders whose layers can be read");
  const extra = extraTokensOf(encoder, input);
  const inputs = input === null ? encoder.inputs : [input];
  return layers.map((layer) => {
    const output = outputs[layer - (last - count) - 1] as Tensor;
    const latent = normalizesAll || layer === last ? normalize(output) : output;
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

/** What losses read of what an encoder gives: its tokens, or the places of its deepest map. */
export const latentIn = (code: Code, { block }: EncoderPart, given: unknown): Tensor =>
  block.definition.maps ? deepestPlaces(code, given as readonly Tensor[]) : (given as Tensor);

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

/** What layers make of the tokens that an encoder sees: its own, and those of a given network in its place. */
export const layersSeen = (
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  batch: Batch,
): LossInputs["layers"] => ({
  own: (layer) => layerOf(code, parts, encoder, w, batch, layer, droppedIn(parts, batch, encoder)),
  given(block, own, layer) {
    const network = networkBeside(encoder, block);
    const seeing: Placed = { ...parts, encoders: [network], encoder: network, branchOf: () => null };
    return layerOf(code, seeing, network, own as WeightTree, batch, layer);
  },
});

/** What a layer, counted from 1, makes of the tokens that its encoder sees, before the final normalisation: [B, extra + V, D]. */
function layerOf(
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  batch: Batch,
  layer: number,
  drops: Dropping = nothingDropped,
): Tensor {
  const { definition, values } = encoder.block;
  const tokens = tokensFor(code, parts, encoder, w, batch, "seen");
  const own = weightsUnder(w, parts.branchOf(encoder.label));
  const seen = { ...seenBy(parts, encoder, w, null), ...toldOf(code, parts, encoder, w, batch, "seen"), ...drops };
  const count = definition.layers(values) - layer + 1;
  const [output] = definition.outputs?.(code, values, own, tokens, seen, count) ?? [];
  invariant(output, "the checker lets through only encoders whose layers can be read");
  return output;
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
