/** Which inputs of its model the data and the augmentations of a recipe are for: by their labels, or all that they change. */

import {
  type ArrayShape,
  type Augment,
  arrayOfStream,
  type Dataset,
  isChanged,
  isOfMedia,
  namesOfStream,
  planesOf,
} from "../../blocks/index.js";
import { isWithin, type Span } from "../../grammar/index.js";
import { recipeSlots } from "../slots.js";
import { ownParts } from "../wire/wiring.js";
import type { Code } from "./codes.js";
import { type Body, type DraftLine, lineName, slotLines } from "./draft.js";
import { arrayOf, type Fact, type Facts, gapOf, planeOf, streamsOf } from "./facts.js";
import type { Fitting } from "./fit.js";
import type { Subject } from "./models.js";
import { named, suggestion } from "./nearest.js";
import { fail, type Words } from "./report.js";

/** An input of the model that a recipe trains. */
export interface ModelInput {
  /** Its label, or where it has none, the name of its block. */
  readonly name: string;
  readonly array: Fact<ArrayShape>;
  /** What blocks of a recipe are told of it. */
  readonly facts: Facts;
  /** The views that training sees of it, each with its names. */
  readonly views: readonly (Pick<ModelInput, "array" | "facts"> & { readonly names: readonly string[] })[];
}

/** The inputs of a model; null: one of them could not be read. */
export function inputsOf({ checked: { wiring } }: Subject): readonly ModelInput[] | null {
  const inputs = ownParts(wiring, "input").map((part): ModelInput | null => {
    const name = part.line.label ?? part.definition?.name;
    if (name === undefined) return null;
    const place = { wiring, part };
    const array = storedArray(place);
    return { name, array, facts: { array, image: planeOf(place) }, views: viewsOf(wiring, array) };
  });
  return inputs.every((input) => input !== null) && inputs.length > 0 ? inputs : null;
}

/** What the data have of an input: where training sees two frames of a sample, that is a video. */
function storedArray(place: Parameters<typeof arrayOf>[0]): ModelInput["array"] {
  const [array, gap] = [arrayOf(place), gapOf(place)];
  if (!array || !gap) return null;
  return gap.value === null ? array : { value: { ...array.value, gap: gap.value }, sources: array.sources };
}

function viewsOf(wiring: Subject["checked"]["wiring"], array: ModelInput["array"]): ModelInput["views"] {
  const streams = streamsOf({ wiring });
  return (streams?.value ?? []).map((stream) => {
    const seen = array && { value: arrayOfStream(stream, array.value), sources: array.sources };
    const image = seen && { value: planesOf(seen.value).shape, sources: seen.sources };
    return { names: namesOfStream(stream), array: seen, facts: { array: seen, image } };
  });
}

const isOfInputs = (line: DraftLine): boolean =>
  recipeSlots.some(({ slot, ofInputs }) => slot === line.slot && ofInputs);

/** The inputs that a line is about: the one that it names, the only one, or all whose pictures it changes. */
export function inputsOfLine(line: DraftLine, inputs: readonly ModelInput[]): readonly ModelInput[] {
  if (!isOfInputs(line)) return [];
  const { label } = line;
  if (label !== null) {
    const own = inputs.filter(({ name }) => name === label);
    const view = inputs.flatMap(({ views }) => views).find(({ names }) => names.includes(label));
    return own.length === 0 && view ? [{ ...view, name: label, views: [] }] : own;
  }
  if (inputs.length === 1) return inputs;
  if (!isShared(line)) return [];
  const changed = inputs.filter(({ array }) => array && isChanged(array.value, line.block?.definition as Augment));
  // What changes none of them is told so by its own condition.
  return changed.length > 0 ? changed : inputs.slice(0, 1);
}

/** Whether a line without a label may be of several inputs: what crops and flips pictures or cuts recordings, not what changes any numbers. */
const isShared = ({ slot, block }: DraftLine): boolean =>
  slot === "augment" && (block?.definition as Augment | undefined)?.changes !== "channels";

interface Finding extends Words {
  readonly code: Code;
  readonly span: Span;
  readonly message: string;
  /** Under which it is known in what extends the recipe. */
  readonly key: string;
}

