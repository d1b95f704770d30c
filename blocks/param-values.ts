/** Whether a value is one that a spec could have written for a parameter: how defaults are checked. */

import { axisNames } from "./arrays.js";
import { kindOf } from "./block.js";
import { isBlockValue } from "./block-values.js";
import type { Param, ParamType } from "./params.js";

type Kind = ParamType["kind"];
type TypeOf<K extends Kind> = Extract<ParamType, { readonly kind: K }>;
type Fields = Readonly<Record<string, unknown>>;

const isBetween = (value: unknown, min: number, max: number): boolean =>
  typeof value === "number" && value >= min && value <= max;

const isWhole = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && isBetween(value, min, max);

const isRecord = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const isPair = (value: unknown): value is readonly [unknown, unknown] => Array.isArray(value) && value.length === 2;

const accepted: { readonly [K in Kind]: (value: unknown, type: TypeOf<K>) => boolean } = {
  int: (value, { min, max }) => isWhole(value, min, max),
  real: (value, { min, max, openMin }) => isBetween(value, min, max) && !(openMin && value === min),
  ratio: (value, { min, max, open }) => isBetween(value, min, max) && !(open && (value === min || value === max)),
  size: (sides, { min, max, count }) =>
    Array.isArray(sides) &&
    (count === null || sides.length === count) &&
    sides.every((side) => isWhole(side, min, max)),
  choice: (value, { options }) => typeof value === "string" && Object.hasOwn(options, value),
  flag: (value) => typeof value === "boolean",
  text: (value) => typeof value === "string",
  reals: (list, { length, min, max }) =>
    Array.isArray(list) &&
    (length === null || list.length === length) &&
    list.every((value) => isBetween(value, min, max)),
  interval: (ends, { min, max }) =>
    isPair(ends) && (ends[0] as number) <= (ends[1] as number) && ends.every((end) => isBetween(end, min, max)),
  rate: (value, { min }) =>
    isRecord(value) &&
    isBetween(value.value, min, Infinity) &&
    (value.per === null || isBetween(value.per, 1, Infinity)),
  duration: (value, { min }) =>
    isRecord(value) && isBetween(value.amount, min, Infinity) && (value.unit === "epochs" || value.unit === "steps"),
  schedule: (value, { min, max, open, drawn }) => {
    const ends = isRecord(value)
      ? drawn && "low" in value
        ? [value.low, value.high]
        : [value.from, value.to]
      : [value];
    return ends.every((end) => isBetween(end, min, max) && !(open && (end === min || end === max)));
  },
  block: (value, { of }) =>
    isBlockValue(value) &&
    kindOf(value.block) === of &&
    Object.entries(value.block.params).every(([name, { type }]) => fits(type, value.values[name])),
  axes: (list) => Array.isArray(list) && list.every((name) => (axisNames as readonly string[]).includes(name)),
  sources: (list) =>
    Array.isArray(list) &&
    list.every(
      (item) =>
        isRecord(item) && typeof item.file === "string" && (item.part === null || typeof item.part === "string"),
    ),
  parts: (list) => Array.isArray(list) && list.every((name) => typeof name === "string"),
  recipes: (list) => Array.isArray(list) && list.every((name) => typeof name === "string"),
  quantity: (value, { min, max }) => isBetween(value, min, max),
  labels: (list) => Array.isArray(list) && list.every((label) => typeof label === "string"),
};

export const isParamKind = (kind: unknown): kind is Kind => typeof kind === "string" && Object.hasOwn(accepted, kind);

/** Whether the default is one that a spec could have written; null stands for a parameter that may be left out. */
export const hasFittingDefault = ({ type, default: value }: Param<unknown>): boolean =>
  value === undefined || fits(type, value);

const fits = (type: ParamType, value: unknown): boolean =>
  value === null || (accepted[type.kind] as (value: unknown, type: ParamType) => boolean)(value, type);
