/** Which part of a model each weight belongs to, and its place there: what a key map goes by instead of names. */

import {
  type Initializer,
  isParameter,
  type Lattice,
  type LatticeAxis,
  type Parameter,
  type ParameterTree,
} from "../../blocks/index.js";
import type { Span } from "../../grammar/index.js";
import { invariant } from "../../graph/index.js";
import type { Model } from "../model.js";
import type { Owner } from "./branches.js";
import { partsOf } from "./parts.js";
import { modelWeights } from "./weights.js";

/** What the rows of a position table stand for: `extra` tokens in front of those of a lattice. */
export interface TablePlaces {
  readonly axes: readonly Pick<LatticeAxis, "name" | "count">[];
  readonly extra: number;
  /** Present where the places lie in the other order: along the first of two axes first. */
  readonly turned?: true;
}

export interface OwnedWeight extends Pick<Owner, "parts" | "role" | "label"> {
  /** In a checkpoint. */
  readonly name: string;
  /** Its name within its part. */
  readonly local: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly init: Initializer;
  /** Whether it comes from elsewhere, and stays as it is. */
  readonly given: boolean;
  /** Name of the weight that it follows; null: none. */
  readonly follows: string | null;
  /** Of a position table. */
  readonly table: TablePlaces | null;
  /** Of a matrix over patches, or a kernel over the input: channels of the input. */
  readonly channels: number | null;
}

/** Stages of pipelines take from the same models again and again. */
const known = new WeakMap<Model, readonly OwnedWeight[]>();

/** The weights of a model without findings, in the order in which they are declared. */
export function ownedWeights(model: Model): readonly OwnedWeight[] {
  const weights = known.get(model) ?? weightsOf(model);
  known.set(model, weights);
  return weights;
}

function weightsOf(model: Model): readonly OwnedWeight[] {
  const parts = partsOf(model);
  const { parameters, owners } = modelWeights(parts);
  const found: OwnedWeight[] = [];
  const visit = (tree: ParameterTree, path: readonly string[], part: { owner: Owner; depth: number } | null): void => {
    const owner = owners.get(tree);
    // The outermost owner counts: what an adversary has of its own is the adversary's.
    const within = part ?? (owner ? { owner, depth: path.length - 1 } : null);
    if (!isParameter(tree)) {
      for (const [key, branch] of Object.entries(tree)) visit(branch as ParameterTree, [...path, key], within);
      return;
    }
    invariant(within, `the weight ${path.join(".")} belongs to no part`);
    found.push(owned(tree, path, within.owner, path.slice(within.depth).join(".")));
  };
  visit(parameters, [], null);
  return found;
}

/** Where a model's text says the part that a weight belongs to: the narrowest that is written; null: none is. */
export function lineOfWeight(model: Model, name: string): Span | null {
  const parts = ownedWeights(model).find((weight) => weight.name === name)?.parts ?? [];
  for (const part of [...parts].reverse()) {
    const [slot, label = null] = part.split(".");
    const lines = model.slots.filter((line) => line.slot === slot && line.use.origin.how !== "default");
    const line = lines.find((one) => one.label === label) ?? lines.find((one) => one.label === null);
    if (line) return line.use.origin.span;
  }
  return null;
}

/** Names of the parts of a model, a wider one before those in it. */
export const partNames = (weights: readonly OwnedWeight[]): readonly string[] => [
  ...new Set(weights.flatMap(({ parts }) => parts)),
];

function owned(
  { shape, trainable, init, given, follows, places, over, steps }: Parameter,
  path: readonly string[],
  { parts, role, label, table: tokens, channels: read, kernel }: Owner,
  local: string,
): OwnedWeight {
  const table = steps ? stepTable(steps) : tokens ? tableOf(tokens.grid, tokens.extra, places) : null;
  const readsInput = over === "patches" || kernel === local;
  const channels = readsInput ? (read ?? null) : null;
  const own = {
    shape: shape.map(Number),
    trainable,
    init,
    given: given !== undefined,
    follows: follows ?? null,
    table,
    channels,
  };
  return { name: path.join("."), parts, role, label, local, ...own };
}

const windowAxes = ["depth", "row", "column"] as const;

/** A table of steps along the axes of a window, the last of which are rows and columns. */
const stepTable = (steps: readonly number[]): TablePlaces => {
  const names = windowAxes.slice(-steps.length);
  return { axes: names.map((name, i) => ({ name, count: steps[i] as number })), extra: 0 };
};

/** Of a table that others are added to, the places that are its own. */
function tableOf(grid: Lattice, extra: number, places: Parameter["places"]): TablePlaces {
  switch (places) {
    case undefined:
      return { axes: grid, extra };
    case "first axis":
      return { axes: grid.slice(0, 1), extra: 0 };
    case "other axes":
      return { axes: grid.slice(1), extra: 0 };
    case "front":
      return { axes: [], extra };
  }
}
