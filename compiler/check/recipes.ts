/** One recipe: its body on top of its base, its length, and whether its blocks fit the model it trains. */

import type { Definition, DurationValue, OfInput } from "../../blocks/index.js";
import { isWithin, type RecipeDeclaration, type Span } from "../../grammar/index.js";
import type { Recipe, Setting, Use } from "../model.js";
import { recipeSlots } from "../slots.js";
import { outputsOf } from "../wire/wiring.js";
import { readBody } from "./changes.js";
import { type Body, type Draft, type DraftBlock, type DraftLine, slotLines } from "./draft.js";
import {
  arraysOf,
  classesOf,
  encoderWidthOf,
  type Fact,
  type Facts,
  imitationsOf,
  partsSaid,
  sayingOf,
  soundParts,
  targetsOf,
  watchedValues,
} from "./facts.js";
import { type Fitting, fits } from "./fit.js";
import { scopeOf, settings } from "./lines.js";
import { type JudgedRecipe, lintRecipe } from "./lint.js";
import { type Checking, type Subject, useOf, withDefaults } from "./models.js";
import { named } from "./nearest.js";
import { checkInputs, inputsOf, inputsOfLine, type ModelInput } from "./recipe-inputs.js";
import { counted, fail } from "./report.js";
import { numberText } from "./show.js";

export interface CheckedRecipe {
  readonly draft: Draft;
  readonly failed: ReadonlySet<string>;
  /** What lints remark of it. */
  readonly remarks: ReadonlySet<string>;
  /** The model it trains; null: not known. */
  readonly subject: Subject | null;
  /** null when there is an error in it, in what it inherits or in its model. */
  readonly recipe: Recipe | null;
}

interface RecipeBase {
  readonly draft: Draft;
  readonly checked: CheckedRecipe | null;
}

export function checkRecipe(
  declaration: RecipeDeclaration,
  base: RecipeBase | null,
  subject: Subject | null,
  checking: Checking,
): CheckedRecipe {
  const { report, errors } = counted(checking.report);
  const name = declaration.name?.name ?? "";
  const span = declaration.name?.span ?? declaration.span;
  const scope = scopeOf(declaration.entries, null, { ...checking, report });
  const body: Body = { ...checking, owner: "recipe", within: null, rules: recipeSlots, scope, report, name };
  const draft = readBody(declaration.entries, base?.draft ?? null, body);
  const lines = withDefaults(draft, body, span);
  if (!draft.open) oneLength(draft, span, body);
  const failed = new Set<string>();
  const known = base?.checked?.failed ?? new Set();
  const inputs = subject && inputsOf(subject);
  const fitting = { report, within: declaration.span, name: span, known, failed };
  if (inputs && !draft.open) checkInputs(lines, inputs, body, fitting);
  fitRecipe(lines, inputs, factsOf(draft, subject), fitting);
  if (subject) unknownOutputs(lines, subject, body, fitting);
  const whole = errors() === 0 && !checking.torn && !draft.open && (base === null || base.checked?.recipe != null);
  const model = whole ? subject?.checked.model : null;
  const recipe = model ? recipeOf(declaration, span, lines, draft, (subject as Subject).name) : null;
  const judged = judgedRecipe(draft, lines, subject, span);
  const linting = { report, within: declaration.span, name: span, known: base?.checked?.remarks ?? new Set<string>() };
  return {
    draft,
    subject,
    failed: new Set([...known, ...failed]),
    remarks: lintRecipe(judged, linting),
    recipe,
  };
}

/** Epochs or steps: one of the two. */
function oneLength({ settings: held, suspected }: Draft, span: Span, { name, report }: Body): void {
  const [epochs, steps] = [held.get("epochs"), held.get("steps")];
  if (epochs === undefined && steps === undefined) {
    if (suspected.has("epochs") || suspected.has("steps")) return;
    fail(report, "check/epochs-or-steps", span, `\`${name}\` does not say how long to train`, {
      help: "add `epochs 100` (passes over the data) or `steps 10000` (optimizer steps)",
    });
  }
  if (!epochs || !steps) return;
  const [first, second] = [epochs.origin.span, steps.origin.span].sort((a, b) =>
    a.source === b.source ? a.start - b.start : 0,
  ) as [Span, Span];
  const own = second.source === span.source ? second : span;
  fail(report, "check/epochs-or-steps", own, "both `epochs` and `steps` say how long to train", {
    help: "keep one of them; in a recipe that extends another, `remove` the other",
    related: [{ span: first, message: "the other one" }],
  });
}

/** The number of a setting; null as a value: not set. */
function settingFact({ settings: held, open }: Draft, name: string): Fact<number | null> {
  const value = held.get(name);
  if (value === null || (value === undefined && open)) return null;
  if (value === undefined) return { value: null, sources: [] };
  const message = `\`${name}\` is ${numberText(value.value as number)} here`;
  return { value: value.value as number, sources: [{ name, span: value.origin.span, message }] };
}

/** What blocks of a recipe are told of it, whatever input they are for. */
const factsOf = (draft: Draft, subject: Subject | null): Facts => ({
  array: null,
  image: null,
  arrays: subject && arraysOf({ wiring: subject.checked.wiring, part: null }),
  classes: subject && classesOf({ wiring: subject.checked.wiring, part: null }),
  says: subject && sayingOf({ wiring: subject.checked.wiring, part: null }),
  imitations: subject && imitationsOf({ wiring: subject.checked.wiring, part: null }),
  parts: subject && partsSaid({ wiring: subject.checked.wiring, part: null }),
  targets: subject && targetsOf({ wiring: subject.checked.wiring, part: null }),
  encoderWidth: subject && encoderWidthOf({ wiring: subject.checked.wiring, part: null }),
  epochs: settingFact(draft, "epochs"),
  steps: settingFact(draft, "steps"),
});

