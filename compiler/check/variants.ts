/** A family of variants: its names and values, then its members. */

import type { Axis, Identifier, Skip, VariantsDeclaration } from "../../grammar/index.js";
import type { Family } from "../model.js";
import { modelSlots, recipeSlots, type SlotRule } from "../slots.js";
import { readBlock, readParameter, readSetting } from "./blocks.js";
import { checkNames, comparisonsOf } from "./conditions.js";
import { type Body, type DraftLine, slotLines } from "./draft.js";
import { ruleOf, settings } from "./lines.js";
import { factorsOf } from "./member-names.js";
import { equalMembers, isBlockAxis, isSeedAxis, membersOf, mostMembers, seedSetting, type Written } from "./members.js";
import type { CheckedModel, Checking, Subject } from "./models.js";
import { named, suggestion } from "./nearest.js";
import { counted, fail, type Report } from "./report.js";
import { openScope, type Scope } from "./scope.js";
import { numberText, pathText } from "./show.js";

/** Checks a family. Null when something in it or in its base is wrong. `room`: what the families of the file may still build. */
export function checkVariants(
  declaration: VariantsDeclaration,
  subject: Subject | null,
  room: { members: number },
  checking: Checking,
): Family | null {
  const { report, errors } = counted(checking.report);
  const skips = checkLines(declaration, subject?.checked ?? null, { ...checking, report });
  if (errors() > 0 || checking.torn || !subject?.checked.model || !declaration.name) return null;
  const factors = factorsOf(entriesOf(declaration, "let"), entriesOf(declaration, "axis"));
  const written = { declaration, factors, skips, subject: subject.checked };
  if (!isOfFairSize(written, room, report)) return null;
  const { members, skipped } = membersOf(written, { ...checking, report });
  if (errors() > 0) return null;
  const { name, span } = declaration.name;
  if (members.length === 0) return emptyFamily(written, "every member is skipped", "skip fewer of them", report);
  equalMembers(members, span, report);
  return { name, doc: declaration.doc, span, base: subject.name, members, skipped };
}

type Entry = VariantsDeclaration["entries"][number];

const entriesOf = <K extends Entry["kind"]>(
  { entries }: VariantsDeclaration,
  kind: K,
): readonly Extract<Entry, { kind: K }>[] =>
  entries.filter((entry): entry is Extract<Entry, { kind: K }> => entry.kind === kind);

/** Names and values of every line, each alternative by itself. Gives the `skip` lines. */
function checkLines(
  declaration: VariantsDeclaration,
  subject: CheckedModel | null,
  checking: Checking,
): readonly Skip[] {
  const lets = entriesOf(declaration, "let");
  const axes = entriesOf(declaration, "axis");
  const skips = entriesOf(declaration, "skip");
  const { report, registry } = checking;
  const compared = skips.flatMap((skip) => [...comparisonsOf(skip.condition)]);
  const uses = [
    ...[...lets, ...axes].flatMap((line) => line.alternatives),
    ...compared.flatMap(({ left, right }) => [left, right]),
  ];
  const scope = openScope(lets, null, { uses, alternatives: true, complete: !checking.torn }, report);
  const body = {
    ...checking,
    owner: "model",
    within: null,
    rules: modelSlots,
    name: declaration.name?.name ?? "",
  } as const;
  doubledAxes(axes, report);
  const rounds = Math.max(1, ...lets.map((line) => line.alternatives.length));
  for (let round = 0; round < rounds; round++) {
    for (const axis of axes) checkAxis(axis, axes, subject, { ...body, scope: turned(scope, round) });
  }
  for (const skip of skips) checkNames(skip.condition, scope, registry, report);
  return skips;
}

function isOfFairSize(written: Written, room: { members: number }, report: Report): boolean {
  const { factors, declaration } = written;
  const sizes = factors.map(({ line }) => line.alternatives.length);
  if (!factors.some(({ line }) => line.kind === "axis")) {
    return (
      emptyFamily(written, "nothing in it varies", "add a line such as `decoder.depth = 1 | 4 | 8`", report) !== null
    );
  }
  const total = sizes.reduce((product, size) => product * size, 1);
  if (total <= room.members) {
    room.members -= total;
    return true;
  }
  const several = factors.filter(({ line }) => line.alternatives.length > 1);
  const counts = several.map(({ name, line }) => `${name} ${line.alternatives.length}`);
  fail(
    report,
    "check/family-too-large",
    declaration.name?.span ?? declaration.span,
    total > mostMembers
      ? `the family has ${numberText(total)} members, and ${numberText(mostMembers)} are built at most`
      : `the family has ${numberText(total)} members, and the families above leave ${numberText(room.members)} of the ${numberText(mostMembers)} of a file`,
    {
      help:
        total > mostMembers
          ? `keep fewer alternatives, or split it into several families: ${named(counts)}`
          : `move it to a file of its own, or keep fewer alternatives: ${named(counts)}`,
    },
  );
  return false;
}

