/**
 * Values back to the text of the language: for messages and for `render`. What is shown here reads back as the same
 * value.
 */

import {
  type BlockValue,
  type DrawnValue,
  type DurationValue,
  type Measure,
  measureUnits,
  type Params,
  type ParamType,
  type RateValue,
  type ScheduleValue,
  type SourceValue,
} from "../../blocks/index.js";
import { spelledOut } from "../../grammar/index.js";

type Kind = ParamType["kind"];
type TypeOf<K extends Kind> = Extract<ParamType, { readonly kind: K }>;

/** A number in the fewest digits that give it back; never `-0` and without the `+` of an exponent. */
export const numberText = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value + 0).replace("e+", "e");

/** A share as percent, with the digits that give the same number back. */
export function percentText(value: number): string {
  for (let digits = 1; digits < 17; digits++) {
    const percent = Number((value * 100).toPrecision(digits));
    if (percent / 100 === value) return `${numberText(percent)}%`;
  }
  return `${numberText(value * 100)}%`;
}

/** `16 kHz`: in the largest unit that leaves no small fraction. */
export function quantityText(value: number, of: Measure): string {
  const units = Object.entries(measureUnits[of]).reverse();
  const [unit, size] = units.find(([, size]) => value >= size && (value / size) * size === value) ??
    units.at(-1) ?? ["", 1];
  return `${numberText(value / size)} ${unit}`;
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r" };

/** `encoder.depth` */
export const pathText = (path: readonly { readonly name: string }[]): string => path.map(({ name }) => name).join(".");

/** A string in quotes, escaped. */
export const quotedText = (value: string): string =>
  `"${spelledOut(value.replace(/[\\"\n\t\r]/g, (c) => escapes[c] as string))}"`;

/** `vit(depth: 12)`: a block with its arguments as they are written. */
export function blockText(
  { name, params }: { readonly name: string; readonly params: Params },
  values: Readonly<Record<string, unknown>>,
): string {
  const written = argumentTexts(params, values).map(({ text }) => text);
  return written.length === 0 ? name : `${name}(${written.join(", ")})`;
}

/** `100% -> 0% over 30 epochs`, or `50%..90%` */
function scheduleText(value: ScheduleValue | DrawnValue, { of }: TypeOf<"schedule">): string {
  const show = of === "ratio" ? percentText : numberText;
  if (typeof value === "number") return show(value);
  if ("low" in value) return `${show(value.low)}..${show(value.high)}`;
  const { amount, unit } = value.over;
  const share = amount === 1 ? "all epochs" : percentText(amount);
  const over = unit === "training" ? share : `${numberText(amount)} ${unit}`;
  return `${show(value.from)} -> ${show(value.to)} over ${over}`;
}

/** `"runs/mae".encoder` */
export const sourceText = ({ file, part }: SourceValue): string =>
  part === null ? quotedText(file) : `${quotedText(file)}.${part}`;

/** One alone needs no brackets. */
function inBrackets(items: readonly string[]): string {
  const [only, second] = items;
  return only !== undefined && second === undefined ? only : `[${items.join(", ")}]`;
}

const printers: { readonly [K in Kind]: (value: never, type: TypeOf<K>) => string } = {
  int: numberText,
  real: numberText,
  ratio: percentText,
  size: (sides: readonly number[]) => sides.join("x"),
  choice: String,
  flag: String,
  text: quotedText,
  reals: (items: readonly number[]) => `(${items.map(numberText).join(", ")})`,
  interval: (ends: readonly number[], { of }) => ends.map(of === "ratio" ? percentText : numberText).join(".."),
  rate: ({ value, per }: RateValue) => (per === null ? numberText(value) : `${numberText(value)} per ${per}`),
  duration: ({ amount, unit }: DurationValue) => `${numberText(amount)} ${unit}`,
  schedule: scheduleText,
  block: ({ block, values }: BlockValue) => blockText(block, values),
  labels: (items: readonly string[]) => `[${items.join(", ")}]`,
  sources: (items: readonly SourceValue[]) => inBrackets(items.map(sourceText)),
  parts: inBrackets,
  recipes: inBrackets,
  axes: (names: readonly string[]) => `[${names.join(", ")}]`,
  quantity: (value: number, { of }) => quantityText(value, of),
};

/** A value of a parameter as it is written in a spec; what may be left out and is, is null and has no text of its own. */
export const valueText = (type: ParamType, value: unknown): string =>
  value === null ? "absent" : (printers[type.kind] as (value: unknown, type: ParamType) => string)(value, type);

/** The arguments of a block as they are written: `name: value`, without those left out. */
export const argumentTexts = (
  params: Params,
  values: Readonly<Record<string, unknown>>,
): readonly { readonly name: string; readonly text: string }[] =>
  Object.entries(params)
    .filter(([name]) => values[name] !== null)
    .map(([name, { type }]) => ({ name, text: `${name}: ${valueText(type, values[name])}` }));

function sizeExpectation(count: number | null): string {
  if (count === 2) return "a height and width such as `16x16`";
  return count === null
    ? "sides such as `16x16` or `2x16x16`"
    : `${count} sides such as \`${Array(count).fill(16).join("x")}\``;
}

const quantitySample: Readonly<Record<Measure, string>> = { frequency: "16 kHz", time: "25 ms" };

const expectations: { readonly [K in Kind]: (type: TypeOf<K>) => string } = {
  int: () => "a whole number",
  real: () => "a number",
  ratio: () => "a share such as `75%`",
  size: ({ count }) => sizeExpectation(count),
  choice: ({ options }) =>
    `one of the words ${Object.keys(options)
      .map((option) => `\`${option}\``)
      .join(", ")}`,
  flag: () => "`true` or `false`",
  text: () => "text in quotes",
  reals: ({ length }) => `${length ?? "several"} numbers such as \`(0.9, 0.95)\``,
  interval: ({ of }) => `a range such as ${of === "ratio" ? "`20%..100%`" : "`0.75..1.33`"}`,
  rate: () => "a number, or a rate such as `1.5e-4 per 256`",
  duration: () => "a duration such as `40 epochs` or `2000 steps`",
  schedule: ({ of }) =>
    of === "ratio"
      ? "a share such as `75%`, or one that moves such as `100% -> 0% over 30 epochs`"
      : "a number such as `0.996`, or one that moves such as `0.996 -> 1 over all epochs`",
  block: ({ of }) => `a block of the kind ${of}`,
  labels: ({ parts, views }) =>
    views
      ? "names of views such as `[first]`"
      : `labels such as \`${parts ? "[joint.audio, joint.image]" : "[audio, image]"}\``,
  sources: () => 'a file or a run such as `"runs/mae".encoder`, or several in brackets',
  parts: () => "a part of the model such as `head`, or several in brackets",
  recipes: () => "the name of a recipe, or several in brackets",
  axes: () => "axes such as `[row, column]`",
  quantity: ({ of }) => `a ${of} such as \`${quantitySample[of]}\``,
};

