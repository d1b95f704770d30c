/** Blocks among the values of another block. */

import { type Definition, kindOf, type Requirement } from "./block.js";
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

/**
 * The condition that those of a block among the values hold too, which nobody else asks. `seen`: what it is told of the model; null: that
 * cannot be said, since another condition fails.
 */
export const soundWithin = <C>(
  at: string,
  seen: (context: C, p: Readonly<Record<string, unknown>>) => C | null = (context) => context,
): Requirement<Params, C> => {
  const broken = (p: Readonly<Record<string, unknown>>, context: C) => {
    const { block, values } = p[at] as BlockValue;
    const told = seen(context, p);
    const requires = (block.requires ?? []) as readonly Requirement<Params, C>[];
    return told === null
      ? null
      : (requires
          .map((one) => ({ one, values: values as never, told }))
          .find(({ one, told }) => !one.holds(values as never, told)) ?? null);
  };
  return {
    name: `sound-${at}`,
    at,
    doc: `What \`${at}\` names is sound by its own conditions.`,
    holds: (p, context) => broken(p, context) === null,
    say(p, context) {
      const found = broken(p, context);
      return `\`${(p as Readonly<Record<string, BlockValue>>)[at]?.block.name}\`: ${found?.one.say(found.values, found.told)}`;
    },
    help(p, context) {
      const found = broken(p, context);
      return (
        found?.one.help?.(found.values, found.told) ??
        `see the conditions of \`${(p as Readonly<Record<string, BlockValue>>)[at]?.block.name}\``
      );
    },
  };
};

/** The values with null for those that are absent, also of blocks among them. */
export function withAbsent<P extends Params>(params: P, written: WrittenOf<P>): ValuesOf<P> {
  const absent = Object.keys(params).map((name) => [name, null]);
  const whole = Object.entries(written).map(([name, value]) => [
    name,
    isBlockValue(value) ? { ...value, values: withAbsent(value.block.params, value.values) } : value,
  ]);
  return Object.fromEntries([...absent, ...whole]) as ValuesOf<P>;
}
