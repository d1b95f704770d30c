/** How many tokens there are at each place of a model, and what becomes of hidden ones. */

import { type DecoderContext, type Drop, type HeadContext, type Hiding, tokenCount } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import {
  type EncoderPart,
  type HeadPart,
  type InputPart,
  isEncoder,
  type MaskPart,
  type Objective,
  type Parts,
} from "./parts.js";

export interface Layout {
  /** In front of the patches. */
  readonly extra: number;
  /** Patches of all inputs. */
  readonly count: number;
  readonly visible: number;
  readonly total: number;
}

/** Of what an encoder gives; if none is named, of the features of the model. */
export function layoutOf(parts: Parts, encoder = parts.encoder): Layout {
  const extra = extraTokensOf(encoder);
  const count = tokensOf(encoder.inputs);
  const masks = parts.masks.filter(({ over }) => over.some((input) => encoder.inputs.includes(input)));
  const hidden = masks.reduce((sum, mask) => sum + tokensOf(mask.over) - visibleOf(mask), 0);
  return { extra, count, visible: count - hidden, total: extra + count };
}

/**
 * Tokens in front of the patches of what an encoder gives: those that it puts there, and those of the encoders that it reads. `only`: where
 * it sees one of its inputs alone. Of latents none does: they stand where patches do.
 */
export const extraTokensOf = ({ block, inputs, reads, latents }: EncoderPart, only: InputPart | null = null): number =>
  latents
    ? 0
    : ownFront({ block, inputs }) +
      reads.reduce((sum, read) => sum + (isEncoder(read) && isUnder(read, only) ? extraTokensOf(read, only) : 0), 0);

/** Layers that can be asked for of what an encoder gives: those of its latents, where they have some. */
export const layersOf = ({ block: { definition, values }, latents }: EncoderPart): number =>
  latents?.definition.layers?.(latents.values) ?? definition.layers(values);

/** Tokens in front of the patches of what a decoder reads: latents, behind which there are none of patches, or those of the encoder. */
export const frontOf = (encoder: EncoderPart): number =>
  encoder.latents ? encoder.latents.definition.count(encoder.latents.values) : extraTokensOf(encoder);

/** Class tokens and separators that an encoder puts in front of the patches of its inputs. */
export const ownFront = ({ block, inputs }: Pick<EncoderPart, "block" | "inputs">): number =>
  block.definition.extraTokens(block.values) + separatorsOf({ block, inputs });

/** Of those, what stands for no sample. */
export const separatorsOf = ({
  block: { definition, values },
  inputs: [first],
}: Pick<EncoderPart, "block" | "inputs">): number => (first && definition.separators?.(values, first.grid)) ?? 0;

/** Whether what an encoder reads has to do with an input; null: with any. */
export const isUnder = (read: InputPart | EncoderPart, input: InputPart | null): boolean =>
  input === null || (isEncoder(read) ? read.inputs.includes(input) : read === input);

/** The input whose patches a head sees, of several the first. */
export const headInput = ({ latent: { encoder, input } }: Pick<HeadPart, "latent">): InputPart =>
  input ?? (encoder.inputs[0] as InputPart);

/** The inputs that a head sees. */
export const headInputs = ({ latent: { encoder, input } }: HeadPart): readonly InputPart[] =>
  input === null ? encoder.inputs : [input];

/** What a head is told of what it reads. */
export function headContext(head: HeadPart): HeadContext {
  const { definition, values } = head.latent.encoder.block;
  return {
    encoderWidth: definition.width(values),
    levels: definition.maps?.levels(values) ?? null,
    layers: definition.layers(values),
    inputs: headInputs(head),
  };
}

/** Maps that the encoder gives, as decoders are told of them. */
export function mapsUnder({ block: { definition, values }, inputs }: EncoderPart): DecoderContext["maps"] {
  if (!definition.maps) return null;
  const { array, grid } = inputs[0] as InputPart;
  return {
    levels: definition.maps.levels(values),
    sizes: array.axes.map(({ size }) => size),
    cell: grid[0]?.size ?? 1,
  };
}

/** Patches of some inputs together. */
export const tokensOf = (inputs: readonly InputPart[]): number =>
  inputs.reduce((sum, { grid }) => sum + tokenCount(grid), 0);

