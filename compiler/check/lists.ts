/** Values that are names: labels, axes, parts of a model, files and runs; several stand in brackets. */

import { axisNames, type ParamType, type SourceValue } from "../../blocks/index.js";
import type { Expression } from "../../grammar/index.js";
import { suggestion } from "./nearest.js";
import { type Reader, type Reading, wrongType } from "./reading.js";
import { excerpt, fail, replacement } from "./report.js";
import { wordOf } from "./scope.js";
import { expectation, pathText, valueText } from "./show.js";

/** The words of a list in brackets. `read`: a word; null for what is none. */
function readWords(
  expression: Expression,
  type: ParamType,
  at: Reading,
  read: (expression: Expression) => string | null = wordOf,
): readonly string[] | null {
  if (expression.kind === "path") {
    const listed = `[${excerpt(expression.span)}]`;
    const message = `${at.subject} takes ${expectation(type)}, not one without brackets`;
    const words = { help: `write \`${listed}\``, fix: replacement(expression.span, listed) };
    return fail(at.report, "check/wrong-type", expression.span, message, words);
  }
  if (expression.kind !== "list") return wrongType(expression, type, at);
  const words = expression.items.map(read);
  const bad = expression.items.find((_, i) => words[i] === null);
  if (bad) return wrongType(bad, type, at);
  const again = expression.items.find((_, i) => words.indexOf(words[i] as string) !== i);
  if (!again) return words as readonly string[];
  return fail(
    at.report,
    "check/duplicate-parameter",
    again.span,
    `\`${excerpt(again.span)}\` stands twice in ${at.subject}`,
    {
      help: "leave one of them out",
    },
  );
}

/** A label, or with a dot what a line makes of an input. */
function labelOf(expression: Expression): string | null {
  if (expression.kind !== "path" || expression.parts.length > 2) return null;
  return expression.parts.map(({ name }) => name).join(".");
}

export const readLabels: Reader<"labels"> = (expression, type, at) =>
  readWords(expression, type, at, type.parts ? labelOf : wordOf);

export const readAxes: Reader<"axes"> = (expression, type, at) => {
  const words = readWords(expression, type, at);
  const unknown = words?.find((word) => !(axisNames as readonly string[]).includes(word));
  if (unknown === undefined) return words;
  return fail(at.report, "check/unknown-option", expression.span, `there is no axis \`${unknown}\``, {
    ...suggestion(unknown, expression.span, axisNames, "axes"),
  });
};

/** What stands in brackets, or alone without them. */
const itemsOf = (expression: Expression): readonly Expression[] =>
  expression.kind === "list" ? expression.items : [expression];

/** What each of some items is; null after a report of one that is none, or that stands twice. */
function readItems<V>(
  expression: Expression,
  type: ParamType,
  at: Reading,
  read: (item: Expression) => V | null,
): readonly V[] | null {
  const items = itemsOf(expression);
  const values = items.map(read);
  const bad = items.find((_, i) => values[i] === null);
  if (bad) return wrongType(bad, type, at);
  const texts = values.map((value) => valueText(type, [value]));
  const again = items.find((_, i) => texts.indexOf(texts[i] as string) !== i);
  if (!again) return values as readonly V[];
  const message = `\`${excerpt(again.span)}\` stands twice in ${at.subject}`;
  return fail(at.report, "check/duplicate-parameter", again.span, message, { help: "leave one of them out" });
}

export const readSources: Reader<"sources"> = (expression, type, at) =>
  readItems(expression, type, at, (item): SourceValue | null => {
    if (item.kind === "text") return { file: item.value, part: null };
    return item.kind === "file part" ? { file: item.file.value, part: pathText(item.parts) } : null;
  });

export const readParts: Reader<"parts"> = (expression, type, at) =>
  readItems(expression, type, at, (item) => (item.kind === "path" ? pathText(item.parts) : null));

export const readRecipes: Reader<"recipes"> = (expression, type, at) =>
  readItems(expression, type, at, (item) => wordOf(item));
