/** The weights of heads and of losses: how wide heads of vectors are, and where all of these stand. */

import type { Head, LossContext, ParameterTree } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { type Branches, type Growing, type Owner, ownNetworks, putBeside, putUnder } from "./branches.js";
import { extraTokensOf, headContext, headInput } from "./layout.js";
import {
  type EncoderPart,
  encoderUnder,
  type HeadPart,
  type InputPart,
  isVectors,
  type LabelledLoss,
  type Objective,
  type VectorPart,
} from "./parts.js";

/** Numbers of what stands for a view. */
export const vectorWidth = (part: EncoderPart | VectorPart): number =>
  isVectors(part) ? vectorsOf(part).width(part.block.values, vectorWidth(part.reads)) : widthOf(part);

export function vectorsOf({ block }: VectorPart): NonNullable<Head["vectors"]> {
  const { vectors } = block.definition;
  invariant(vectors, "a head of vectors gives them");
  return vectors;
}

/** Adds a head of vectors. */
export function putVectors(branches: Branches, part: VectorPart): void {
  const { label, block, reads } = part;
  const encoder = encoderUnder(part);
  const context = {
    width: vectorWidth(reads),
    grid: (encoder.inputs[0] as InputPart).grid,
    extra: extraTokensOf(encoder),
  };
  putBeside(branches.at(label), vectorsOf(part).parameters(block.values, context), headOwner(label));
}

export const headOwner = (label: string | null): Owner => ({
  parts: label === null ? ["head"] : ["head", `head.${label}`],
  role: "head",
  label,
});

/** Adds a head and what its losses train; gives the branches of the losses. */
export function putHead(branches: Branches, head: HeadPart): readonly (string | null)[] {
  const { label, block, latent, losses } = head;
  const growing = branches.at(label);
  const encoderWidth = widthOf(latent.encoder);
  putBeside(growing, block.definition.parameters(block.values, headContext(head)), headOwner(label));
  const context = { encoderWidth, array: headInput({ latent }).array };
  return losses.map((loss) => putLoss(growing, loss, context, null));
}

/** Of losses that judge no patches. */
function seesNothing(): never {
  invariant(false, "the checker lets through only losses of patches that read layers");
}

/** Adds the weights of a loss; gives their branch. `target`: the label of its target. */
export function putLoss(
  growing: Growing,
  { definition, values, label }: LabelledLoss,
  context: Omit<LossContext, "seeing">,
  target: string | null,
  seeing: LossContext["seeing"] = seesNothing,
): string | null {
  const weights = definition.parameters?.(values, { ...context, seeing }) ?? {};
  const owner = objectiveOwner(target, "loss", ...(label === null ? [] : [`loss.${label}`]));
  if (label === null) putBeside(growing, weights, owner);
  else {
    growing.owners.set(weights, owner);
    ownNetworks(growing.owners, weights, owner);
  }
  return label === null || isEmpty(weights) ? null : putUnder(growing, weights, label);
}

/** Part of a target: with a label by the target's name, as the model's own by that of its slot. */
export const objectiveOwner = (label: string | null, slot: string, ...narrower: readonly string[]): Owner => ({
  parts: label === null ? [slot, ...narrower] : [`target.${label}`],
  role: [slot, ...narrower].join("/"),
  label,
});

const isEmpty = (tree: ParameterTree): boolean => Object.keys(tree).length === 0;

/** Numbers that an objective predicts for each patch. */
export const outputsOf = ({ target: { definition, values }, input, latent, imitates }: Objective): number =>
  definition.outputs(values, {
    ...input,
    width: widthOf(latent),
    predicted: imitates && outputsOf(imitates),
  });

/** Features of what an encoder gives: of its tokens, or of the latents that alone go on. */
export const widthOf = ({ block: { definition, values }, latents }: EncoderPart): number =>
  latents ? latents.definition.width(latents.values) : definition.width(values);
