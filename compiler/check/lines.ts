/** Slot lines without inheritance: which slot, which blocks, label, `every` and the lines in `{ }`. */

import { type Param, type Params, type ParamType, recipeSettings } from "../../blocks/index.js";
import type { Expression, Identifier, Let, ModelEntry, Slot } from "../../grammar/index.js";
import { modelSlots, recipeSlots, type SlotRule, takesLabels, takesMany } from "../slots.js";
import { readBlock, readSetting } from "./blocks.js";
import { type Body, type DraftLine, type DraftValue, headOf } from "./draft.js";
import { capitalized, isSlip, named, nearest } from "./nearest.js";
import { fail, replacement } from "./report.js";
import { openScope, type Scope } from "./scope.js";
import { blocksOf } from "./vocabulary.js";

export const settings: Params = recipeSettings;

/** The setting of this name, where the body is a recipe's. */
export const settingOf = (name: string, body: Body): Param<unknown> | undefined =>
  body.owner === "recipe" && body.within === null && Object.hasOwn(settings, name) ? settings[name] : undefined;

/** All names that may start a line of a body. */
const validSlots = (body: Body): readonly string[] => [
  ...body.rules.map((rule) => rule.slot),
  ...(body.owner === "recipe" && body.within === null ? Object.keys(settings) : []),
];

/** Every expression written in a body, those in nested `{ }` included. */
function* expressionsIn(entries: readonly ModelEntry[]): Generator<Expression> {
  for (const entry of entries) {
    if (entry.kind === "let") yield* entry.alternatives;
    else if (entry.kind === "set" && entry.value) yield entry.value;
    else if (entry.kind === "slot") {
      yield* entry.values;
      if (entry.every) yield entry.every;
      if (entry.entries) yield* expressionsIn(entry.entries);
    }
  }
}

/** The variables of a body of a model or recipe. */
export function scopeOf(
  entries: readonly ModelEntry[],
  parent: Scope | null,
  body: Pick<Body, "report" | "torn">,
): Scope {
  const lets = entries.filter((entry): entry is Let => entry.kind === "let");
  const options = { uses: [...expressionsIn(entries)], alternatives: false, complete: !body.torn };
  return openScope(lets, parent, options, body.report);
}

/** The rule of a slot in this body; reported when there is none. */
export function ruleOf(identifier: Identifier, body: Body, suspected: Set<string>): SlotRule | null {
  const { name } = identifier;
  const rule = body.rules.find((candidate) => candidate.slot === name);
  if (rule) return rule;
  if (!misplaced(identifier, body)) unknownSlot(identifier, body, suspected);
  return null;
}

/** Reports a slot that the language has elsewhere. Gives whether it is one. */
function misplaced({ name, span }: Identifier, body: Body): boolean {
  const inModel = modelSlots.some((rule) => rule.slot === name);
  const inRecipe = recipeSlots.some((rule) => rule.slot === name) || Object.hasOwn(settings, name);
  if (!inModel && !inRecipe) return false;
  const here = body.within === null ? `a ${body.owner}` : `the braces of \`${body.within}\``;
  const home = inModel ? "a model" : "a recipe";
  fail(body.report, "check/misplaced-slot", span, `\`${name}\` belongs in ${home}, not in ${here}`, {
    help: `move the line to ${body.within !== null && inModel === (body.owner === "model") ? `the body of the ${body.owner}` : home}`,
  });
  return true;
}

function unknownSlot({ name, span }: Identifier, body: Body, suspected: Set<string>): void {
  const valid = validSlots(body);
  const meant = nearest(name, valid);
  suspected.add(meant ?? name);
  const home = meant === null ? parameterHome(name, body) : null;
  const list = `a ${body.within ? `\`${body.within}\` in braces` : body.owner} takes ${named(valid)}`;
  const first = home ?? (meant === null ? null : `did you mean \`${meant}\`?`);
  fail(body.report, "check/unknown-slot", span, `there is no slot \`${name}\``, {
    help: first === null ? list : `${first} ${capitalized(list)}`,
    fix: meant === null || !isSlip(name) ? undefined : replacement(span, meant),
  });
}