/** Where the patches of an input begin among those of several, one input after the other. */
export const startIn = (inputs: readonly InputPart[], input: InputPart): number =>
  tokensOf(inputs.slice(0, inputs.indexOf(input)));

/** Tokens that a mask leaves visible. */
export const visibleOf = ({ block: { definition, values }, over }: MaskPart): number =>
  over.length > 1 && definition.joint
    ? definition.joint.visible(
        values,
        over.map(({ grid }) => tokenCount(grid)),
      )
    : definition.visible(values, (over[0] as InputPart).grid);

/**
 * What enters the encoder in place of the hidden tokens of an input: as its mask says, or else as the first decoder asks that predicts it,
 * or that reads it. null: no mask hides any.
 */
export function hidingOf(parts: Pick<Parts, "masks" | "objectives" | "encoders">, input: InputPart): Hiding | null {
  const mask = maskOver(parts, input);
  if (!mask) return null;
  const maps = parts.encoders.find(({ reads }) => reads.includes(input))?.block.definition.maps;
  if (maps) return maps.hiding;
  const isJoint = mask.over.length > 1;
  const { objectives } = parts;
  const own = objectives.find((objective) => objective.input === input) ?? objectives[0];
  const said = mask.block.definition.hiding?.(mask.block.values) ?? null;
  return said ?? (!isJoint && own?.decoder.definition.reads === "every" ? "token" : "drop");
}

/** Whether every token of an input is among what its encoder gives. */
export const isWhole = (parts: Parts, input: InputPart): boolean => (hidingOf(parts, input) ?? "token") !== "drop";

/** Whether the number of visible tokens of an input differs from batch to batch. */
export function variesOver(parts: Parts, input: InputPart): boolean {
  const mask = maskOver(parts, input);
  const { definition, values } = mask?.block ?? {};
  return mask?.over.length === 1 && (definition?.varies?.counts(values as never, input.grid).length ?? 0) > 1;
}

/** The inputs that a decoder has to do with: those that its encoder sees, and behind them one that it predicts and that encoder does not. */
export const inputsOf = ({ latent: { inputs }, input, together }: Objective): readonly InputPart[] =>
  together || inputs.includes(input) ? inputs : [...inputs, input];

/** What is left out at random in training, as it is fed: of each encoder, then of each head. */
export const dropsOf = ({
  encoders,
  heads,
}: Parts): readonly { readonly part: EncoderPart | HeadPart; readonly drops: readonly Drop[] }[] => [
  ...encoders.map((part) => ({ part, drops: part.block.definition.drops?.(part.block.values) ?? [] })),
  ...heads.map((part) => ({
    part,
    drops: part.block.definition.drops?.(part.block.values, headContext(part)) ?? [],
  })),
];

/** Whether something is left out of an encoder, or of those that it reads. */
export const isDropping = ({ block: { definition, values }, reads }: EncoderPart): boolean =>
  (definition.drops?.(values) ?? []).length > 0 || reads.some((read) => isEncoder(read) && isDropping(read));

/** Whether a model predicts codes of its only input, of which it can make more than it is given. */
export const generates = ({ inputs: [input, another], objectives: [objective] }: Parts): boolean =>
  input?.codes !== undefined && !another && objective?.target.definition.ofCodes === true;

/** The mask over the tokens of one input; null: they are never hidden. */
export const maskOver = ({ masks }: Pick<Parts, "masks">, input: InputPart): MaskPart | null =>
  masks.find(({ over }) => over.includes(input)) ?? null;

/** The mask that lies over several inputs; null: each has its own. */
export const jointMask = ({ masks }: Pick<Parts, "masks">): MaskPart | null =>
  masks.find(({ over }) => over.length > 1) ?? null;

/** Rows of the positions of an input for tokens in front of it: those of the encoders that read nothing else. */
export function extraRows({ encoders }: Pick<Parts, "encoders">, input: InputPart): number {
  const readers = encoders.filter(({ reads }) => reads.length === 1 && reads[0] === input);
  return Math.max(0, ...readers.map(ownFront));
}

/** The input of a model that has one: what only such models have is built of it. */
export function onlyInput({ inputs }: Parts): InputPart {
  const [only, another] = inputs;
  invariant(only && !another, "the checker lets through only models of one input here");
  return only;
}
