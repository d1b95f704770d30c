/**
 * The kinds of parameter a block can have. A parameter says its range, unit, default and words once; checking,
 * hover, completion, documentation tables and the TypeScript type of the block's argument are derived from it.
 */

import type { AxisName } from "./arrays.js";
import type { Kind } from "./kinds.js";

/** `V` is what block code receives. */
export interface Param<V> {
  readonly type: ParamType;
  /** One sentence, ends with a full stop. */
  readonly doc: string;
  /** If absent, must be written. */
  readonly default?: V;
}

/** A learning rate: `1.5e-4 per 256` samples of the effective batch, or absolute when `per` is null. */
export interface RateValue {
  readonly value: number;
  readonly per: number | null;
}

export interface DurationValue {
  readonly amount: number;
  readonly unit: "epochs" | "steps";
}

/** A value that may move during training: a plain number, or from its first step on to another. */
export type ScheduleValue =
  | number
  | {
      readonly from: number;
      readonly to: number;
      /** `training`: a share of the whole. */
      readonly over: DurationValue | { readonly amount: number; readonly unit: "training" };
    };

/** A value drawn anew for each batch, uniformly between two ends; at which places between them says the block. */
export interface DrawnValue {
  readonly low: number;
  readonly high: number;
}

export type ParamType =
  | { readonly kind: "int"; readonly min: number; readonly max: number }
  /** `openMin`: the minimum itself is not allowed. */
  | { readonly kind: "real"; readonly min: number; readonly max: number; readonly openMin: boolean }
  /** Written `75%`, given as 0.75. The ends are allowed unless open. */
  | { readonly kind: "ratio"; readonly min: number; readonly max: number; readonly open: boolean }
  /** `224x192`: so many sides, of two height x width; `count` null: as many as are written, `2x16x16`. */
  | { readonly kind: "size"; readonly min: number; readonly max: number; readonly count: number | null }
  | { readonly kind: "choice"; readonly options: Readonly<Record<string, string>> }
  | { readonly kind: "flag" }
  | { readonly kind: "text" }
  /** `(0.9, 0.95)`; `length` null: any number of them. */
  | { readonly kind: "reals"; readonly length: number | null; readonly min: number; readonly max: number }
  /** `20%..100%` (ratios) or `0.75..1.33` (reals). */
  | { readonly kind: "interval"; readonly of: "ratio" | "real"; readonly min: number; readonly max: number }
  | { readonly kind: "rate"; readonly min: number }
  | { readonly kind: "duration"; readonly min: number }
  /** `75%` or `0.996`, or one that moves: `100% -> 0% over 30 epochs`. */
  | {
      readonly kind: "schedule";
      readonly of: "ratio" | "real";
      readonly min: number;
      readonly max: number;
      /** Whether the ends are not allowed. */
      readonly open: boolean;
      /** Whether it may also be drawn: `50%..90%`. */
      readonly drawn: boolean;
    }
  | { readonly kind: "block"; readonly of: Kind }
  /** `[audio, image]`: labels of lines. `parts`: also what a line makes of one input, `joint.audio`. `views`: names of views instead. */
  | { readonly kind: "labels"; readonly parts: boolean; readonly views?: true }
  /** `"runs/mae".encoder`, or several in brackets: parts of files or runs. */
  | { readonly kind: "sources" }
  /** `head`, or several in brackets: parts of a model. */
  | { readonly kind: "parts" }
  /** `Images`, or several in brackets: recipes, by name. */
  | { readonly kind: "recipes" }
  /** `[row, column]`: axes of an array, by name. */
  | { readonly kind: "axes" }
  /** `16 kHz`, given in hertz; `25 ms`, given in milliseconds. */
  | { readonly kind: "quantity"; readonly of: Measure; readonly min: number; readonly max: number };

/** A part of what is in a file or a run; null: all of it. */
export interface SourceValue {
  readonly file: string;
  readonly part: string | null;
}

export type Measure = "frequency" | "time";

/** The units of each measure, by how much they are of the first one. */
export const measureUnits = {
  frequency: { Hz: 1, kHz: 1000 },
  time: { ms: 1, s: 1000 },
} as const satisfies Readonly<Record<Measure, Readonly<Record<string, number>>>>;

export type Params = Readonly<Record<string, Param<unknown>>>;
export type ValuesOf<P extends Params> = { readonly [K in keyof P]: P[K] extends Param<infer V> ? V : never };

type AbsentOf<P extends Params> = { [K in keyof P]: null extends ValuesOf<P>[K] ? K : never }[keyof P];

/** The values as an emitted program writes them: without those that are absent. */
export type WrittenOf<P extends Params> = Omit<ValuesOf<P>, AbsentOf<P>> & Partial<Pick<ValuesOf<P>, AbsentOf<P>>>;

/** What is said of every parameter. */
export interface Words<V> {
  readonly doc: string;
  readonly default?: V;
}

