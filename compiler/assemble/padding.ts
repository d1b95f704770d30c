/** What keeps attention from what is behind the end of a text, wherever texts stand in a sequence. */

import {
  type Batch,
  type Code,
  type Places,
  paddingAround,
  paddingBias,
  placesOfText,
  sequencePadding,
  takeFlags,
  tokenCount,
} from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { arrayIn, placesIn, placesOf, readsOf, type Sight } from "./input-tokens.js";
import { extraTokensOf, isUnder, isWhole, jointMask } from "./layout.js";
import { type EncoderPart, type InputPart, isEncoder, type Parts } from "./parts.js";

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
  const front = reads.reduce((sum, read) => sum + (isEncoder(read) ? extraTokensOf(read, only) : 0), 0);
  return paddingIn(code, inputs, batch, { front, seenOf, joint: joint && placesIn(joint, batch) });
}

/**
 * What keeps attention from what is behind the end of texts among inputs that stand one after the other, behind `front` tokens; null: there
 * is no text. `seenOf`: what is seen of an input, where not all is; `joint`: what is of all together.
 */
export function paddingIn(
  code: Code,
  inputs: readonly InputPart[],
  batch: Batch,
  {
    front,
    seenOf = () => null,
    joint = null,
  }: { readonly front: number; readonly seenOf?: (input: InputPart) => Places | null; readonly joint?: Places | null },
): Tensor | null {
  const texts = inputs.filter(({ array }) => array.ids);
  if (texts.length === 0) return null;
  const flags = texts.map((input) => {
    const all = code.let("places", placesOfText, arrayIn(input, batch));
    const places = seenOf(input);
    return places ? code.let("seen_places", takeFlags, all, places.visible) : all;
  });
  const counts = inputs.map((input) =>
    input.array.ids ? null : (seenOf(input)?.visible.shape[1] ?? tokenCount(input.grid)),
  );
  const told = { counts: front > 0 ? [front, ...counts] : counts };
  return code.let("padding", sequencePadding, flags, told, ...(joint ? [joint.visible] : []));
}

/** The text that an encoder reads alone; null: it reads something else. */
export function textOf({ reads: [read, another] }: EncoderPart): InputPart | null {
  return !read || another || isEncoder(read) || !read.array.ids ? null : read;
}

/** Whether there is a text among what an encoder reads. */
export const readsText = ({ inputs }: EncoderPart): boolean => inputs.some(({ array }) => array.ids !== undefined);

/** What keeps attention to what an encoder gives from what is behind the end of a text: its tokens in front count. */
export const paddingBehindFront = (
  code: Code,
  { block: { definition, values } }: EncoderPart,
  padding: Tensor | null,
): Tensor | null => {
  const front = definition.extraTokens(values);
  return padding && front > 0 ? code.let("padding", paddingAround, padding, { front }) : padding;
};
