/**
 * Expressions to values: one reader for each kind of parameter. Each checks type, unit and range, reports what does not
 * fit, and then gives null.
 */

import {
  type DrawnValue,
  type DurationValue,
  measureUnits,
  type ParamType,
  type RateValue,
  type ScheduleValue,
} from "../../blocks/index.js";
import type { Expression, NumberLiteral } from "../../grammar/index.js";
import { readAxes, readLabels, readParts, readRecipes, readSources } from "./lists.js";
import { named, suggestion } from "./nearest.js";
import {
  type Bounds,
  plainNumber,
  type Reader,
  type Reading,
  type TypeOf,
  takesWords,
  whole,
  within,
  wrongType,
  wrongUnit,
} from "./reading.js";
import { excerpt, fail, type Report, replacement } from "./report.js";
import { lookUp, resolve, wordOf } from "./scope.js";
import { expectation, percentText, quantityText, quotedText, valueText } from "./show.js";

type Kind = ParamType["kind"];

/** A value, or null when there is none or it does not fit; then it is reported. */
export function readValue(type: ParamType, expression: Expression, at: Reading): unknown | null {
  const { expression: value, via } = takesWords(type) ? ownWord(type, expression, at) : resolve(expression, at.scope);
  if (value === null) return null;
  const report: Report = (diagnostic) => {
    if (!via) return at.report(diagnostic);
    const { fix: _, ...rest } = diagnostic;
    const related = [{ span: via.span, message: `\`${via.name.name}\` is set here` }, ...(rest.related ?? [])];
    at.report({ ...rest, span: expression.span, related });
  };
  return (readers[type.kind] as Reader<Kind>)(value, type as never, { ...at, report });
}

/** A word where words are options: the option, unless it is a variable; never both. */
function ownWord(type: ParamType, expression: Expression, at: Reading): ReturnType<typeof resolve> {
  const word = wordOf(expression);
  const line = word === null ? null : lookUp(at.scope, word);
  const options = type.kind === "choice" ? Object.keys(type.options) : ["true", "false"];
  if (!line || !options.includes(word as string)) return resolve(expression, at.scope);
  fail(at.report, "check/ambiguous-name", expression.span, `\`${word}\` is an option of ${at.subject} and a variable`, {
    help: "rename the variable",
    related: [{ span: line.name.span, message: "the variable" }],
  });
  return { expression: null, via: null };
}

const readInt: Reader<"int"> = (expression, type, at) => {
  const literal = plainNumber(expression, type, at);
  const value = literal && whole(literal, at);
  return value === null ? null : within(value, type, expression, at);
};

const readReal: Reader<"real"> = (expression, type, at) => {
  const literal = plainNumber(expression, type, at);
  return literal && within(literal.value, type, expression, at);
};

/** `75%` -> 0.75. A bare number is told which percentage it is. */
function share(expression: Expression, type: ParamType, bounds: Bounds, at: Reading): number | null {
  if (expression.kind === "quantity" && expression.unit === "%" && expression.amount) {
    return within(expression.amount.value / 100, bounds, expression, at, percentText);
  }
  if (expression.kind === "quantity" && expression.amount) return wrongUnit(expression, ["%"], at);
  if (expression.kind !== "number") return wrongType(expression, type, at);
  const { value, raw, span } = expression;
  const meant = value > 0 && value < 1 ? percentText(value) : value > 1 && value <= 100 ? `${raw}%` : null;
  return fail(at.report, "check/missing-unit", span, `${at.subject} is a share and needs the unit \`%\``, {
    reason: `\`${raw}\` could mean ${raw} or ${raw} %.`,
    help: meant ? `write \`${meant}\`` : "write it in percent, such as `75%`",
    fix: meant ? replacement(span, meant) : undefined,
  });
}

const readRatio: Reader<"ratio"> = (expression, type, at) =>
  share(expression, type, { min: type.min, max: type.max, openMin: type.open, openMax: type.open }, at);

const readSize: Reader<"size"> = (expression, type, at) => {
  if (type.count === 2 && expression.kind === "number" && Number.isInteger(expression.value) && expression.value > 0) {
    const square = `${expression.value}x${expression.value}`;
    const words = { help: `write \`${square}\``, fix: replacement(expression.span, square) };
    return wrongType(expression, type, at, { reason: "A size is height x width; the two may differ.", ...words });
  }
  if (expression.kind !== "size") return wrongType(expression, type, at);
  const { sides, span } = expression;
  const { count } = type;
  if (count !== null && sides.length !== count) {
    const which = count === 2 ? ", height and width" : "";
    return fail(
      at.report,
      "check/wrong-length",
      span,
      `${at.subject} has ${count} sides${which}; \`${excerpt(span)}\` has ${sides.length}`,
      {
        help:
          sides.length > count
            ? `write \`${sides.slice(0, count).join("x")}\``
            : `write ${count} numbers with \`x\` between them`,
      },
    );
  }
  const fitting = sides.map((side) => within(side, type, expression, at));
  return fitting.includes(null) ? null : fitting;
};

