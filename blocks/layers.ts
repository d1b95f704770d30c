/**
 * The layers of a model's encoders, counted from the input: how far each weight is from the head, by which learning rates decay, and
 * which weights a recipe leaves as they are.
 */

import { mapParameters, namedParameters, type ParameterTree } from "./parameters.js";
import type { DurationValue } from "./params.js";
import type { ModelProgram } from "./program.js";

type Layered = Pick<ModelProgram, "parameters" | "backbone">;

/** `audio.blocks` stands under `audio`, `blocks` under nothing. Of a weight, the branch that has it. */
const placeOf = (branch: string): string => branch.slice(0, Math.max(0, branch.lastIndexOf(".")));

/** Blocks of stages: `stages.0.2`, `layer1.0`, `layers.0.blocks.1`. */
const ofStage = /^(?:.*\.)?(?:stages\.\d+|layer\d+|layers\.\d+\.blocks)\.\d+(?=\.)/;

/** Convolutions in front of the stages of ConvNeXt, all of which stand before the first: each belongs to the first block of its stage. */
const beforeStage = /^(.*\.)?downsample_layers\.(\d+)\./;

/** What merges places between stages of Swin, which belongs to the last block before it. */
const behindStage = /(^|\.)layers\.\d+\.downsample\./;

/** The element of a list that a weight belongs to, `blocks.3` of `blocks.3.attn.qkv.weight`; null: it is in none. `last`: the one before it. */
function elementOf(name: string, last: string | null): string | null {
  if (behindStage.test(name)) return last;
  const [down, place = "", stage] = beforeStage.exec(name) ?? [];
  if (down !== undefined) return `${place}stages.${stage}.0`;
  return ofStage.exec(name)?.[0] ?? /^(?:.*\.)?\d+(?=\.|$)/.exec(name)?.[0] ?? null;
}

/** The weights of what sees inputs, with their layers: 0 before the first block, then one for each block; null: after all blocks. */
function encoderLayers({ parameters, backbone = [] }: Layered): ReadonlyMap<string, number | null> {
  const blocks = new Map<string, Set<string>>();
  const elements = new Map<
    string,
    { readonly place: string; readonly element: string | null; readonly isFirst: boolean }
  >();
  let last: string | null = null;
  for (const [name] of namedParameters(parameters)) {
    const branch = backbone.find((one) => name === one || name.startsWith(`${one}.`));
    if (branch === undefined) continue;
    const place = placeOf(branch);
    const passed = blocks.get(place) ?? new Set();
    blocks.set(place, passed);
    const element = elementOf(name.slice(place.length), last);
    elements.set(name, { place, element, isFirst: passed.size === 0 });
    if (element === null || beforeStage.test(name)) continue;
    passed.add(element);
    last = element;
  }
  const numbers = new Map([...blocks].map(([place, passed]) => [place, [...passed]]));
  return new Map(
    [...elements].map(([name, { place, element, isFirst }]) => {
      if (element === null) return [name, isFirst ? 0 : null];
      return [name, (numbers.get(place) ?? []).indexOf(element) + 1];
    }),
  );
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
  /** All that sees an input, what comes before the first block of that, or of this what makes tokens of patches. */
  readonly freeze?: "patches" | "embedding" | "encoder" | null;
  /** So many blocks of each encoder, and what comes before them. */
  readonly freezeBlocks?: number | null;
  /** The weights that alone are trained, by name; if absent or null, all are. */
  readonly only?: readonly string[] | null;
  /** How long the prototypes that end heads stay; if absent or null, they are trained from the first step on. */
  readonly freezeLast?: DurationValue | null;
}

/** The branches of matrices that read the values of patches: their biases stand beside them. */
const patchBranches = (parameters: ParameterTree): readonly string[] =>
  [...namedParameters(parameters)].flatMap(([name, { over }]) => (over === "patches" ? placeOf(name) : []));

/** The same model, of which some weights are not trained. */
export function frozenBy<P extends Layered & { readonly parameters: ParameterTree }>(
  program: P,
  { freeze = null, freezeBlocks = null, only = null }: Freezing,
): P {
  if (freeze === null && freezeBlocks === null && only === null) return program;
  const layers = encoderLayers(program);
  const upTo = Math.max(freeze === "embedding" ? 0 : -1, freezeBlocks ?? -1);
  const trained = only && new Set(only);
  const patches = freeze === "patches" ? patchBranches(program.parameters) : [];
  const isFrozen = (name: string): boolean => {
    if (trained && !trained.has(name)) return true;
    if (layers.has(name) && patches.includes(placeOf(name))) return true;
    const layer = layers.get(name);
    return layer !== undefined && (freeze === "encoder" || (layer !== null && layer <= upTo));
  };
  const parameters = mapParameters(program.parameters, (parameter, name) =>
    isFrozen(name) ? { ...parameter, trainable: false } : parameter,
  );
  return { ...program, parameters };
}