/** Reports what is wrong with the labels of a recipe: names of no input, lines that could be of any, inputs without data. */
export function checkInputs(
  lines: readonly DraftLine[],
  inputs: readonly ModelInput[],
  { name, report }: Pick<Body, "name" | "report">,
  { within, name: at, known, failed }: Fitting,
): void {
  const several = inputs.length > 1;
  const findings = [
    ...unknownInputs(lines, inputs),
    ...(several ? withoutLabel(lines, inputs) : secondData(lines)),
    ...(several ? withoutData(lines, inputs, name, at) : []),
  ];
  for (const { code, span, message, key, ...words } of findings) {
    if (failed.has(key)) continue;
    failed.add(key);
    if (!known.has(key)) fail(report, code, isWithin(span, within) ? span : at, message, words);
  }
}

function unknownInputs(lines: readonly DraftLine[], inputs: readonly ModelInput[]): readonly Finding[] {
  const own = inputs.map(({ name }) => name);
  const views = inputs.flatMap((input) => input.views.flatMap(({ names }) => names));
  return lines.flatMap((line): readonly Finding[] => {
    const { slot, label, span } = line;
    const names = slot === "augment" ? [...own, ...views] : own;
    if (!isOfInputs(line) || label === null || names.includes(label)) return [];
    const isOfViews = slot === "augment" && views.length > 0;
    return [
      {
        code: "check/unknown-label",
        key: `check/unknown-label ${slot} ${label}`,
        span,
        message: `no input ${isOfViews ? "or view " : ""}of the model is called \`${label}\``,
        reason: `The label of \`${slot}\` names the input ${isOfViews ? "or the views " : ""}that it is for.`,
        ...suggestion(label, span, names, isOfViews ? "inputs and views" : "inputs"),
        fix: undefined,
      },
    ];
  });
}

/** Data is of one input, and so is what changes numbers: those of each input are its own. */
function withoutLabel(lines: readonly DraftLine[], inputs: readonly ModelInput[]): readonly Finding[] {
  const all = inputs.map(({ name }) => name);
  return lines.flatMap((line): readonly Finding[] => {
    const { slot, block, label, span } = line;
    if (!isOfInputs(line) || label !== null || !block || isShared(line)) return [];
    const those = slot === "augment" ? all : inputs.filter((input) => isReadBy(line, input)).map(({ name }) => name);
    const text = `${block.definition.name}(...)`;
    return [
      {
        code: "check/missing-label",
        key: `check/missing-label ${slot} ${block.definition.name}`,
        span,
        message: `the model reads ${named(all)}, and this \`${slot}\` does not say which it is for`,
        reason:
          slot === "augment"
            ? `\`${block.definition.name}\` changes numbers, and those of each input mean something else.`
            : "The samples of each input lie in a place of their own.",
        help: `write ${(those.length > 0 ? those : all).map((name) => `\`${slot} ${name}: ${text}\``).join(" or ")}`,
      },
    ];
  });
}

const isReadBy = ({ block }: DraftLine, { array }: ModelInput): boolean => {
  const media = (block?.definition as Dataset | undefined)?.media;
  return media === undefined || array === null || isOfMedia(media, array.value);
};

function withoutData(
  lines: readonly DraftLine[],
  inputs: readonly ModelInput[],
  recipe: string,
  span: Span,
): readonly Finding[] {
  const data = slotLines(lines, "data");
  // A line whose input is not known may be the one that is missing.
  const isSure = data.every(({ label }) => label !== null && inputs.some(({ name }) => name === label));
  if (!isSure || data.length === 0) return [];
  return inputs
    .filter(({ name }) => !data.some(({ label }) => label === name))
    .map(({ name }) => ({
      code: "check/missing-slot",
      key: `check/missing-slot data ${name}`,
      span,
      message: `\`${recipe}\` has no \`${lineName("data", name)}\``,
      reason: "A sample has something for each input of the model.",
      help: `add a line \`data ${name}: ...\``,
    }));
}

/** A line with the name of the only input, and one without. */
function secondData(lines: readonly DraftLine[]): readonly Finding[] {
  const [first, second] = slotLines(lines, "data");
  if (!first || !second) return [];
  return [
    {
      code: "check/duplicate-slot",
      key: "check/duplicate-slot data",
      span: second.span,
      message: "`data` is filled twice, and the model has one input",
      help: "remove one of them",
      related: [{ span: first.span, message: "it is filled here" }],
    },
  ];
}
