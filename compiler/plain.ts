/** Whether a model is one that other libraries have too: one input cut into patches, one plain vision transformer over them. */

import { isOverlapping, type PlainModel } from "../blocks/index.js";
import { type InputPart, type Objective, partsOf } from "./assemble/parts.js";
import type { Model } from "./model.js";

/** What of a spec keeps a model from being one of others, and why. */
export interface NotPlain {
  readonly part: string;
  readonly why: string;
}

/** What a model is elsewhere, or which part of its spec has no counterpart. */
export function plainModel(model: Model): PlainModel | NotPlain {
  const { inputs, encoders, encoder, objectives, heads } = partsOf(model);
  const [input] = inputs as readonly [InputPart];
  if (inputs.length > 1) return { part: "input", why: `it reads ${inputs.length} inputs` };
  if (encoders.length > 1) return { part: "encoder", why: `it has ${encoders.length} encoders` };
  const plain = encoder.block.definition.transformer?.(encoder.block.values);
  if (!plain)
    return {
      part: "encoder",
      why: `\`${encoder.block.definition.name}\` as it is written is no plain vision transformer`,
    };
  const common = { name: model.name, array: input.array, grid: input.grid, encoder: plain };
  if (isOverlapping(input.grid)) return { part: "tokens", why: "its patches overlap" };
  const [only, another] = heads;
  if (another || (only && objectives.length > 0)) return { part: "head", why: "it has more than a head" };
  if (only) {
    const { definition, values } = only.block;
    if (values.norm === "own") return { part: "head", why: "it has a LayerNorm of its own" };
    const head = { classes: definition.classes(values), pool: String(values.pool ?? "") };
    return { ...common, decoder: null, head, normalize: null };
  }
  const [own] = objectives as readonly [Objective];
  const decoder = own.decoder.definition.transformer?.(own.decoder.values) ?? null;
  if (!decoder) return { part: "decoder", why: `\`${own.decoder.definition.name}\` is no plain transformer` };
  const { normalize } = own.target.values as { readonly normalize?: string };
  return { ...common, decoder, head: null, normalize: normalize ?? null };
}
