/** `set encoder.depth: 6`: finding the value that a path names, and changing it. */

import type { Param } from "../../blocks/index.js";
import type { Identifier, SetValue, Span } from "../../grammar/index.js";
import { type SlotRule, takesMany } from "../slots.js";
import { defaultUse, readParameter } from "./blocks.js";
import type { DraftBlock, DraftLine, DraftValue } from "./draft.js";
import { lineName } from "./draft.js";
import { ruleOf, settingOf } from "./lines.js";
import { named, suggestion } from "./nearest.js";
import { excerpt, fail } from "./report.js";
import { changeSetting } from "./settings.js";
import { pathText } from "./show.js";
import { sameValue } from "./values.js";
import { defaultBlock } from "./vocabulary.js";
import { changeWithoutBase, type EditedLine, overriddenChange, type Work, withoutEffect } from "./work.js";

export function applySet(entry: SetValue, work: Work): void {
  const [slot, ...rest] = entry.path;
  if (!slot) return;
  if (settingOf(slot.name, work.body)) {
    if (rest.length > 0) {
      incomplete(entry, `\`${slot.name}\` is a value and has no parts`, `write \`set ${slot.name}: ...\``, work);
    } else changeSetting(entry, work);
    return;
  }
  const rule = ruleOf(slot, work.body, work.suspected);
  if (!rule) return;
  if (!work.extending) {
    changeWithoutBase(entry, "`set`", work);
    return;
  }
  const target = find(entry, rule, rest, work);
  if (target) setParameter(entry, target.held, target.rest, work);
}

function incomplete(entry: SetValue, message: string, help: string, { body }: Work): null {
  const [first] = entry.path as [Identifier];
  const span = { ...first.span, end: (entry.path.at(-1) as Identifier).span.end };
  return fail(body.report, "check/incomplete-path", span, message, { help });
}

/** The line that a path names, and what is left of the path. */
function find(
  entry: SetValue,
  rule: SlotRule,
  rest: readonly Identifier[],
  work: Work,
): { held: EditedLine; rest: readonly Identifier[] } | null {
  const there = work.lines.filter((held) => held.line.slot === rule.slot);
  if (there.length === 0) return findDefault(entry, rule, rest, work);
  const [first] = rest;
  const byName = there.filter(
    ({ line }) => line.label === first?.name || (takesMany(rule) && line.block?.definition.name === first?.name),
  );
  const isParameter =
    rest.length === 1 &&
    there.some(({ line }) => line.block && Object.hasOwn(line.block.definition.params, first?.name ?? ""));
  const matching = rest.length > 1 || !isParameter ? byName : [];
  const ofInput = rule.ofInputs ? matching.filter(({ line }) => line.block?.definition.name === rest[1]?.name) : [];
  const [one, two] = ofInput;
  // `augment.image.normalize.std`: of several lines of one input, the one with the block.
  if (matching.length > 1 && one && !two) return { held: one, rest: rest.slice(2) };
  const unlabelled = there.filter(({ line }) => line.label === null);
  const candidates = matching.length > 0 ? matching : unlabelled.length > 0 ? unlabelled : there;
  const [only, other] = candidates;
  if (only && !other) return { held: only, rest: matching.length > 0 ? rest.slice(1) : rest };
  const names = there.map(({ line }) => `${rule.slot}.${line.label ?? line.block?.definition.name ?? "..."}`);
  return fail(
    work.body.report,
    "check/ambiguous-change",
    entry.span,
    `there are ${there.length} lines of \`${rule.slot}\``,
    {
      help: `say which one: ${named(names, "or")}`,
      related: there.map(({ line }) => ({ span: line.span, message: "one of them" })),
    },
  );
}

/** A slot left empty has its default block, and a value of that can be set. */
function findDefault(
  entry: SetValue,
  rule: SlotRule,
  rest: readonly Identifier[],
  work: Work,
): { held: EditedLine; rest: readonly Identifier[] } | null {
  const definition = defaultBlock(work.body.registry, rule.kind);
  const block = definition && defaultUse(rule.kind, definition, entry.span);
  if (block) {
    const line = { slot: rule.slot, label: null, block, every: null, inner: [], span: entry.span };
    const held: EditedLine = { line, made: null, sets: new Map() };
    work.lines = [...work.lines, held];
    return { held, rest };
  }
  if (work.base.open) return null;
  return fail(work.body.report, "check/nothing-to-change", entry.span, `there is no \`${rule.slot}\` to change`, {
    help: `write \`add ${rule.slot} ...\` with the values it should have`,
  });
}

