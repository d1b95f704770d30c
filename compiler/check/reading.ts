/** What the readers of values share: what they are given, and how they say that something is of the wrong type, unit or range. */

import type { BlockValue, ParamType, Registry } from "../../blocks/index.js";
import type { Expression, NumberLiteral, Quantity } from "../../grammar/index.js";
import { named, suggestion } from "./nearest.js";
import { excerpt, fail, type Report, replacement, type Words } from "./report.js";
import { type Scope, unknownVariable } from "./scope.js";
import { expectation, numberText } from "./show.js";

/** The units of the language. A closed table; which of them a parameter takes is said by its kind. */
export const units: ReadonlyMap<string, string> = new Map([
  ["%", "a share of the whole"],
  ["epochs", "passes over the data"],
  ["steps", "optimizer steps"],
  ["ms", "milliseconds"],
  ["s", "seconds"],
  ["Hz", "times a second"],
  ["kHz", "thousand times a second"],
]);

export type TypeOf<K extends ParamType["kind"]> = Extract<ParamType, { readonly kind: K }>;

/** Reads a value; null: not of this type, reported. */
export type Reader<K extends ParamType["kind"]> = (
  expression: Expression,
  type: TypeOf<K>,
  at: Reading,
) => unknown | null;

/** What a reader has at hand. */
export interface Reading {
  readonly report: Report;
  readonly scope: Scope;
  readonly registry: Registry;
  /** What the value is for, as in "`ratio` of `random`". */
  readonly subject: string;
  /** Reads a block that stands as a value. */
  readonly block: (kind: string, expression: Expression) => BlockValue | null;
}

/** Whether a bare word may be a value and not the name of a variable. */
export const takesWords = (type: ParamType): boolean => type.kind === "choice" || type.kind === "flag";

const describe = (expression: Expression): string => {
  const text = `\`${excerpt(expression.span)}\``;
  const nouns: { readonly [K in Expression["kind"]]: string } = {
    number: "the number",
    quantity: "the quantity",
    size: "the size",
    range: "the range",
    rate: "the rate",
    ramp: "the moving value",
    text: "the text",
    "file part": "the part of a file",
    list: "the list",
    tuple: "the group of numbers",
    path: "the word",
    call: "the block",
    missing: "nothing",
  };
  return `${nouns[expression.kind]} ${text}`;
};

export function wrongType(expression: Expression, type: ParamType, at: Reading, words: Words = {}): null {
  if (expression.kind === "missing") return null;
  const wanted = expectation(type);
  if (expression.kind === "path" && !takesWords(type)) return unknownVariable(expression, wanted, at.scope, at.report);
  const help =
    expression.kind === "ramp" ? `${at.subject} keeps one value during training: write ${wanted}` : `write ${wanted}`;
  return fail(
    at.report,
    "check/wrong-type",
    expression.span,
    `${at.subject} takes ${wanted}, not ${describe(expression)}`,
    {
      help,
      ...words,
    },
  );
}

/** A quantity whose unit does not fit here. */
export function wrongUnit(quantity: Quantity, fitting: readonly string[], at: Reading, words: Words = {}): null {
  const { unit, unitSpan } = quantity;
  const fits = fitting.length === 0 ? "a plain number" : `the unit ${named(fitting, "or")}`;
  if (!units.has(unit)) {
    const known = fitting.length === 0 ? [...units.keys()] : fitting;
    const meant = suggestion(unit, unitSpan, known, fitting.length === 0 ? "units of the language" : "units that fit");
    return fail(at.report, "check/unknown-unit", unitSpan, `there is no unit \`${unit}\``, {
      reason: `${at.subject} takes ${fits}.`,
      ...meant,
      ...words,
    });
  }
  const message = `${at.subject} takes ${fits}, not ${units.get(unit)} (\`${unit}\`)`;
  return fail(at.report, "check/wrong-unit", quantity.span, message, { help: `write ${fits}`, ...words });
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Whether the ends themselves are not allowed. */
  readonly openMin?: boolean;
  readonly openMax?: boolean;
}

function boundsInWords({ min, max, openMin, openMax }: Bounds, show: (value: number) => string): string {
  const low = openMin ? `greater than ${show(min)}` : `at least ${show(min)}`;
  const high = openMax ? `less than ${show(max)}` : `at most ${show(max)}`;
  if (min === -Infinity) return max === Infinity ? "a finite number" : high;
  if (max === Infinity) return low;
  return openMin || openMax ? `${low} and ${high}` : `between ${show(min)} and ${show(max)}`;
}

/** The number, or null after a report that names the nearest valid one. */
export function within(
  value: number,
  bounds: Bounds,
  expression: Expression,
  at: Reading,
  show = numberText,
): number | null {
  const { min, max } = bounds;
  const tooLow = bounds.openMin ? value <= min : value < min;
  const tooHigh = bounds.openMax ? value >= max : value > max;
  if (!tooLow && !tooHigh && Number.isFinite(value)) return value + 0; // + 0 turns -0 into 0
  const range = boundsInWords(bounds, show);
  const [end, open] = tooLow ? [min, bounds.openMin] : [max, bounds.openMax];
  const near = Number.isFinite(end)
    ? ` (nearest: ${open ? (tooLow ? "just above " : "just below ") : ""}${show(end)})`
    : "";
  return fail(
    at.report,
    "check/out-of-range",
    expression.span,
    `${at.subject} is ${excerpt(expression.span)}, and must be ${range}`,
    {
      help: `write a value that is ${range}${near}`,
    },
  );
}

/** The plain number of an expression that should be one. */
export function plainNumber(expression: Expression, type: ParamType, at: Reading): NumberLiteral | null {
  if (expression.kind === "number") return expression;
  if (expression.kind !== "quantity") return wrongType(expression, type, at);
  const { amount, unit } = expression;
  if (!amount) return wrongType(expression, type, at);
  const plain = unit === "%" && type.kind !== "int" ? numberText(amount.value / 100) : amount.raw;
  return wrongUnit(
    expression,
    [],
    at,
    units.has(unit) ? { fix: replacement(expression.span, plain), help: `write \`${plain}\`` } : {},
  );
}

export function whole(literal: NumberLiteral, at: Reading): number | null {
  if (Number.isInteger(literal.value) || !Number.isFinite(literal.value)) return literal.value;
  const [below, above] = [Math.floor(literal.value), Math.ceil(literal.value)].map(numberText);
  return fail(
    at.report,
    "check/not-whole",
    literal.span,
    `${at.subject} is ${literal.raw}, and must be a whole number`,
    {
      help: `the nearest are ${below} and ${above}`,
    },
  );
}
