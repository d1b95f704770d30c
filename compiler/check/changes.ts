/**
 * A body line by line, on top of what is inherited: plain lines, `add`, `replace`, `remove`, `set`. A change that changes
 * nothing, or that another change of the same body overrides, is an error.
 */

import type { ModelEntry, Remove, Slot } from "../../grammar/index.js";
import { type SlotRule, takesMany } from "../slots.js";
import { type Body, type Draft, type DraftLine, headOf, lineName, nothing, sameLine } from "./draft.js";
import { readLines, ruleOf, settingOf } from "./lines.js";
import { named } from "./nearest.js";
import { fail, lineRemoval } from "./report.js";
import { applySet } from "./sets.js";
import { changeSetting, readSettingLine } from "./settings.js";
import { defaultBlock } from "./vocabulary.js";
import { changeWithoutBase, type EditedLine, overridden, verbSpan, type Work, withoutEffect } from "./work.js";

/** Reads a body. `base`: what it extends, null when it extends nothing. */
export function readBody(entries: readonly ModelEntry[], base: Draft | null, body: Body): Draft {
  const inherited = base ?? nothing;
  const work: Work = {
    body,
    base: inherited,
    extending: base !== null,
    lines: inherited.lines.map((line) => ({ line, made: null, sets: new Map() })),
    settings: new Map(inherited.settings),
    settingsMade: new Map(),
    removed: [],
    suspected: new Set(),
  };
  for (const entry of entries) applyEntry(entry, work);
  return {
    lines: work.lines.map((held) => held.line),
    settings: work.settings,
    open: inherited.open || body.torn,
    suspected: new Set([...inherited.suspected, ...work.suspected]),
  };
}

function applyEntry(entry: ModelEntry, work: Work): void {
  if (entry.kind === "slot") applySlot(entry, work);
  else if (entry.kind === "remove") applyRemove(entry, work);
  else if (entry.kind === "set") applySet(entry, work);
}

const inside = (entry: Slot, body: Body): readonly DraftLine[] => readBody(entry.entries ?? [], null, body).lines;

function applySlot(entry: Slot, work: Work): void {
  const { body } = work;
  const setting = settingOf(entry.slot.name, body);
  if (setting) {
    readSettingLine(entry, setting, work);
    return;
  }
  const rule = ruleOf(entry.slot, body, work.suspected);
  if (!rule) return;
  const lines = readLines(entry, rule, body, inside);
  if (entry.verb !== null && !work.extending) changeWithoutBase(entry, `\`${entry.verb}\``, work);
  const verb = work.extending ? (entry.verb ?? plainInChild(entry, rule, lines, work)) : "plain";
  if (verb === "replace") replaceLines(entry, rule, lines, work);
  else for (const line of lines) addLine(entry, rule, line, verb, work);
}

/** Reports a plain line in a child, and gives the verb that it should have had. */
function plainInChild(entry: Slot, rule: SlotRule, lines: readonly DraftLine[], work: Work): "add" | "replace" {
  const there = takesMany(rule)
    ? work.lines.filter((held) => held.line.slot === rule.slot)
    : lines.flatMap((line) => clash(rule, line, work) ?? []);
  const inherited = there.find((held) => held.made === null);
  const verb = inherited ? "replace" : "add";
  const choice = takesMany(rule) && inherited !== undefined;
  const at = { ...entry.span, start: entry.slot.span.start, end: entry.slot.span.start };
  fail(
    work.body.report,
    "check/plain-line-in-child",
    entry.slot.span,
    inherited
      ? `\`${rule.slot}\` is inherited, and this line does not say how it changes`
      : `\`${rule.slot}\` is added to what is inherited, and this line does not say so`,
    {
      help: choice
        ? `write \`replace ${rule.slot}\`, or \`add ${rule.slot}\` to keep what is there`
        : `write \`${verb} ${rule.slot}\``,
      related: inherited ? [{ span: inherited.line.span, message: "inherited from here" }] : [],
      fix:
        choice || work.base.open ? undefined : { title: `Write \`${verb}\``, edits: [{ span: at, text: `${verb} ` }] },
    },
  );
  return verb;
}

/** The line that a new one would collide with. */
function clash(rule: SlotRule, line: DraftLine, work: Work): EditedLine | undefined {
  const others = work.lines.filter((held) => held.line.slot === rule.slot);
  if (rule.multiplicity === "sequence") return undefined;
  if (rule.multiplicity === "one") return others[0];
  if (rule.multiplicity === "labelled" || line.label !== null) {
    return others.find((held) => held.line.label === line.label);
  }
  return others.find(
    ({ line: other }) =>
      other.label === null && other.block !== null && other.block.definition === line.block?.definition,
  );
}

function addLine(entry: Slot, rule: SlotRule, line: DraftLine, verb: "add" | "plain", work: Work): void {
  const other = clash(rule, line, work);
  if (other) {
    doubled(entry, rule, line, other, verb, work);
    return;
  }
  const same = work.removed.find((removed) => sameLine(removed, line));
  if (same) {
    withoutEffect(
      entry.span,
      `\`${lineName(rule.slot, line.label)}\` was removed and is added again just as it was`,
      same.span,
      work,
    );
  }
  work.lines = [...work.lines, { line, made: entry.span, sets: new Map() }];
}