const readChoice: Reader<"choice"> = (expression, type, at) => {
  const options = Object.keys(type.options);
  if (expression.kind === "text" && options.includes(expression.value)) {
    return wrongType(expression, type, at, {
      help: `write \`${expression.value}\` without quotes`,
      fix: replacement(expression.span, expression.value),
    });
  }
  const word = wordOf(expression);
  if (word === null) return wrongType(expression, type, at);
  if (options.includes(word)) return word;
  const help = suggestion(word, expression.span, options, "options");
  return fail(at.report, "check/unknown-option", expression.span, `${at.subject} has no option \`${word}\``, help);
};

const truths: Readonly<Record<string, string>> = { yes: "true", on: "true", no: "false", off: "false" };

const readFlag: Reader<"flag"> = (expression, type, at) => {
  const word = wordOf(expression);
  if (word === "true" || word === "false") return word === "true";
  const meant =
    word === null ? undefined : (truths[word.toLowerCase()] ?? /^(true|false)$/i.exec(word)?.[0]?.toLowerCase());
  return wrongType(
    expression,
    type,
    at,
    meant ? { help: `write \`${meant}\``, fix: replacement(expression.span, meant) } : {},
  );
};

const readText: Reader<"text"> = (expression, type, at) => {
  if (expression.kind === "text") return expression.value;
  const word = wordOf(expression);
  if (word === null) return wrongType(expression, type, at);
  const quoted = quotedText(word);
  return fail(
    at.report,
    "check/wrong-type",
    expression.span,
    `${at.subject} takes text in quotes, and \`${word}\` has none`,
    {
      help: `write \`${quoted}\``,
      fix: replacement(expression.span, quoted),
    },
  );
};

const readReals: Reader<"reals"> = (expression, type, at) => {
  // Where any number of them may stand, one needs no brackets.
  if (expression.kind === "number" && type.length === null) return readReals(aloneInBrackets(expression), type, at);
  if (expression.kind === "list") {
    const written = excerptWithin(expression);
    return wrongType(expression, type, at, {
      help: `write \`(${written})\``,
      fix: replacement(expression.span, `(${written})`),
    });
  }
  if (expression.kind !== "tuple") return wrongType(expression, type, at);
  const { items, span } = expression;
  if (type.length !== null && items.length !== type.length) {
    return fail(
      at.report,
      "check/wrong-length",
      span,
      `${at.subject} takes ${type.length} numbers, and here are ${items.length}`,
      {
        help: `write ${expectation(type)}`,
      },
    );
  }
  const element: ParamType = { kind: "real", min: type.min, max: type.max, openMin: false };
  const values = items.map((item) => readValue(element, item, at));
  return values.includes(null) ? null : values;
};

const aloneInBrackets = (item: NumberLiteral): Expression => ({ kind: "tuple", items: [item], span: item.span });

/** What stands between the brackets. */
const excerptWithin = ({ span }: Expression): string => span.source.text.slice(span.start + 1, span.end - 1).trim();

const readInterval: Reader<"interval"> = (expression, type, at) => {
  if (expression.kind === "tuple" && expression.items.length === 2) {
    const text = expression.items.map((item) => excerpt(item.span)).join("..");
    return wrongType(expression, type, at, { help: `write \`${text}\``, fix: replacement(expression.span, text) });
  }
  if (expression.kind !== "range") return wrongType(expression, type, at);
  const element: ParamType =
    type.of === "ratio"
      ? { kind: "ratio", min: type.min, max: type.max, open: false }
      : { kind: "real", min: type.min, max: type.max, openMin: false };
  const ends = [expression.from, expression.to].map((end) => readValue(element, end, at) as number | null);
  const [from, to] = ends;
  if (from == null || to == null) return null;
  return from <= to ? ends : reversed(expression, at);
};

function reversed({ from, to, span }: Extract<Expression, { readonly kind: "range" }>, at: Reading): null {
  const swapped = `${excerpt(to.span)}..${excerpt(from.span)}`;
  return fail(at.report, "check/reversed-range", span, `the range of ${at.subject} runs from high to low`, {
    help: `write \`${swapped}\``,
    fix: replacement(span, swapped),
  });
}

const readRate: Reader<"rate"> = (expression, type, at): RateValue | null => {
  const positive: ParamType = { kind: "real", min: type.min, max: Infinity, openMin: false };
  if (expression.kind === "number") {
    const value = within(expression.value, { min: type.min, max: Infinity }, expression, at);
    return value === null ? null : { value, per: null };
  }
  if (expression.kind === "quantity") return plainNumber(expression, type, at) as null;
  if (expression.kind !== "rate") return wrongType(expression, type, at);
  const value = readValue(positive, expression.value, at) as number | null;
  const samples: ParamType = { kind: "int", min: 1, max: 2 ** 31 - 1 };
  const per = readValue(samples, expression.per, { ...at, subject: `the number after \`per\` in ${at.subject}` });
  return value === null || per === null ? null : { value, per: per as number };
};

