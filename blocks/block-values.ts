/** Blocks among the values of another block. */

import { type Definition, kindOf } from "./block.js";
import type { Kind } from "./kinds.js";
import { type Param, type Params, param, type ValuesOf, type Words, type WrittenOf } from "./params.js";

/** A block used as a value: `source: felzenszwalb(scale: 1000)`. */
export interface BlockValue<D = Definition> {
  readonly block: D;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A parameter that takes a block of a kind; `D` is what a block of that kind is. */
export const blockParam = <D = Definition>(o: Words<BlockValue<D>> & { readonly of: Kind }): Param<BlockValue<D>> =>
  param({ kind: "block", of: o.of }, o);

export const isBlockValue = (value: unknown): value is BlockValue =>
  typeof value === "object" && value !== null && "block" in value && kindOf(value.block) !== undefined;

/** The values with null for those that are absent, also of blocks among them. */
export function withAbsent<P extends Params>(params: P, written: WrittenOf<P>): ValuesOf<P> {
  const absent = Object.keys(params).map((name) => [name, null]);
  const whole = Object.entries(written).map(([name, value]) => [
    name,
    isBlockValue(value) ? { ...value, values: withAbsent(value.block.params, value.values) } : value,
  ]);
  return Object.fromEntries([...absent, ...whole]) as ValuesOf<P>;
}
