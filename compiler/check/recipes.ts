/** One recipe: its body on top of its base, its length, and whether its blocks fit the model it trains. */

import type { Definition, DurationValue, RateValue } from "../../blocks/index.js";
import { isWithin, type RecipeDeclaration, type Span } from "../../grammar/index.js";
import type { Recipe, Setting, Use } from "../model.js";
import { recipeSlots } from "../slots.js";
import { readBody } from "./changes.js";
import { type Body, type Draft, type DraftBlock, type DraftLine, type DraftValue, slotLines } from "./draft.js";
import { arrayOf, classesOf, type Fact, type Facts, type Place, planeOf } from "./facts.js";
import { type Fitting, fits } from "./fit.js";
import { scopeOf, settings } from "./lines.js";
import { type Checking, type Subject, useOf, withDefaults } from "./models.js";
import { counted, excerpt, fail, type Report, warn } from "./report.js";
import { numberText } from "./show.js";

export interface CheckedRecipe {
  readonly draft: Draft;
  readonly failed: ReadonlySet<string>;
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
  fitRecipe(lines, factsOf(draft, subject), { report, within: declaration.span, name: span, known, failed });
  advise(lines, draft, { report, within: declaration.span });
  const whole = errors() === 0 && !checking.torn && !draft.open && (base === null || base.checked?.recipe != null);
  return {
    draft,
    subject,
    failed: new Set([...known, ...failed]),
    recipe: whole && subject?.checked.model ? recipeOf(declaration, span, lines, draft, subject.name) : null,
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

const placeOf = ({ checked }: Subject): Place => ({ wiring: checked.wiring, part: null });

const factsOf = (draft: Draft, subject: Subject | null): Facts => ({
  array: subject && arrayOf(placeOf(subject)),
  image: subject && planeOf(placeOf(subject)),
  classes: subject && classesOf(placeOf(subject)),
  epochs: settingFact(draft, "epochs"),
  steps: settingFact(draft, "steps"),
});

function fitRecipe(lines: readonly DraftLine[], facts: Facts, fitting: Fitting): void {
  for (const line of lines) if (line.block) fits(line.block, line.label, facts, fitting);
}

interface Advising {
  readonly report: Report;
  readonly within: Span;
}

/** Batches above this are where an absolute learning rate is most often a mistake. */
const largeBatch = 512;

function advise(lines: readonly DraftLine[], draft: Draft, advising: Advising): void {
  for (const { block, slot } of lines) {
    for (const [name, value] of block?.values ?? []) {
      if (!block || !value || value.origin.how === "default" || !isWithin(value.origin.span, advising.within)) continue;
      const kind = block.definition.params[name]?.type.kind;
      if (kind === "rate") unscaled(name, value, draft, advising);
      if (kind === "duration" && slot === "schedule") long(name, value, draft, advising);
    }
  }
}

function unscaled(name: string, { value, origin }: DraftValue, { settings: held }: Draft, { report }: Advising): void {
  const { per } = value as RateValue;
  const batch = held.get("batch");
  if (per !== null || !batch || (batch.value as number) <= largeBatch) return;
  const size = batch.value as number;
  warn(report, "lint/unscaled-learning-rate", origin.span, `\`${name}\` does not follow the batch of ${size}`, {
    help: `write it per a number of samples: \`${excerpt(origin.span)} per ${size}\` is the same rate now`,
    related: [{ span: batch.origin.span, message: `the batch is ${size} here` }],
    fix: {
      title: `Write it per ${size} samples`,
      edits: [{ span: { ...origin.span, start: origin.span.end }, text: ` per ${size}` }],
    },
  });
}

function long(name: string, { value, origin }: DraftValue, { settings: held }: Draft, { report }: Advising): void {
  const { amount, unit } = value as DurationValue;
  const length = held.get(unit);
  const total = length?.value as number | undefined;
  if (!length || total === undefined || amount <= total / 2 || amount >= total) return;
  warn(
    report,
    "lint/long-warmup",
    origin.span,
    `\`${name}\` takes ${numberText(amount)} of ${numberText(total)} ${unit}`,
    {
      help: `a tenth is usual: \`${numberText(Math.max(1, Math.round(total / 10)))} ${unit}\``,
      related: [{ span: length.origin.span, message: "the length is set here" }],
    },
  );
}

function recipeOf(
  declaration: RecipeDeclaration,
  span: Span,
  lines: readonly DraftLine[],
  draft: Draft,
  model: string,
): Recipe {
  const uses = (kind: string): readonly (readonly [DraftLine, Use])[] => {
    const { slot } = recipeSlots.find((rule) => rule.kind === kind) ?? { slot: kind };
    return slotLines(lines, slot).map((line) => [line, useOf(line.block as DraftBlock)] as const);
  };
  const only = <D extends Definition>(kind: string): Use<D> =>
    (uses(kind)[0] as readonly [DraftLine, Use])[1] as Use<D>;
  return {
    name: declaration.name?.name ?? "",
    doc: declaration.doc,
    span,
    model,
    data: only("dataset"),
    augment: uses("augment").map(([, use]) => use),
    optimizer: only("optimizer"),
    schedule: only("schedule"),
    evaluate: uses("probe").map(([line, use]) => ({
      use,
      every: (line.every?.value as DurationValue | undefined) ?? null,
    })),
    settings: settingsOf(draft, span),
  };
}

/** Every setting, with its default, or null where it has none. */
const settingsOf = (draft: Draft, span: Span): Readonly<Record<string, Setting>> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, param]): [string, Setting] => {
      const held = draft.settings.get(name);
      return [name, held ?? { value: param.default ?? null, origin: { how: "default", span } }];
    }),
  );