const durationUnits = ["epochs", "steps"] as const;

const readDuration: Reader<"duration"> = (expression, type, at): DurationValue | null => {
  if (expression.kind === "number") {
    const either = durationUnits.map((unit) => `${expression.raw} ${unit}`);
    return fail(
      at.report,
      "check/missing-unit",
      expression.span,
      `${at.subject} needs a unit: ${expression.raw} of what?`,
      {
        help: `write ${named(either, "or")}`,
      },
    );
  }
  if (expression.kind !== "quantity" || !expression.amount) return wrongType(expression, type, at);
  const unit = durationUnits.find((known) => known === expression.unit);
  if (!unit) return wrongUnit(expression, durationUnits, at);
  const amount = within(expression.amount.value, { min: type.min, max: Infinity }, expression, at);
  return amount === null ? null : { amount, unit };
};

/** What the number, or each end of one that varies, has to be. */
const scheduled = ({ of, min, max, open }: TypeOf<"schedule">): ParamType =>
  of === "ratio" ? { kind: "ratio", min, max, open } : { kind: "real", min, max, openMin: open };

const readSchedule: Reader<"schedule"> = (expression, type, at): ScheduleValue | DrawnValue | null => {
  const one = (end: Expression) => readValue(scheduled(type), end, at) as number | null;
  if (type.drawn && expression.kind === "range") return readDrawn(expression, at, one);
  if (expression.kind === "ramp") {
    const [from, to] = [one(expression.from), one(expression.to)];
    const over = expression.over ? readStretch(expression.over, at) : wholeTraining;
    return from === null || to === null || over === null ? null : { from, to, over };
  }
  const isNumber = expression.kind === "number" || expression.kind === "quantity";
  return isNumber || type.drawn ? one(expression) : wrongType(expression, type, at);
};

function readDrawn(
  range: Extract<Expression, { readonly kind: "range" }>,
  at: Reading,
  one: (end: Expression) => number | null,
): DrawnValue | null {
  const [low, high] = [one(range.from), one(range.to)];
  if (low === null || high === null) return null;
  return low <= high ? { low, high } : reversed(range, at);
}

type Stretch = Exclude<ScheduleValue, number>["over"];

const wholeTraining: Stretch = { amount: 1, unit: "training" };

/** How long a value moves: epochs, steps, or a share of the whole training. */
function readStretch(expression: Expression, outer: Reading): Stretch | null {
  const at = { ...outer, subject: `the duration after \`over\` in ${outer.subject}` };
  const { expression: value } = resolve(expression, at.scope);
  if (value === null) return null;
  if (value.kind !== "quantity") return readValue({ kind: "duration", min: 0 }, value, at) as DurationValue | null;
  if (value.amount === null && value.unit === "epochs") return wholeTraining;
  if (value.unit !== "%") return readValue({ kind: "duration", min: 0 }, value, at) as DurationValue | null;
  const amount = readValue({ kind: "ratio", min: 0, max: 1, open: false }, value, at) as number | null;
  return amount === null ? null : { amount, unit: "training" };
}

/** `16 kHz` -> 16000; a bare number is told which unit it may mean. */
const readQuantity: Reader<"quantity"> = (expression, { of, min, max, ...type }, at) => {
  const units: Readonly<Record<string, number>> = measureUnits[of];
  const names = Object.keys(units);
  if (expression.kind === "number") {
    const either = names.map((unit) => `${expression.raw} ${unit}`);
    return fail(at.report, "check/missing-unit", expression.span, `${at.subject} is a ${of} and needs a unit`, {
      help: `write ${named(either, "or")}`,
    });
  }
  if (expression.kind !== "quantity" || !expression.amount) return wrongType(expression, { of, min, max, ...type }, at);
  const size = Object.hasOwn(units, expression.unit) ? units[expression.unit] : undefined;
  if (size === undefined) return wrongUnit(expression, names, at);
  // What has three decimals in thousands is a whole number: 22.05 kHz are 22050 Hz.
  const value = Number((expression.amount.value * size).toPrecision(15));
  return within(value, { min, max }, expression, at, (end) => quantityText(end, of));
};

const readers: { readonly [K in Kind]: Reader<K> } = {
  int: readInt,
  real: readReal,
  ratio: readRatio,
  size: readSize,
  choice: readChoice,
  flag: readFlag,
  text: readText,
  reals: readReals,
  interval: readInterval,
  rate: readRate,
  duration: readDuration,
  schedule: readSchedule,
  block: (expression, type, at) => at.block(type.of, expression),
  labels: readLabels,
  axes: readAxes,
  sources: readSources,
  parts: readParts,
  recipes: readRecipes,
  quantity: readQuantity,
};

/** Whether two checked values are the same. */
export const sameValue = (type: ParamType, a: unknown, b: unknown): boolean =>
  valueText(type, a) === valueText(type, b);