/** Reports a second line where one can stand. */
function doubled(
  entry: Slot,
  rule: SlotRule,
  line: DraftLine,
  other: EditedLine,
  verb: "add" | "plain",
  { body }: Work,
): void {
  const name = lineName(rule.slot, line.label);
  const related = [{ span: other.line.span, message: "it is filled here" }];
  if (verb === "add" && other.made === null) {
    const fix = { title: "Write `replace`", edits: [{ span: verbSpan(entry), text: "replace " }] };
    fail(body.report, "check/slot-filled", headOf(entry), `\`${name}\` is filled already`, {
      help:
        rule.multiplicity === "one" ? "write `replace`" : "write `replace`, or give the new line a label of its own",
      related,
      fix: rule.multiplicity === "one" ? fix : undefined,
    });
    return;
  }
  const block = takesMany(rule) && line.label === null ? ` by \`${line.block?.definition.name}\`` : "";
  fail(body.report, "check/duplicate-slot", headOf(entry), `\`${name}\` is filled twice${block}`, {
    help:
      rule.multiplicity === "one" || rule.ofInputs
        ? "remove one of them"
        : `remove one of them, or tell them apart by labels: \`${rule.slot} name: ...\``,
    related,
  });
}

function replaceLines(entry: Slot, rule: SlotRule, lines: readonly DraftLine[], work: Work): void {
  const [first] = lines;
  const ofSlot = work.lines.filter((held) => held.line.slot === rule.slot);
  const targets = !takesMany(rule)
    ? lines.flatMap((line) => clash(rule, line, work) ?? [])
    : first?.label === null
      ? ofSlot
      : ofSlot.filter((held) => held.line.label === first?.label);
  if (targets.length === 0 && !work.base.open && !defaultBlock(work.body.registry, rule.kind)) {
    nothingToReplace(entry, rule, lines, work);
  }
  for (const target of targets) overridden(target, entry.span, work);
  const untouched = targets.every((held) => held.made === null && held.sets.size === 0);
  if (
    targets.length > 0 &&
    untouched &&
    targets.length === lines.length &&
    lines.every((line, i) => sameLine(line, (targets[i] as EditedLine).line))
  ) {
    withoutEffect(
      entry.span,
      `\`${lineName(rule.slot, first?.label ?? null)}\` is replaced by the same`,
      (targets[0] as EditedLine).line.span,
      work,
    );
  }
  const place = targets.length > 0 ? work.lines.indexOf(targets[0] as EditedLine) : work.lines.length;
  const rest = work.lines.filter((held) => !targets.includes(held));
  const fresh = lines.map((line): EditedLine => ({ line, made: entry.span, sets: new Map() }));
  work.lines = [...rest.slice(0, place), ...fresh, ...rest.slice(place)];
}

function nothingToReplace(entry: Slot, rule: SlotRule, lines: readonly DraftLine[], { body, lines: held }: Work): void {
  const labels = held.filter(({ line }) => line.slot === rule.slot).map(({ line }) => lineName(rule.slot, line.label));
  fail(
    body.report,
    "check/nothing-to-change",
    headOf(entry),
    `there is no \`${lineName(rule.slot, lines[0]?.label ?? null)}\` to replace`,
    {
      help: labels.length === 0 ? "write `add`" : `write \`add\`, or name what there is: ${named(labels)}`,
      fix: labels.length === 0 ? { title: "Write `add`", edits: [{ span: verbSpan(entry), text: "add " }] } : undefined,
    },
  );
}

function applyRemove(entry: Remove, work: Work): void {
  const { body } = work;
  if (settingOf(entry.slot.name, body)) {
    changeSetting(entry, work);
    return;
  }
  const rule = ruleOf(entry.slot, body, work.suspected);
  if (!rule) return;
  if (!work.extending) {
    changeWithoutBase(entry, "`remove`", work);
    return;
  }
  const targets = removalTargets(entry, rule, work);
  for (const target of targets) {
    overridden(target, entry.span, work);
    if (target.made === null) work.removed.push(target.line);
  }
  work.lines = work.lines.filter((held) => !targets.includes(held));
}

function removalTargets(entry: Remove, rule: SlotRule, { body, base, lines }: Work): readonly EditedLine[] {
  const there = lines.filter((held) => held.line.slot === rule.slot);
  const label = entry.label?.name ?? null;
  const exact = there.filter((held) => held.line.label === label);
  const byBlock = there.filter((held) => held.line.block?.definition.name === label);
  const found =
    label === null && takesMany(rule)
      ? there
      : exact.length > 0 || label === null
        ? exact
        : takesMany(rule)
          ? byBlock
          : [];
  if (found.length > 0 || base.open) return found;
  const names = there.map(({ line }) =>
    lineName(rule.slot, line.label ?? (takesMany(rule) ? (line.block?.definition.name ?? null) : null)),
  );
  fail(body.report, "check/nothing-to-change", entry.span, `there is no \`${lineName(rule.slot, label)}\` to remove`, {
    help: names.length === 0 ? "nothing of this slot is inherited: remove the line" : `what there is: ${named(names)}`,
    fix: names.length === 0 ? lineRemoval(entry.span, "Remove the line") : undefined,
  });
  return [];
}
