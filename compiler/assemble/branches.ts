/** Trees of weights that are being put together: those without a label, and those of each. */

import { isGiven, type Lattice, namedParameters, type ParameterTree, type Weights } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { distinct } from "./names.js";

/** Weights of the whole model: tensors nested under the names of a checkpoint. */
export type WeightTree = Weights<{ readonly [name: string]: ParameterTree }>;

/** The part of a model that weights belong to. */
export interface Owner {
  /** Its names in a spec, the widest first: the encoder's positions are `encoder`, and `positions`. */
  readonly parts: readonly string[];
  /** Kind of part, the same in every model. */
  readonly role: string;
  readonly label: string | null;
  /** Of a position table: the tokens whose places it holds, and rows for others in front of them. */
  readonly table?: { readonly grid: Lattice; readonly extra: number };
  /** Of what reads an input: its channels. */
  readonly channels?: number;
  /** Of what reads an input by a kernel: the weight that does, by its name within the part; if absent, matrices over patches do. */
  readonly kernel?: string;
}

/** The branch of the weights that bear a label; null of null: the root. */
export type BranchOf = (label: string | null) => string | null;

export type OpenTree = Record<string, ParameterTree>;
export type Owners = Map<ParameterTree, Owner>;

/** Weights that are being put together. */
export interface Growing {
  readonly tree: OpenTree;
  readonly owners: Owners;
}

/** The weights of a model that are being put together: those without a label, and those of each. */
export class Branches {
  readonly owners: Owners = new Map();
  readonly root: Growing = { tree: {}, owners: this.owners };
  readonly #labelled = new Map<string, Growing>();

  /** Where the weights of a label go. */
  at(label: string | null): Growing {
    if (label === null) return this.root;
    const known = this.#labelled.get(label) ?? { tree: {}, owners: this.owners };
    this.#labelled.set(label, known);
    return known;
  }

  /** The branches of what is there now. */
  paths(): readonly { readonly label: string | null; readonly name: string }[] {
    const all: readonly (readonly [string | null, Growing])[] = [[null, this.root], ...this.#labelled];
    return all.flatMap(([label, { tree }]) => Object.keys(tree).map((name) => ({ label, name })));
  }

  /** The whole tree. A label stands as `label_2` where a weight at the root is called like it. */
  joined(): { readonly parameters: ParameterTree; readonly branchOf: BranchOf } {
    const tree: OpenTree = { ...this.root.tree };
    const names = new Map<string, string>();
    for (const [label, growing] of this.#labelled) {
      names.set(label, putUnder({ ...growing, tree }, growing.tree, label));
    }
    return { parameters: tree, branchOf: (label) => (label === null ? null : (names.get(label) ?? null)) };
  }

  /** The whole tree, with the names that labels have in another one. */
  joinedAs(branchOf: BranchOf): ParameterTree {
    const labelled = [...this.#labelled].map(([label, { tree }]) => [branchOf(label) ?? label, tree] as const);
    return { ...this.root.tree, ...Object.fromEntries(labelled) };
  }
}

/** Puts weights beside the others; two parts that use one name are a mistake in a block. */
export function putBeside({ tree, owners }: Growing, own: ParameterTree, owner: Owner): void {
  for (const branch of Object.values(own)) owners.set(branch as ParameterTree, owner);
  const twice = Object.keys(own).find((name) => name in tree);
  invariant(twice === undefined, `two blocks declare the weight ${twice}`);
  Object.assign(tree, own);
  ownNetworks(owners, own, owner);
}

/**
 * Networks that others have trained, among the branches of a block: each belongs to the block, and has the places of the encoder or decoder that
 * it was, or of what those are told of it.
 */
export function ownNetworks(owners: Owners, around: ParameterTree, { parts }: Owner): void {
  for (const network of Object.values(around) as readonly (ParameterTree | undefined)[]) {
    if (!network || !isGiven(network)) continue;
    owners.delete(around);
    owners.delete(network);
    const [[, { given: role = "encoder" }] = [null, {}]] = namedParameters(network);
    for (const part of Object.values(network) as ParameterTree[])
      owners.set(part, { role, label: null, ...owners.get(part), parts });
  }
}

/** Puts weights under a label, `label_2` where a weight is called like it; gives the name. */
export function putUnder({ tree }: Growing, own: ParameterTree, label: string): string {
  const name = distinct(label, (other) => other in tree, "_");
  tree[name] = own;
  return name;
}

/** A place within weights that grow, made where there is none yet. */
export const nested = (growing: Growing, within: readonly string[]): Growing =>
  within.reduce<Growing>(({ tree, owners }, name) => {
    const inner = (tree[name] ?? {}) as OpenTree;
    tree[name] = inner;
    return { tree: inner, owners };
  }, growing);

/** What is put where a name stands already, when the labels of a model have theirs. `root`: the whole tree. */
export type Later = (root: OpenTree, branchOf: BranchOf) => void;

/** Keeps a name for weights that are made later. */
export function keepName(
  { tree, owners }: Growing,
  name: string,
  owner: Owner,
): (into: OpenTree, own: ParameterTree) => void {
  putBeside({ tree, owners }, { [name]: {} }, owner);
  return (into, own) => {
    owners.set(own, owner);
    into[name] = own;
  };
}

/** The weights under a branch. */
export const weightsUnder = (w: WeightTree, branch: string | null): WeightTree =>
  branch === null ? w : (w[branch] as WeightTree);