/** What a parameter takes, in words. */
export const expectation = (type: ParamType): string => (expectations[type.kind] as (type: ParamType) => string)(type);

/** Something that could stand there, for "write ...". */
const samples: { readonly [K in Kind]: (type: TypeOf<K>) => string } = {
  int: ({ min }) => numberText(Math.max(min, 1)),
  real: ({ min, max }) => numberText(Math.min(Math.max(min, 1), max)),
  ratio: () => "75%",
  size: () => "16x16",
  choice: ({ options }) => Object.keys(options)[0] ?? "...",
  flag: () => "true",
  text: () => '"..."',
  reals: ({ length }) => `(${Array.from({ length: length ?? 2 }, () => "0.5").join(", ")})`,
  interval: ({ of }) => (of === "ratio" ? "20%..100%" : "0.75..1.33"),
  rate: () => "1e-3",
  duration: () => "10 epochs",
  schedule: ({ of }) => (of === "ratio" ? "75%" : "0.5"),
  block: () => "...",
  labels: () => "[...]",
  sources: () => '"...".encoder',
  parts: () => "head",
  recipes: () => "Name",
  axes: () => "[...]",
  quantity: ({ of }) => quantitySample[of],
};

export const sample = (type: ParamType): string => (samples[type.kind] as (type: ParamType) => string)(type);
