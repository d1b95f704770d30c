/**
 * Declarations of a model's weights: nested records whose paths are the names in a checkpoint
 * (`blocks.0.attn.qkv.weight`). Declaring makes no numbers; `initialize` does.
 */

import type { Dims, Tensor } from "../graph/index.js";

/** How a weight starts. Closed set; `initialize` has one case for each. */
export type Initializer =
  | { readonly kind: "zeros" }
  | { readonly kind: "ones" }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal"; readonly std: number }
  /** Cut at two standard deviations. */
  | { readonly kind: "truncated_normal"; readonly std: number }
  /** U(-b, b) */
  | { readonly kind: "uniform"; readonly bound: number }
  /** U(-b, b) with b = sqrt(6 / (fanIn + fanOut)), of an [out, in] matrix. */
  | { readonly kind: "xavier_uniform" }
  /** Rows of length 1 that point anywhere, each direction as likely as another. */
  | { readonly kind: "unit_rows" }
  /**
   * Fixed sine-cosine table [1, extra + N, D] for N places, so many along each axis; the first `extra` rows are zero. `flat`: of the
   * place in the sequence, whatever the axes.
   */
  | {
      readonly kind: "sin_cos";
      readonly counts: readonly number[];
      readonly extra: number;
      readonly order?: "flat";
      /** Numbers of the axes that are encoded; if absent, all. */
      readonly along?: readonly number[];
    };

export interface Parameter<S extends Dims = Dims> {
  readonly shape: S;
  readonly init: Initializer;
  /** A fixed table is stored and counted, but has no gradient. */
  readonly trainable: boolean;
  /** A token that is learned, or the positions of tokens: added to tokens, and no matrix. */
  readonly token?: true;
  /** Of a matrix that reads the values of patches, the channel fastest. */
  readonly over?: "patches";
  /** Of a table of positions that others are added to: the axes of the tokens whose places it has. If absent, all, and tokens in front. */
  readonly places?: "first axis" | "other axes" | "front";
  /** Of a table of the steps between two places of a window: how many there are along each axis. */
  readonly steps?: readonly number[];
  /** No weight but what a layer knows of the samples that it has seen, such as a running mean: the layer moves it, and no optimizer. */
  readonly state?: true;
  /** Of a network that others have trained: it comes from a file or an earlier stage, where it was this, and stays as it is. */
  readonly given?: "encoder" | "decoder";
  /** Of the prototypes that end a head: a recipe may leave them as they are for a while. */
  readonly last?: true;
  /** Name of the weight that it starts as and follows slowly; it has no gradient. */
  readonly follows?: string;
}

/** A branch that is undefined is none: TypeScript takes `{ a?: Parameter }` for a record that may hold it. */
export type ParameterTree =
  | Parameter
  | readonly ParameterTree[]
  | { readonly [name: string]: ParameterTree | undefined };

/** The tensors of a parameter tree, in the same nesting. */
export type Weights<T> =
  T extends Parameter<infer S>
    ? Tensor<S, "float32">
    : T extends readonly (infer E)[]
      ? number extends T["length"]
        ? readonly Weights<E>[]
        : { readonly [K in keyof T]: Weights<T[K]> }
      : { readonly [K in keyof T]: Weights<T[K]> };

export const isParameter = (tree: ParameterTree): tree is Parameter => "init" in tree && "shape" in tree;

/** A trainable weight. */
export const parameter = <const S extends Dims>(shape: S, init: Initializer): Parameter<S> => ({
  shape,
  init,
  trainable: true,
});

/** A stored table that training leaves alone. */
export const fixed = <const S extends Dims>(shape: S, init: Initializer): Parameter<S> => ({
  shape,
  init,
  trainable: false,
});

/** What a tree holds by name or place. */
const branchesOf = (tree: ParameterTree): readonly (readonly [key: string, branch: ParameterTree])[] =>
  Object.entries(tree).filter(([, branch]) => branch !== undefined);

/** Whether some of a network's weights come from elsewhere. */
export const isGiven = (tree: ParameterTree): boolean =>
  [...namedParameters(tree)].some(([, { given }]) => given !== undefined);

/** What a layer knows of the samples that it has seen. */
export const running = <const S extends Dims>(shape: S, init: Initializer): Parameter<S> => ({
  shape,
  init,
  trainable: false,
  state: true,
});

/** All parameters with their dotted names, in declaration order. */
export function* namedParameters(tree: ParameterTree, path = ""): Generator<readonly [string, Parameter]> {
  if (isParameter(tree)) {
    yield [path, tree];
    return;
  }
  for (const [key, branch] of branchesOf(tree)) {
    yield* namedParameters(branch, path === "" ? key : `${path}.${key}`);
  }
}

/** The same nesting with something else in the place of each parameter, made of it and its dotted name. */
export function mapParameters<R>(tree: ParameterTree, make: (parameter: Parameter, name: string) => R): unknown {
  const at = (branch: ParameterTree, path: string): unknown => {
    if (isParameter(branch)) return make(branch, path);
    const below = (key: string, inner: ParameterTree) => at(inner, path === "" ? key : `${path}.${key}`);
    if (Array.isArray(branch)) return branch.map((inner: ParameterTree, i) => below(String(i), inner));
    return Object.fromEntries(branchesOf(branch).map(([key, inner]) => [key, below(key, inner)]));
  };
  return at(tree, "");
}

/** Whether layers keep something of the samples that they have seen. */
export const hasStates = (tree: ParameterTree): boolean =>
  [...namedParameters(tree)].some(([, { state }]) => state === true);

/** The shapes of all parameters by their dotted names, in declaration order. */
export const parameterShapes = (tree: ParameterTree): ReadonlyMap<string, readonly number[]> =>
  new Map([...namedParameters(tree)].map(([name, { shape }]) => [name, shape.map(Number)]));