/** Where a name belongs that is a parameter of a block: a common slip for those who come from flat configurations. */
function parameterHome(name: string, { rules, registry }: Body): string | null {
  for (const { slot, kind } of rules) {
    const owner = blocksOf(registry, kind).find(({ params }) => Object.hasOwn(params, name));
    if (owner) return `it is a parameter of blocks: \`${slot} ${owner.name}(${name}: ...)\`.`;
  }
  return null;
}

const everyType: ParamType = { kind: "duration", min: 1 };

/** The lines that a slot entry stands for: one for each block between its commas. */
export function readLines(
  entry: Slot,
  rule: SlotRule,
  body: Body,
  inside: (entry: Slot, body: Body) => readonly DraftLine[],
): readonly DraftLine[] {
  const label = readLabel(entry, rule, body);
  const every = readEvery(entry, rule.every, body);
  const values = takesMany(rule) ? entry.values : onlyValue(entry, body);
  const inner = readInner(entry, rule, body, inside);
  const span = { ...entry.span, start: entry.slot.span.start };
  const line = { slot: rule.slot, label, every, inner, span };
  if (values.length === 0) return [{ ...line, block: null }];
  return values.map((value) => ({ ...line, block: readBlock(rule.kind, rule.slot, value, body) }));
}

function readLabel(entry: Slot, rule: SlotRule, body: Body): string | null {
  if (!entry.label) return null;
  if (takesLabels(rule) && (rule.ofInputs || entry.values.length < 2)) return entry.label.name;
  const message = !takesLabels(rule)
    ? `\`${rule.slot}\` takes no label`
    : `the label \`${entry.label.name}\` would name ${entry.values.length} blocks`;
  return fail(body.report, "check/unexpected-label", entry.label.span, message, {
    help: !takesLabels(rule) ? "write it without a label" : "write one labelled line for each block",
  });
}

export function readEvery(entry: Slot, allowed: boolean, body: Body): DraftValue | null {
  if (!entry.every) return null;
  if (!allowed) {
    return fail(
      body.report,
      "check/unexpected-every",
      entry.every.span,
      `\`${entry.slot.name}\` does not happen \`every\` so often`,
      {
        help: `remove \`every\`; it stands after ${named(recipeSlots.filter((rule) => rule.every).map((rule) => rule.slot))}`,
      },
    );
  }
  const value = readSetting(everyType, entry.every, "`every`", body);
  return value === null ? null : { value, origin: { how: "written", span: entry.every.span } };
}

/** The first value, after a report when there are more. */
export function onlyValue(entry: Slot, body: Body): readonly Expression[] {
  const [first, second] = entry.values;
  if (second) {
    fail(
      body.report,
      "check/too-many-blocks",
      second.span,
      `\`${entry.slot.name}\` takes one value, and here are ${entry.values.length}`,
      {
        help: `keep one of them; several are taken by ${named(body.rules.filter(takesMany).map((rule) => rule.slot))}`,
      },
    );
  }
  return first ? [first] : [];
}

function readInner(
  entry: Slot,
  rule: SlotRule,
  body: Body,
  inside: (entry: Slot, body: Body) => readonly DraftLine[],
): readonly DraftLine[] {
  if (!entry.entries) return [];
  if (rule.inner.length === 0) {
    unexpectedBody(entry, body);
    return [];
  }
  const scope = scopeOf(entry.entries, body.scope, body);
  const rules = modelSlots.filter((candidate) => rule.inner.includes(candidate.slot));
  return inside(entry, { ...body, rules, scope, within: rule.slot });
}

export function unexpectedBody(entry: Slot, body: Body): null {
  const braces = { ...entry.span, start: entry.values.at(-1)?.span.end ?? headOf(entry).end };
  const at = entry.span.source.text.slice(braces.start, entry.span.end).indexOf("{");
  const start = braces.start + at;
  const span = at < 0 ? headOf(entry) : { ...braces, start, end: start + 1 };
  const takers = body.rules.filter((rule) => rule.inner.length > 0).map((rule) => rule.slot);
  return fail(body.report, "check/unexpected-body", span, `\`${entry.slot.name}\` has no slots of its own`, {
    help: takers.length === 0 ? "remove the braces" : `remove the braces; ${named(takers)} may have them`,
  });
}