function fitRecipe(
  lines: readonly DraftLine[],
  inputs: readonly ModelInput[] | null,
  facts: Facts,
  fitting: Fitting,
): void {
  for (const line of lines) {
    if (!line.block) continue;
    const own = inputsOfLine(line, inputs ?? []);
    if (own.length === 0) fits(line.block, line.label, facts, fitting);
    for (const input of own) fits(line.block, line.label, { ...facts, ...input.facts }, fitting);
  }
}

/** Probes name one output of the model. */
function unknownOutputs(
  lines: readonly DraftLine[],
  { name, checked: { wiring } }: Subject,
  { report }: Body,
  { within, name: at, known, failed }: Fitting,
): void {
  const outputs = outputsOf(wiring);
  const asked = slotLines(lines, slotOf("probe")).flatMap(({ block }) => {
    const between = block?.values.get("between");
    const others = ((between?.value ?? []) as readonly string[]).map((name) => ({
      block,
      of: between && { ...between, value: [name] },
    }));
    return [{ block, of: block?.values.get("of") }, ...others];
  });
  for (const { block, of } of asked) {
    const names = (of?.value ?? null) as readonly string[] | null;
    if (!of || !names || (names.length === 1 && outputs.includes(names[0] as string))) continue;
    const key = `check/unknown-label ${block?.definition.name} ${names.join()}`;
    failed.add(key);
    if (known.has(key)) continue;
    const { span } = of.origin;
    const message =
      names.length === 1
        ? `\`${name}\` gives no features called \`${names[0]}\``
        : `\`${block?.definition.name}\` judges one output, and \`of\` names ${names.length}`;
    fail(report, "check/unknown-label", isWithin(span, within) ? span : at, message, {
      reason: "A probe judges what an encoder gives.",
      help: `it gives ${named(outputs)}`,
    });
  }
}

/** The recipe as lints see it: what is broken, or may be there and was not understood, cannot be read. */
function judgedRecipe(
  draft: Draft,
  withDefaults: readonly DraftLine[],
  subject: Subject | null,
  span: Span,
): JudgedRecipe {
  const isWhole = !draft.open && draft.suspected.size === 0;
  const lines = isWhole ? withDefaults : draft.lines;
  const linesOf = (kind: string) => slotLines(lines, slotOf(kind));
  const only = (kind: string): Use | null => soundUse(linesOf(kind)[0]?.block ?? null);
  const some = <T>(kind: string, of: (use: Use, line: DraftLine) => T): readonly T[] | null => {
    const held = linesOf(kind).map((line) => [soundUse(line.block), line] as const);
    return held.every(([use]) => use) ? held.map(([use, line]) => of(use as Use, line)) : null;
  };
  const all = <T>(kind: string, of: (use: Use, line: DraftLine) => T): readonly T[] | null =>
    isWhole ? some(kind, of) : null;
  const data = some("dataset", ofInput);
  return soundParts<JudgedRecipe>({
    model: subject?.checked.model?.slots ?? null,
    data: data?.length === 0 ? null : data,
    augment: all("augment", ofInput),
    optimizer: only("optimizer"),
    schedule: only("schedule"),
    evaluate: all("probe", probeOf),
    settings: soundParts(settingsOf(draft, span, isWhole)),
  });
}

/** A block whose broken values cannot be read. */
const soundUse = (block: DraftBlock | null): Use | null =>
  block && { ...useOf(block), values: watchedValues(block, new Set()) };

const ofInput = (use: Use, { label }: DraftLine): OfInput<Use> => ({
  ...use,
  ...(label === null ? {} : { input: label }),
});

const probeOf = (use: Use, { every }: DraftLine) => ({
  use,
  every: (every?.value as DurationValue | undefined) ?? null,
});

const slotOf = (kind: string): string => recipeSlots.find((rule) => rule.kind === kind)?.slot ?? kind;

function recipeOf(
  declaration: RecipeDeclaration,
  span: Span,
  lines: readonly DraftLine[],
  draft: Draft,
  model: string,
): Recipe {
  const uses = (kind: string): readonly (readonly [DraftLine, Use])[] =>
    slotLines(lines, slotOf(kind)).map((line) => [line, useOf(line.block as DraftBlock)] as const);
  const only = <D extends Definition>(kind: string): Use<D> =>
    (uses(kind)[0] as readonly [DraftLine, Use])[1] as Use<D>;
  return {
    name: declaration.name?.name ?? "",
    doc: declaration.doc,
    span,
    model,
    data: uses("dataset").map(([line, use]) => ofInput(use, line)),
    augment: uses("augment").map(([line, use]) => ofInput(use, line)),
    optimizer: only("optimizer"),
    schedule: only("schedule"),
    evaluate: uses("probe").map(([line, use]) => probeOf(use, line)),
    settings: settingsOf(draft, span, true) as Readonly<Record<string, Setting>>,
  };
}

/**
 * Every setting, with its default, or null as its value where it has none; null: broken.
 * @param isWhole whether what is not there was not written
 */
const settingsOf = (draft: Draft, span: Span, isWhole: boolean): Readonly<Record<string, Setting | null>> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, param]): [string, Setting | null] => {
      const held = draft.settings.get(name);
      const byDefault: Setting = { value: param.default ?? null, origin: { how: "default", span } };
      return [name, held === undefined && isWhole ? byDefault : (held ?? null)];
    }),
  );