const emptyFamily = ({ declaration }: Written, why: string, help: string, report: Report): null =>
  fail(
    report,
    "check/empty-family",
    declaration.name?.span ?? declaration.span,
    `\`${declaration.name?.name}\` has no members: ${why}`,
    { help },
  );

/** The same variables, each with one of its alternatives. */
const turned = (scope: Scope, round: number): Scope => ({
  parent: null,
  lets: new Map(
    [...scope.lets].map(([name, line]) => [
      name,
      { ...line, alternatives: line.alternatives.slice(Math.min(round, line.alternatives.length - 1)).slice(0, 1) },
    ]),
  ),
});

function doubledAxes(axes: readonly Axis[], report: Report): void {
  const seen = new Map<string, Axis>();
  for (const axis of axes) {
    const path = pathText(axis.path);
    const other = seen.get(path);
    if (other) {
      fail(report, "check/duplicate-slot", axis.span, `\`${path}\` has alternatives twice`, {
        help: "put them into one line",
        related: [{ span: other.span, message: "first here" }],
      });
    } else seen.set(path, axis);
  }
}

function checkAxis(axis: Axis, axes: readonly Axis[], subject: CheckedModel | null, body: Body): void {
  const [slot, ...rest] = axis.path;
  if (isSeedAxis(axis)) {
    for (const value of axis.alternatives) readSetting(seedSetting.type, value, "`seed`", body);
    return;
  }
  if (!slot || isOfRecipe(slot, body)) return;
  const rule = ruleOf(slot, body, new Set());
  if (!rule) return;
  const lines = subject ? slotLines(subject.lines, rule.slot) : [];
  const areBlocks = subject ? isBlockAxis(axis, subject) : rest.length === 0;
  // What another axis puts into the slot is known in the members only.
  const isVaried = axes.some((other) => other.path.length === 1 && other.path[0]?.name === slot.name);
  if (!areBlocks && isVaried) return;
  if (areBlocks) for (const value of axis.alternatives) readBlock(rule.kind, rule.slot, value, body);
  else if (subject) parameterAxis(axis, rule, { lines, isOpen: subject.draft.open }, rest, body);
}

/** Reports an axis that would vary how models are trained. */
function isOfRecipe({ name, span }: Identifier, { report }: Body): boolean {
  if (!recipeSlots.some(({ slot }) => slot === name) && !Object.hasOwn(settings, name)) return false;
  fail(
    report,
    "check/misplaced-slot",
    span,
    `\`${name}\` belongs in a recipe, and a family varies a model and its seed`,
    {
      help: "write a recipe for each value, and train the family by each of them: `mae train FILE Recipe --variant all --out DIR`",
    },
  );
  return true;
}

function parameterAxis(
  axis: Axis,
  rule: SlotRule,
  { lines, isOpen }: { readonly lines: readonly DraftLine[]; readonly isOpen: boolean },
  path: readonly Identifier[],
  body: Body,
): void {
  const { line, rest } = lineNamed(lines, path);
  if (!line) {
    // What a base that is not known has is not known either.
    if (!isOpen) missingLine(axis, rule, lines.length, body);
    return;
  }
  const definition = line.block?.definition;
  const [name, ...more] = rest;
  if (!definition || !name) return;
  if (more.length > 0 || !Object.hasOwn(definition.params, name.name)) {
    fail(
      body.report,
      "check/unknown-parameter",
      name.span,
      `\`${definition.name}\` has no parameter \`${pathText([name, ...more])}\``,
      suggestion(name.name, name.span, Object.keys(definition.params), `parameters of \`${definition.name}\``),
    );
    return;
  }
  for (const value of axis.alternatives) readParameter(definition, name.name, value, "set", body);
}

/** The line of a slot that a path after it begins with, or the only one; and what is left of the path. */
function lineNamed(
  lines: readonly DraftLine[],
  path: readonly Identifier[],
): { readonly line: DraftLine | undefined; readonly rest: readonly Identifier[] } {
  const [first, ...rest] = path;
  const labelled = rest.length > 0 ? lines.find((line) => line.label === first?.name) : undefined;
  if (labelled) return { line: labelled, rest };
  return { line: lines.length === 1 ? lines[0] : lines.find((line) => line.label === null), rest: path };
}

/** Reports a path that names none of the lines of a slot. */
function missingLine({ span }: Axis, { slot }: SlotRule, lines: number, { report }: Body): void {
  if (lines > 0) {
    fail(report, "check/ambiguous-change", span, `there are ${lines} lines of \`${slot}\``, {
      help: "say which one by its label",
    });
    return;
  }
  fail(report, "check/nothing-to-change", span, `the model has no \`${slot}\``, {
    help: `write \`${slot} = ...\` with blocks`,
  });
}