function setParameter(entry: SetValue, held: EditedLine, path: readonly Identifier[], work: Work): void {
  const [name, ...rest] = path;
  const { line } = held;
  if (!name) {
    const help = line.block
      ? `name a parameter: ${named(Object.keys(line.block.definition.params), "or")}`
      : "name a parameter";
    incomplete(entry, `\`${lineName(line.slot, line.label)}\` is a block, not a value`, help, work);
    return;
  }
  const changed = rest.length > 0 ? setInner(entry, line, name, rest, work) : changeIn(entry, line, name, held, work);
  if (changed) held.line = changed;
}

/** A value in the `{ }` of a line: `set target.region.encoder.depth: 2`. */
function setInner(
  entry: SetValue,
  line: DraftLine,
  slot: Identifier,
  rest: readonly Identifier[],
  work: Work,
): DraftLine | null {
  const inner = line.inner.filter((candidate) => candidate.slot === slot.name);
  const [only, other] = inner;
  const [name, ...more] = rest;
  if (!only || other || !name || more.length > 0) {
    const slots = line.inner.map((candidate) => candidate.slot);
    const help =
      slots.length === 0
        ? `\`${lineName(line.slot, line.label)}\` has parameters only: write \`${line.slot}.name\``
        : `it has ${named(slots)}`;
    return incomplete(entry, `\`${pathText(entry.path)}\` names no value`, help, work);
  }
  const held: EditedLine = { line: only, made: null, sets: new Map() };
  const changed = changeIn(entry, only, name, held, work);
  return changed && { ...line, inner: line.inner.map((candidate) => (candidate === only ? changed : candidate)) };
}

function changeIn(
  entry: SetValue,
  line: DraftLine,
  { name, span }: Identifier,
  held: EditedLine,
  work: Work,
): DraftLine | null {
  const { block } = line;
  const { body } = work;
  if (!block || !entry.value) return null;
  const { definition } = block;
  const param = Object.hasOwn(definition.params, name) ? definition.params[name] : undefined;
  if (!param) {
    return fail(body.report, "check/unknown-parameter", span, `\`${definition.name}\` has no parameter \`${name}\``, {
      ...suggestion(name, span, Object.keys(definition.params), `parameters of \`${definition.name}\``),
      related: [{ span: block.origin.span, message: "the block that is changed" }],
    });
  }
  const old = block.values.get(name) ?? null;
  reportOverridden(entry, held, name, old, work);
  const value = readParameter(definition, name, entry.value, "set", body);
  if (value && old && !held.sets.has(name) && held.made === null) reportSame(entry, param, name, old, value, work);
  held.sets.set(name, entry.span);
  return { ...line, block: withValue(block, name, value) };
}

const withValue = (block: DraftBlock, name: string, value: DraftValue | null): DraftBlock => ({
  ...block,
  values: new Map([...block.values, [name, value]]),
});

/** A value that this body wrote before, in a block or by `set`, is overridden by a second `set`. */
function reportOverridden(
  entry: SetValue,
  held: EditedLine,
  name: string,
  old: DraftValue | null,
  { body }: Work,
): void {
  const earlier: Span | undefined = held.sets.get(name);
  if (earlier) overriddenChange(earlier, entry.span, body);
  else if (held.made && old?.origin.how === "written") overriddenChange(old.origin.span, entry.span, body, "part");
}

function reportSame(
  entry: SetValue,
  param: Param<unknown>,
  name: string,
  old: DraftValue,
  value: DraftValue,
  work: Work,
): void {
  if (!sameValue(param.type, old.value, value.value)) return;
  const written = excerpt(value.origin.span);
  withoutEffect(entry.span, `\`${name}\` is ${written} already`, old.origin.span, work);
}
