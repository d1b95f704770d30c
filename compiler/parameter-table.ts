/**
 * What a definition says of itself in Markdown: a table of its parameters for the pages of `spec/blocks/`, and a whole page for
 * editors and for blocks of projects, which have none. `UPDATE=1 npx vitest run test/blocks/pages.test.ts` writes it into the pages.
 */

import { axisNames, type Definition, type Param, type ParamType } from "../blocks/index.js";
import { percentText, quantityText, valueText } from "./check/show.js";

type Kind = ParamType["kind"];
type TypeOf<K extends Kind> = Extract<ParamType, { readonly kind: K }>;

const largest = 2 ** 31 - 1;

/** `0 to 1`, `above 0`, `at least 4`, or nothing where there is no bound. */
function bounds(min: string | null, max: string | null, openMin: boolean): string {
  if (min === null) return max === null ? "" : `at most ${max}`;
  if (max === null) return openMin ? `above ${min}` : `at least ${min}`;
  return openMin ? `above ${min}, at most ${max}` : `${min} to ${max}`;
}

const finite = (value: number): string | null => (Number.isFinite(value) ? String(value) : null);
const shares = (min: number, max: number, open: boolean): string => {
  const [low, high] = [percentText(min), percentText(max)];
  return open ? `between ${low} and ${high}` : `${low} to ${high}`;
};

const words = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join(", ");

/** Of sides: what each is, or how many there are. */
const sidesWords = (count: number | null): string => {
  if (count === 2) return "height x width";
  return count === null ? "side x side ..." : Array(count).fill("side").join(" x ");
};

const takes: { readonly [K in Kind]: (type: TypeOf<K>) => string } = {
  int: ({ min, max }) => words("whole number", bounds(String(min), max === largest ? null : String(max), false)),
  real: ({ min, max, openMin }) => words("number", bounds(finite(min), finite(max), openMin)),
  ratio: ({ min, max, open }) => words("share", shares(min, max, open)),
  size: ({ min, count }) => words(sidesWords(count), min > 1 ? `sides at least ${min}` : ""),
  choice: ({ options }) =>
    Object.keys(options)
      .map((option) => `\`${option}\``)
      .join(", "),
  flag: () => "`true`, `false`",
  text: () => "text",
  reals: ({ length, min, max }) =>
    words(length === null ? "numbers" : `${length} numbers`, bounds(finite(min), finite(max), false)),
  interval: ({ of, min, max }) =>
    of === "ratio"
      ? words("range of shares", shares(min, max, false))
      : words("range of numbers", bounds(finite(min), finite(max), false)),
  rate: () => "learning rate, absolute or `per` samples",
  duration: ({ min }) => words("`epochs` or `steps`", min > 0 ? `at least ${min}` : ""),
  schedule: ({ of, min, max, open, drawn }) =>
    of === "ratio"
      ? words(
          "share",
          shares(min, max, open),
          drawn ? "a range of shares, or one that moves during training" : "may move during training",
        )
      : words("number", bounds(finite(min), finite(max), false), "may move during training"),
  block: ({ of }) => `block of the kind ${of}`,
  labels: ({ views }) => (views ? "views" : "labels"),
  quantity: ({ of, min, max }) => words(of, `${quantityText(min, of)} to ${quantityText(max, of)}`),
  sources: () => "files or runs, or parts of them",
  parts: () => "parts of the model",
  recipes: () => "names of recipes",
  axes: () => axisNames.map((name) => `\`${name}\``).join(", "),
};

const takesOf = (type: ParamType): string => (takes[type.kind] as (type: ParamType) => string)(type);

/** The default as written; a parameter without one must be written, one that may be left out has none. */
function defaultOf({ type, default: value }: Param<unknown>): string {
  if (value === undefined) return "must be written";
  return value === null ? "none" : `\`${valueText(type, value)}\``;
}

/** The words of a parameter, then those of its options. */
const meaningOf = ({ type, doc }: Param<unknown>): string =>
  type.kind === "choice"
    ? [doc, ...Object.entries(type.options).map(([option, meaning]) => `\`${option}\`: ${meaning}`)].join("<br>")
    : doc;

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** A Markdown table with a row for each parameter, or a sentence where there are none. */
export function parameterTable({ params, positional }: Definition): string {
  const rows = Object.entries(params).map(([name, param]) => {
    const written = name === positional ? `\`${name}\`, or unnamed` : `\`${name}\``;
    return [written, takesOf(param.type), defaultOf(param), meaningOf(param)];
  });
  if (rows.length === 0) return "None.";
  return [["parameter", "takes", "default", "meaning"], ["---", "---", "---", "---"], ...rows]
    .map((row) => `| ${row.map(cell).join(" | ")} |`)
    .join("\n");
}

/** A parameter in a line: what it takes, and its default. */
export function parameterText(param: Param<unknown>): string {
  const text = defaultOf(param);
  return `${takesOf(param.type)}; ${param.default === undefined ? text : `default ${text}`}`;
}

/** The page of a block, in the order of the pages of `spec/blocks/`. `file`: where it is defined; null: in this package. */
export function blockPage(kind: string, definition: Definition, file: string | null): string {
  const { name, summary, source, requires = [] } = definition;
  const conditions = requires.map((condition) => `- \`${kind}/${name}/${condition.name}\`: ${condition.doc}`);
  return [
    `# ${kind}/${name}`,
    summary,
    ...(file === null ? [] : [`Defined in \`${file}\`.`]),
    "## Parameters",
    parameterTable(definition),
    ...(conditions.length === 0 ? [] : ["## Conditions", conditions.join("\n")]),
    `Source: ${source}.`,
  ].join("\n\n");
}
