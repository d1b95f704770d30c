/** Whether a model is one that other libraries have too: one input, and one plain vision transformer over its patches or one encoder of maps. */

import { isOverlapping, type PlainModel, type StagedModel } from "../blocks/index.js";
import { type HeadPart, type InputPart, partsOf } from "./assemble/parts.js";
import type { Model } from "./model.js";

/** What of a spec keeps a model from being one of others, and why. */
export interface NotPlain {
  readonly part: string;
  readonly why: string;
}

/** What a model is elsewhere, or which part of its spec has no counterpart. */
export function plainModel(model: Model): PlainModel | StagedModel | NotPlain {
  const { inputs, encoders, encoder, objectives, heads } = partsOf(model);
  const [input] = inputs as readonly [InputPart];
  if (inputs.length > 1) return { part: "input", why: `it reads ${inputs.length} inputs` };
  if (encoders.length > 1) return { part: "encoder", why: `it has ${encoders.length} encoders` };
  const { definition, values } = encoder.block;
  const [plain, stages] = [definition.transformer?.(values), definition.staged?.(values)];
  const name = `\`${definition.name}\``;
  if (!plain && !stages) return { part: "encoder", why: `${name} as it is written is no model that others have` };
  if (isOverlapping(input.grid)) return { part: "tokens", why: "its patches overlap" };
  const [only, another] = heads;
  if (another || (only && objectives.length > 0)) return { part: "head", why: "it has more than a head" };
  const head = only ? classifierOf(only) : null;
  if (head && "why" in head) return head;
  const common = { name: model.name, array: input.array, head };
  const [own] = objectives;
  if (stages) {
    const { definition: read, values: of } = own?.decoder ?? {};
    return { ...common, stages, decoder: read?.staged?.(of as never) ?? null };
  }
  if (!plain) return { part: "encoder", why: `${name} as it is written is no model that others have` };
  const tokens = { ...common, grid: input.grid, encoder: plain };
  if (head) return { ...tokens, decoder: null, normalize: null };
  if (!own) return { part: "decoder", why: "it predicts nothing" };
  const decoder = own.decoder.definition.transformer?.(own.decoder.values) ?? null;
  if (!decoder) return { part: "decoder", why: `\`${own.decoder.definition.name}\` is no plain transformer` };
  const { normalize } = own.target.values as { readonly normalize?: string };
  return { ...tokens, decoder, normalize: normalize ?? null };
}

/** Classes and what is pooled, of a head that others have. */
function classifierOf({ block: { definition, values } }: HeadPart): NonNullable<PlainModel["head"]> | NotPlain {
  if (values.norm === "own") return { part: "head", why: "it has a LayerNorm of its own" };
  if (typeof values.pool !== "string") return { part: "head", why: `\`${definition.name}\` is no classifier` };
  return { classes: definition.classes(values), pool: values.pool };
}
