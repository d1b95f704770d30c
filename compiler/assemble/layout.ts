/** How many tokens there are at each place of a model. */

import { type Drop, type Hiding, tokenCount } from "../../blocks/index.js";
import type { InputPart, MaskPart, Parts } from "./parts.js";

export interface Layout {
  /** In front of the patches. */
  readonly extra: number;
  /** Patches of all inputs. */
  readonly count: number;
  readonly visible: number;
  readonly total: number;
}

export function layoutOf(parts: Parts): Layout {
  const extra = extraTokensOf(parts.encoder);
  const count = tokensOf(parts.encoder.inputs);
  const hidden = parts.masks.reduce((sum, mask) => sum + tokensOf(mask.over) - visibleOf(mask), 0);
  return { extra, count, visible: count - hidden, total: extra + count };
}

/** Tokens that an encoder puts in front of the patches. */
export const extraTokensOf = ({ block: { definition, values } }: Parts["encoder"]): number =>
  definition.extraTokens(values);

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

/** What enters the encoder in place of hidden tokens: as the mask says, or else as the model's own decoder asks. */
export function hidingOf({ masks, objectives, encoder }: Pick<Parts, "masks" | "objectives" | "encoder">): Hiding {
  const { maps } = encoder.block.definition;
  if (maps) return maps.hiding;
  const [mask] = masks;
  const said = mask?.block.definition.hiding?.(mask.block.values) ?? null;
  return said ?? (objectives[0]?.decoder.definition.reads === "every" ? "token" : "drop");
}

/** What is left out at random in training, of the encoder and then of the head. */
export function dropsOf({ encoder, inputs, classes }: Parts): { readonly [K in "encoder" | "head"]: readonly Drop[] } {
  const { definition, values } = encoder.block;
  if (inputs.length > 1) return { encoder: [], head: [] };
  const context = { encoderWidth: definition.width(values) };
  return {
    encoder: definition.drops?.(values) ?? [],
    head: classes?.head.definition.drops?.(classes.head.values, context) ?? [],
  };
}

/** The same in one list, as it is fed. */
export const allDrops = (parts: Parts): readonly Drop[] => Object.values(dropsOf(parts)).flat();

/** The mask over the tokens of one input; null: they are never hidden. */
export const maskOver = ({ masks }: Parts, input: InputPart): MaskPart | null =>
  masks.find(({ over }) => over.includes(input)) ?? null;

/** The mask that lies over several inputs; null: each has its own. */
export const jointMask = ({ masks }: Parts): MaskPart | null => masks.find(({ over }) => over.length > 1) ?? null;

/** Rows of the positions of an input for tokens in front of it: those of an encoder that reads nothing else. */
export function extraRows({ encoders }: Parts, input: InputPart): number {
  const reader = encoders.find(({ reads }) => reads.length === 1 && reads[0] === input);
  return reader ? extraTokensOf(reader) : 0;
}
