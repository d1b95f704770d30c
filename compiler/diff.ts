/**
 * What is different between two models, as a reader would say it: by slot and value, in cost, and weight by weight. Says
 * whether a checkpoint of the one is of use in the other.
 */

import { batchInputs, type ModelProgram, parameterShapes, weightsOf } from "../blocks/index.js";
import { createBuilder, printGraph, sameShape } from "../graph/index.js";
import { type Assembly, assemble, programOf } from "./assemble/assemble.js";
import { blockText, valueText } from "./check/show.js";
import type { Filled, Model, Use } from "./model.js";
import { type Cost, costOf } from "./plan.js";
import { modelSlot, takesMany } from "./slots.js";

/** `path`: `mask`, `encoder.depth`, `target region.loss mse.weight`; of a line that comes or goes, its slot and label. Values are written as in a spec. */
export type Change =
  | { readonly kind: "added"; readonly path: string; readonly to: string }
  | { readonly kind: "removed"; readonly path: string; readonly from: string }
  | { readonly kind: "changed"; readonly path: string; readonly from: string; readonly to: string };

/** A number of the one model and of the other. */
export interface FromTo {
  readonly from: number;
  readonly to: number;
}

type Dims = readonly number[];

/** `missing`: the other model has no such weight. `new`: the first has none, so that it would begin untrained. */
export type WeightChange =
  | { readonly name: string; readonly status: "same" | "reshaped"; readonly from: Dims; readonly to: Dims }
  | { readonly name: string; readonly status: "missing"; readonly from: Dims }
  | { readonly name: string; readonly status: "new"; readonly to: Dims };

export interface ModelDiff {
  readonly from: string;
  readonly to: string;
  readonly changes: readonly Change[];
  readonly parameters: FromTo;
  readonly tokens: { readonly total: FromTo; readonly visible: FromTo };
  /** Matrix products for one image; see `Plan.flops`. */
  readonly flops: { readonly forward: FromTo; readonly training: FromTo };
  readonly weights: readonly WeightChange[];
  /** Whether a checkpoint of the first loads in the second as it is: every weight there, none left over. */
  readonly loads: boolean;
  /** Whether it also computes the same there: features of any image, and predictions under the same mask. */
  readonly sameNetwork: boolean;
}

/**
 * Compares two models without findings.
 * @param stored the weights of a checkpoint of `a`, by name; without it those that `a` declares
 */
export function diff(a: Model, b: Model, stored?: ReadonlyMap<string, Dims>): ModelDiff {
  const [first, second] = [assemble(a), assemble(b)];
  const weights = weightChanges(stored ?? parameterShapes(first.parameters), parameterShapes(second.parameters));
  const loads = weights.every(({ status }) => status === "same");
  const [from, to] = [costOf(a), costOf(b)];
  const both = (read: (cost: Cost) => number): FromTo => ({ from: read(from), to: read(to) });
  return {
    from: a.name,
    to: b.name,
    changes: lineChanges(a.slots, b.slots, ""),
    parameters: both((cost) => cost.parameters),
    tokens: { total: both((cost) => cost.tokens.total), visible: both((cost) => cost.tokens.visible) },
    flops: { forward: both((cost) => cost.flops.forward), training: both((cost) => cost.flops.training) },
    weights,
    loads,
    sameNetwork: loads && computeAlike(first, second),
  };
}

/** What tells a line apart from others of its slot. */
function keyOf({ slot, label, use }: Filled): string {
  if (label !== null) return `${slot} ${label}`;
  const rule = modelSlot(slot);
  return rule && takesMany(rule) ? `${slot} ${use.definition.name}` : slot;
}

const placeOf = ({ slot, label }: Filled, within: string): string =>
  within + (label === null ? slot : `${slot} ${label}`);

const useText = ({ definition, values }: Use): string => blockText(definition, values);

/** Differences between lines, those of the first model's order first. `within`: the path of the line around them. */
function lineChanges(from: readonly Filled[], to: readonly Filled[], within: string): readonly Change[] {
  const others = new Map(to.map((line) => [keyOf(line), line]));
  const known = new Set(from.map(keyOf));
  const before = from.flatMap((line): readonly Change[] => {
    const other = others.get(keyOf(line));
    const path = within + keyOf(line);
    return other
      ? changesOf(line, other, path)
      : [{ kind: "removed", path: placeOf(line, within), from: useText(line.use) }];
  });
  const added = to.filter((line) => !known.has(keyOf(line)));
  return [
    ...before,
    ...added.map((line) => ({ kind: "added", path: placeOf(line, within), to: useText(line.use) }) as const),
  ];
}

function changesOf(a: Filled, b: Filled, path: string): readonly Change[] {
  const inner = lineChanges(a.inner, b.inner, `${path}.`);
  if (a.use.definition.name !== b.use.definition.name) {
    return [{ kind: "changed", path, from: useText(a.use), to: useText(b.use) }, ...inner];
  }
  const values = Object.entries(b.use.definition.params).flatMap(([name, { type }]): readonly Change[] => {
    const [from, to] = [a.use, b.use].map(({ values }) => valueText(type, values[name] ?? null)) as [string, string];
    return from === to ? [] : [{ kind: "changed", path: `${path}.${name}`, from, to }];
  });
  return [...values, ...inner];
}

function weightChanges(from: ReadonlyMap<string, Dims>, to: ReadonlyMap<string, Dims>): readonly WeightChange[] {
  const before = [...from].map(([name, shape]): WeightChange => {
    const other = to.get(name);
    if (!other) return { name, status: "missing", from: shape };
    return { name, status: sameShape(shape, other) ? "same" : "reshaped", from: shape, to: other };
  });
  const fresh = [...to].filter(([name]) => !from.has(name));
  return [...before, ...fresh.map(([name, shape]) => ({ name, status: "new", to: shape }) as const)];
}

/** Whether two models with the same weights compute the same from them, whatever each of them hides. */
function computeAlike(a: Assembly, b: Assembly): boolean {
  const [first, second] = [programOf(a), programOf(b)];
  const same = (read: (program: ModelProgram) => unknown): boolean =>
    JSON.stringify(read(first)) === JSON.stringify(read(second));
  if (!same(({ arrays }) => arrays) || !same(({ grids }) => grids)) return false;
  // One mask for both: which patches are hidden is no property of the network.
  const [x, y] = [first, { ...second, masks: first.masks }].map(networkText);
  return x === y;
}

function networkText(program: ModelProgram): string {
  const g = createBuilder({ batch: 1 });
  const w = weightsOf(g, program.parameters);
  const batch = batchInputs(g, program);
  const features = program.features(g, w, batch);
  const prediction = program.predict?.(g, w, batch);
  return printGraph(g.finish({ outputs: { features, ...(prediction ? { prediction } : {}) } }));
}
