/** What a model reads of a batch: tokens of each input with their positions, and which of them an encoder sees. */

import {
  addMark,
  addPositions,
  type Batch,
  type Code,
  codesInput,
  countsOf,
  knownCodes,
  type Places,
  placeNames,
  resizePositions,
  restoreTokens,
  restoreZeros,
  type TokenOrigin,
  takeTokens,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { type BranchOf, type WeightTree, weightsUnder } from "./branches.js";
import { corruptedText } from "./fields.js";
import { extraRows, generates, hidingOf, isUnder, maskOver, ownFront } from "./layout.js";
import { type EncoderPart, type InputPart, isEncoder, type MaskPart, type Parts } from "./parts.js";
import { computedPositions, isPlacedAgain, isTurned, turnedBy, withFront } from "./placing.js";
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

/** array [B, ...axes, C] -> the codes that its tokens are, int32 [B, N] */
export function codesIn(code: Code, { branchOf }: Placed, input: InputPart, w: WeightTree, array: Tensor): Tensor {
  const { tokens } = input;
  invariant(tokens?.definition.codes, "the checker lets through only tokens that are codes here");
  const own = weightsUnder(w, branchOf(input.label));
  return tokens.definition.codes.of(code, tokens.values, own, array, input.array);
}

/** codes int32 [B, N] -> what they look like, [B, ...axes, C] */
export function codesDrawn(code: Code, { branchOf }: Placed, input: InputPart, w: WeightTree, codes: Tensor): Tensor {
  const { tokens, grid, array, label } = input;
  invariant(tokens?.definition.codes, "the checker lets through only tokens that are codes here");
  return tokens.definition.codes.draw(code, tokens.values, weightsUnder(w, branchOf(label)), codes, grid, array);
}

/** The tokens of a batch [B, N, D]: of codes, those of what is fed in their place, where it is. */
function embedSeen(code: Code, parts: Placed, input: InputPart, w: WeightTree, batch: Batch): Tensor {
  const { tokens } = input;
  const array = arrayIn(input, batch);
  if (!tokens?.definition.codes || !generates(parts)) return embed(code, parts, input, w, array);
  const own = weightsUnder(w, parts.branchOf(input.label));
  const known = code.let("known", knownCodes, codesIn(code, parts, input, w, array), batch[codesInput]);
  return tokens.definition.codes.embed(code, tokens.values, own, known);
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
  const placed =
    isPlacedAgain(input) || isTurned(input)
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
  const tokens = embedSeen(code, parts, input, w, batch); // [B, N, D]
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

/** What an encoder adds to its tokens before each layer, where it does, or how it turns queries and keys there. */
export function againFor(
  code: Code,
  parts: Placed,
  encoder: EncoderPart,
  w: WeightTree,
  batch: Batch,
  sight: Sight,
): Pick<TokenOrigin, "again" | "turned"> {
  const [read, another] = encoder.reads;
  if (!read || another || isEncoder(read)) return {};
  const seen = sight === "seen" && hidingOf(parts, read) === "drop" ? placesOf(parts, batch, read) : null;
  const turned = turnedBy(code, read, ownFront(encoder), seen);
  if (turned) return { turned };
  if (!isPlacedAgain(read)) return {};
  const own = weightsUnder(w, parts.branchOf(read.label))[encoderPositions] as WeightTree;
  const positions = computedPositions(code, read, own, arrayIn(read, batch), seen ?? undefined);
  return { again: withFront(code, positions, own) };
}

/** Of a sample: every token of its arrays, or what a mask lets an encoder see of them. */
export type Sight = "whole" | "seen";

/** The parts that an encoder reads, of all its inputs or of one alone. */
export const readsOf = ({ reads }: EncoderPart, only: InputPart | null): readonly (InputPart | EncoderPart)[] =>
  reads.filter((read) => isUnder(read, only));
