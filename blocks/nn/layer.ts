/**
 * How the functions of `blocks/nn` are made: each carries its exported name, so that a recorded program can be printed.
 * Layers say their shapes in types; inside, the builder's looser types are claimed to be what the arithmetic gives.
 * A size that several arguments share is inferred from the first and `NoInfer` in the rest: TypeScript would otherwise
 * settle on the union of two different sizes and let them meet.
 */

import type { Builder, Dims, DType, Tensor } from "../../graph/index.js";
import type { ParameterTree } from "../parameters.js";

/** A function over the builder that emitted programs call by name; what each call records stands under a scope of its own. */
export const layer = <F extends (g: Builder, ...args: never[]) => unknown>(
  name: string,
  apply: F,
): F & { readonly layer: string } => {
  const scoped = (g: Builder, ...args: never[]) => g.scope(name, () => apply(g, ...args), "counted");
  return Object.assign(scoped as F, { layer: name });
};

const declaration: unique symbol = Symbol("declaration");

/** The call that declared a branch of a parameter tree: `linearParameters(49, 64)`. */
export interface DeclarationCall {
  readonly layer: string;
  /** The function itself. */
  readonly by: object;
  readonly args: readonly unknown[];
}

/** A function that declares weights; what it returns remembers the call, so that it can be printed. */
export const declarer = <A extends readonly unknown[], T extends object>(name: string, declare: (...args: A) => T) => {
  const declaring = (...args: A): T => {
    const tree = declare(...args);
    const call: DeclarationCall = { layer: name, by: declaring, args };
    Object.defineProperty(tree, declaration, { value: call });
    return tree;
  };
  return declaring;
};

/** The call that made a branch of a parameter tree, or undefined when it was written out. */
export const declarationOf = (tree: object): DeclarationCall | undefined =>
  (tree as { readonly [declaration]?: DeclarationCall })[declaration];

/** Whether an argument of a declaration is itself a branch of weights, or a record of such. */
export const isDeclared = (arg: unknown): arg is ParameterTree =>
  typeof arg === "object" &&
  arg !== null &&
  (declarationOf(arg) !== undefined || (!Array.isArray(arg) && Object.values(arg).some(isDeclared)));

/** Claims the literal shape of a tensor whose sizes the builder has checked at trace time. */
export const claim = <S extends Dims, T extends DType = "float32">(x: Tensor): Tensor<S, T> => x as Tensor<S, T>;

/** The same, where the type of the tensor is still to be computed from open sizes. */
export const claimAs = <T extends Tensor>(x: Tensor): T => x as T;
