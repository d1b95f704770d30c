/**
 * Lints: what papers and their issue trackers know of models and recipes that run and then disappoint. One row a lint; each sees
 * checked values alone, and says which of them it judges by. Where those stand in a text is the checker's business.
 */

import type { ArrayShape } from "../arrays.js";
import type { Bound, Definition } from "../block.js";
import type { DurationValue, Params, ValuesOf } from "../params.js";
import { mustBe } from "../registry.js";
import type { Lattice } from "../sets.js";

/** A line of a model, with the slots in its braces. */
export interface LintLine {
  readonly slot: string;
  readonly label: string | null;
  readonly use: Bound;
  readonly inner: readonly LintLine[];
}

/** A checked recipe and the model that it trains. */
export interface LintRecipe {
  readonly model: readonly LintLine[];
  readonly data: Bound;
  /** Of a model of several inputs, the data of the others. */
  readonly beside?: readonly Bound[];
  readonly augment: readonly Bound[];
  readonly optimizer: Bound;
  readonly schedule: Bound;
  readonly evaluate: readonly { readonly use: Bound; readonly every: DurationValue | null }[];
  readonly settings: Readonly<Record<string, { readonly value: unknown }>>;
}

/** What was found where the data was looked at. */
export interface DataFacts {
  /** Of the training split. */
  readonly samples: number;
  /** Of the test split; null: there is none. */
  readonly testSamples: number | null;
  /** Classes by the labels; 0: there are no labels. */
  readonly classes: number;
}

/** Something that is judged: a block, a value of it, or a setting of a recipe. */
export type Place = { readonly block: Bound; readonly value?: string } | { readonly setting: string };

/** What a lint has to say of a model or a recipe. */
export interface Remark {
  /** What it is judged by; the first is what to change. */
  readonly places: readonly [Place, ...Place[]];
  /** What is there, with the numbers. */
  readonly message: string;
  /** What to write instead. */
  readonly help: string;
  /** Other text for the first place that means the same; if absent, whatever mends it changes what is trained. */
  readonly instead?: { readonly after: string };
}

/** What a lint is about: what the network is, how it is trained, what with, or how it is judged. */
export type LintCategory = "architecture" | "masking" | "objective" | "optimization" | "data" | "evaluation";

export interface Lint {
  /** `lint/long-warmup`: stable, one page in `spec/diagnostics/lint/`. */
  readonly code: `lint/${string}`;
  readonly category: LintCategory;
  readonly severity: "warning" | "info";
  /** Paper, issue tracker or program that says so. */
  readonly source: string;
  /** What is wrong, one sentence: the page's first. */
  readonly title: string;
  /** Why it matters, one sentence: said with every finding. */
  readonly reason: string;
  /** What else the page says. */
  readonly more: string;
  /** The page's example: what stands in the place of parts of the usual model and recipe. */
  readonly example: {
    readonly write: Readonly<Record<string, string>>;
    /** What mends it; if absent, the usual text. */
    readonly mended?: Readonly<Record<string, string>>;
    readonly data?: DataFacts;
  };
  readonly model?: (lines: readonly LintLine[]) => readonly Remark[];
  readonly recipe?: (recipe: LintRecipe) => readonly Remark[];
  /** Only where the data is looked at. */
  readonly data?: (recipe: LintRecipe, data: DataFacts) => readonly Remark[];
}

/** The values of a block where it is the one that is meant; else null. */
export const valuesOf = <P extends Params>(
  use: Bound | undefined,
  definition: { readonly name: string; readonly params: P },
): ValuesOf<P> | null =>
  use !== undefined && (use.definition as unknown) === definition ? (use.values as ValuesOf<P>) : null;

/** The blocks in a slot of a model, those in braces left out. */
export const inSlot = (lines: readonly LintLine[], slot: string): readonly Bound[] =>
  lines.filter((line) => line.slot === slot).map(({ use }) => use);

/** A value of a block as a place. */
export const at = (block: Bound, value: string): Place => ({ block, value });

export const settingOf = ({ settings }: Pick<LintRecipe, "settings">, name: string): number | null =>
  (settings[name]?.value as number | null | undefined) ?? null;

/** What enters a model, where it has one input. */
export function arrayOfLines(lines: readonly LintLine[]): ArrayShape | null {
  const [input, ...more] = inSlot(lines, "input");
  return input && more.length === 0 ? mustBe("input", input.definition).shape(input.values) : null;
}

/** How it is cut into tokens. */
export function latticeOfLines(lines: readonly LintLine[]): Lattice | null {
  const array = arrayOfLines(lines);
  const [tokens, ...more] = inSlot(lines, "tokens");
  if (!array || !tokens || more.length > 0) return null;
  return mustBe("tokens", tokens.definition).grid(tokens.values, array);
}

/** The answer to a question about a block, and the values that it was read from. */
export function readFrom<R>(
  use: Bound,
  ask: (definition: Definition, values: never) => R,
): { answer: R; read: Place[] } {
  const names = new Set<string>();
  const values = new Proxy(use.values, {
    get(held, name) {
      if (typeof name === "string" && (held[name] ?? null) !== null) names.add(name);
      return Reflect.get(held, name);
    },
  });
  const answer = ask(use.definition, values as never);
  return { answer, read: [...names].map((name) => at(use, name)) };
}

/** 2.4e-3 as people write it in recipes. */
export const rateText = (value: number): string =>
  value !== 0 && Math.abs(value) < 0.01
    ? value.toExponential().replace(/(\.\d{3})\d+/, "$1")
    : String(Number(value.toPrecision(6)));

/** 75 % of 0.75. */
export const shareText = (value: number): string => `${Number((value * 100).toPrecision(3))} %`;
