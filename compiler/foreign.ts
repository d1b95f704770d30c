/**
 * How a model starts from weights that others trained: the key map of a stage, from a file instead of an earlier stage. A weight of the
 * file belongs to the part of the model that has one of its name.
 */

import { tokenCount } from "../blocks/index.js";
import { type OwnedWeight, ownedWeights, partNames, type TablePlaces } from "./assemble/owners.js";
import { keyMap } from "./key-map.js";
import type { Mapping } from "./mapping.js";
import type { Model } from "./model.js";
import type { WeightsFile } from "./weights-file.js";

/** Where the weights of a model come from, if they come from a file. */
export interface ForeignMap {
  readonly mappings: readonly Mapping[];
  /** Parts that would start from scratch and that `fresh` does not name, the widest first. */
  readonly unsaid: readonly string[];
  /** Names in `fresh` that no part of the model has. */
  readonly unknown: readonly string[];
  /** Weights in blocks that are taken, for which the model has none. */
  readonly strange: readonly string[];
  readonly parts: readonly string[];
}

/**
 * Maps the weights of a file, by name and shape, to those of a model.
 * @param source what the file is called
 * @param fresh parts that may start from scratch
 * @param adapt whether patches may have other channels
 */
export function foreignMap(
  model: Model,
  source: string,
  { shapes, channels, turned }: Pick<WeightsFile, "shapes" | "channels" | "turned">,
  { fresh = [], adapt = false }: { readonly fresh?: readonly string[]; readonly adapt?: boolean } = {},
): ForeignMap {
  const own = ownedWeights(model);
  const weights = foreignWeights(own, { shapes, channels, ...(turned ? { turned } : {}) });
  const { mappings } = keyMap(own, [{ stage: source, part: null, weights }], adapt);
  const parts = partNames(own);
  const missing = mappings.flatMap((mapping) => (mapping.status === "new" ? [mapping.parts] : []));
  const unsaid = missing
    .filter((names) => !names.some((name) => fresh.includes(name)))
    .map(([widest]) => widest as string);
  return {
    mappings,
    unsaid: [...new Set(unsaid)],
    strange: strangeWeights(own, shapes.keys()),
    unknown: fresh.filter((name) => !parts.includes(name)),
    parts,
  };
}

/** The part that weights of a file belong to where a model has none of their names. */
export const foreignParts = "file";

/** The weights of a file, by name and shape, as those that a model of the weights `own` could take. */
export function foreignWeights(
  own: readonly OwnedWeight[],
  { shapes, channels, turned }: Pick<WeightsFile, "shapes" | "channels" | "turned">,
): readonly OwnedWeight[] {
  const byName = new Map(own.map((weight) => [weight.given ? weight.local : weight.name, weight]));
  return [...shapes].map(([name, shape]) => {
    const weight = foreignWeight(name, shape, byName.get(name));
    const table = weight.table && turned?.has(name) ? { ...weight.table, turned: true as const } : weight.table;
    return { ...weight, table, channels: channels.get(name) ?? null };
  });
}

/**
 * Weights of a file in blocks that a model takes, for which the model has none: what such a block computes is not what it computes here.
 */
export function strangeWeights(own: readonly OwnedWeight[], names: Iterable<string>): readonly string[] {
  const blockOf = (name: string): string => /^(?:.*\.)?(\w*blocks|stages\.\d+|layer\d+)\.\d+\./.exec(name)?.[0] ?? "";
  const known = new Set(own.map(({ name }) => name));
  const blocks = new Set([...known].map(blockOf));
  return [...names].filter((name) => !known.has(name) && blockOf(name) !== "" && blocks.has(blockOf(name)));
}

function foreignWeight(name: string, shape: readonly number[], own: OwnedWeight | undefined): OwnedWeight {
  if (own) return { ...own, shape, table: own.table && tableOf(shape, own.table) };
  const init = { kind: "zeros" } as const;
  return {
    name,
    parts: [foreignParts],
    role: foreignParts,
    label: null,
    local: name,
    shape,
    trainable: true,
    init,
    given: false,
    follows: null,
    table: null,
    channels: null,
  };
}

/**
 * The places of a table in the file: those of the model where there are as many; else rows and columns may be other ones, as many of each,
 * or the times may be. null: none of it.
 */
function tableOf(shape: readonly number[], { axes, extra }: TablePlaces): TablePlaces | null {
  const places = (shape.at(-2) ?? 0) - extra;
  if (places === tokenCount(axes)) return { axes, extra };
  for (const free of [["row", "column"], ["time"]]) {
    const others = axes.filter(({ name }) => !free.includes(name));
    const side = Math.round((places / tokenCount(others)) ** (1 / free.length));
    const isFree = axes.length - others.length === free.length;
    if (isFree && side > 0 && side ** free.length * tokenCount(others) === places) {
      return { axes: axes.map((axis) => (free.includes(axis.name) ? { ...axis, count: side } : axis)), extra };
    }
  }
  return null;
}
