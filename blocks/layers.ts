/**
 * The layers of a model's encoders, counted from the input: how far each weight is from the head, by which learning rates decay, and
 * which weights a recipe leaves as they are.
 */

import { mapParameters, namedParameters, type ParameterTree } from "./parameters.js";
import type { ModelProgram } from "./program.js";

type Layered = Pick<ModelProgram, "parameters" | "backbone">;

/** `audio.blocks` stands under `audio`, `blocks` under nothing. */
const placeOf = (branch: string): string => branch.slice(0, Math.max(0, branch.lastIndexOf(".")));

/** The element of a list that a weight belongs to, `blocks.3` of `blocks.3.attn.qkv.weight`; null: it is in none. */
const elementOf = (name: string): string | null => /^(?:.*\.)?\d+(?=\.|$)/.exec(name)?.[0] ?? null;

/** The weights of what sees inputs, with their layers: 0 before the first block, then one for each block; null: after all blocks. */
function encoderLayers({ parameters, backbone = [] }: Layered): ReadonlyMap<string, number | null> {
  const layers = new Map<string, number | null>();
  const blocks = new Map<string, string[]>();
  for (const [name] of namedParameters(parameters)) {
    const branch = backbone.find((one) => name === one || name.startsWith(`${one}.`));
    if (branch === undefined) continue;
    const place = placeOf(branch);
    const passed = blocks.get(place) ?? [];
    blocks.set(place, passed);
    const element = elementOf(name.slice(place.length));
    if (element !== null && passed.at(-1) !== element) passed.push(element);
    layers.set(name, element !== null ? passed.length : passed.length === 0 ? 0 : null);
  }
  return layers;
}

/**
 * The share of the learning rate that each weight has, by name: the whole for what comes after the last block, and for each layer before
 * it `decay` times as much as for the next one, the embedding being the first. The groups of the official fine-tuning of MAE.
 */
export function layerScales(program: Layered, decay: number): ReadonlyMap<string, number> {
  const layers = encoderLayers(program);
  const last = Math.max(0, ...[...layers.values()].map((layer) => layer ?? 0)) + 1;
  return new Map(
    [...namedParameters(program.parameters)].map(([name]) => [name, decay ** (last - (layers.get(name) ?? last))]),
  );
}

/** What a recipe leaves as it is. */
export interface Freezing {
  /** All that sees an input, or what comes before the first block of that. */
  readonly freeze?: "embedding" | "encoder" | null;
  /** So many blocks of each encoder, and what comes before them. */
  readonly freezeBlocks?: number | null;
}

/** The same model, of which some weights are not trained. */
export function frozenBy<P extends Layered & { readonly parameters: ParameterTree }>(
  program: P,
  { freeze = null, freezeBlocks = null }: Freezing,
): P {
  if (freeze === null && freezeBlocks === null) return program;
  const layers = encoderLayers(program);
  const upTo = Math.max(freeze === "embedding" ? 0 : -1, freezeBlocks ?? -1);
  const isFrozen = (name: string): boolean => {
    const layer = layers.get(name);
    return layer !== undefined && (freeze === "encoder" || (layer !== null && layer <= upTo));
  };
  const parameters = mapParameters(program.parameters, (parameter, name) =>
    isFrozen(name) ? { ...parameter, trainable: false } : parameter,
  );
  return { ...program, parameters };
}