export const param = <V>(type: ParamType, words: Words<V>): Param<V> => ({
  type,
  doc: words.doc,
  ...(words.default === undefined ? {} : { default: words.default }),
});

export const int = (o: Words<number> & { min?: number; max?: number }): Param<number> =>
  param({ kind: "int", min: o.min ?? 0, max: o.max ?? 2 ** 31 - 1 }, o);

export const real = (o: Words<number> & { min?: number; max?: number; openMin?: boolean }): Param<number> =>
  param({ kind: "real", min: o.min ?? -Infinity, max: o.max ?? Infinity, openMin: o.openMin ?? false }, o);

export const ratio = (o: Words<number> & { min?: number; max?: number; open?: boolean }): Param<number> =>
  param({ kind: "ratio", min: o.min ?? 0, max: o.max ?? 1, open: o.open ?? false }, o);

export const size = (
  o: Words<readonly [number, number]> & { min?: number; max?: number },
): Param<readonly [number, number]> => param({ kind: "size", min: o.min ?? 1, max: o.max ?? 65_536, count: 2 }, o);

/** Sides, one for each axis: `2x16x16`. `count` null: any number of them. */
export const sides = (
  o: Words<readonly number[]> & { min?: number; max?: number; count?: number },
): Param<readonly number[]> =>
  param({ kind: "size", min: o.min ?? 1, max: o.max ?? 65_536, count: o.count ?? null }, o);

/** Option names with their words. */
export const choice = <const O extends Readonly<Record<string, string>>>(
  o: Words<keyof O & string> & { options: O },
): Param<keyof O & string> => param({ kind: "choice", options: o.options }, o);

export const flag = (o: Words<boolean>): Param<boolean> => param({ kind: "flag" }, o);

export const text = (o: Words<string>): Param<string> => param({ kind: "text" }, o);

export const reals = (
  o: Words<readonly number[]> & { length?: number; min?: number; max?: number },
): Param<readonly number[]> =>
  param({ kind: "reals", length: o.length ?? null, min: o.min ?? -Infinity, max: o.max ?? Infinity }, o);

export const interval = (
  o: Words<readonly [number, number]> & { of: "ratio" | "real"; min?: number; max?: number },
): Param<readonly [number, number]> =>
  param({ kind: "interval", of: o.of, min: o.min ?? 0, max: o.max ?? (o.of === "ratio" ? 1 : Infinity) }, o);

export const rate = (o: Words<RateValue> & { min?: number }): Param<RateValue> =>
  param({ kind: "rate", min: o.min ?? 0 }, o);

export const duration = (o: Words<DurationValue> & { min?: number }): Param<DurationValue> =>
  param({ kind: "duration", min: o.min ?? 0 }, o);

export const schedule = (
  o: Words<ScheduleValue> & { of: "ratio" | "real"; min?: number; max?: number },
): Param<ScheduleValue> =>
  param(
    {
      kind: "schedule",
      of: o.of,
      min: o.min ?? 0,
      max: o.max ?? (o.of === "ratio" ? 1 : Infinity),
      open: false,
      drawn: false,
    },
    o,
  );

/** A share that may move during training, or be drawn for each batch: `75%`, `60% -> 90% over 100 epochs`, `50%..90%`. */
export const varyingRatio = (
  o: Words<ScheduleValue | DrawnValue> & { open?: boolean },
): Param<ScheduleValue | DrawnValue> =>
  param({ kind: "schedule", of: "ratio", min: 0, max: 1, open: o.open ?? false, drawn: true }, o);

export const labels = (o: Words<readonly string[]> & { parts?: boolean; views?: true }): Param<readonly string[]> =>
  param({ kind: "labels", parts: o.parts ?? false, ...(o.views ? { views: true } : {}) }, o);

export const sources = (o: Words<readonly SourceValue[]>): Param<readonly SourceValue[]> =>
  param({ kind: "sources" }, o);

export const parts = (o: Words<readonly string[]>): Param<readonly string[]> => param({ kind: "parts" }, o);

export const recipes = (o: Words<readonly string[]>): Param<readonly string[]> => param({ kind: "recipes" }, o);

export const axes = (o: Words<readonly AxisName[]>): Param<readonly AxisName[]> => param({ kind: "axes" }, o);

/** The values of a block of which nothing is written. */
export const defaultsOf = (params: Params): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(params).map(([name, param]) => [name, param.default]));

/** Hertz. */
export const frequency = (o: Words<number> & { min: number; max: number }): Param<number> =>
  param({ kind: "quantity", of: "frequency", min: o.min, max: o.max }, o);

/** Milliseconds. */
export const time = (o: Words<number> & { min: number; max: number }): Param<number> =>
  param({ kind: "quantity", of: "time", min: o.min, max: o.max }, o);

/** May be left out; block code then receives null. */
export const optional = <V>(inner: Param<V>): Param<V | null> => ({ type: inner.type, doc: inner.doc, default: null });
