/** A family of variants: its names and values are checked; listing and building it is for a later version. */

import type { Axis, Condition, Expression, Identifier, Let, Skip, VariantsDeclaration } from "../../grammar/index.js";
import { modelSlots, type SlotRule } from "../slots.js";
import { readBlock, readParameter } from "./blocks.js";
import { type Body, type DraftLine, slotLines } from "./draft.js";
import { ruleOf } from "./lines.js";
import type { CheckedModel, Checking } from "./models.js";
import { suggestion } from "./nearest.js";
import { fail, finding, type Report } from "./report.js";
import { lookUp, namesIn, openScope, type Scope, wordOf } from "./scope.js";
import { blockNamed, blocksOf } from "./vocabulary.js";

export function checkVariants(
  declaration: VariantsDeclaration,
  subject: CheckedModel | null,
  checking: Checking,
): void {
  const lets = declaration.entries.filter((entry): entry is Let => entry.kind === "let");
  const axes = declaration.entries.filter((entry): entry is Axis => entry.kind === "axis");
  const skips = declaration.entries.filter((entry): entry is Skip => entry.kind === "skip");
  const { report } = checking;
  const uses = [
    ...lets.flatMap((line) => line.alternatives),
    ...axes.flatMap((axis) => axis.alternatives),
    ...skips.flatMap((skip) => [...comparedIn(skip.condition)]),
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
    for (const axis of axes) checkAxis(axis, subject, { ...body, scope: turned(scope, round) });
  }
  for (const skip of skips) checkCondition(skip.condition, { ...body, scope });
  report(
    finding(
      "info",
      "check/not-yet-available",
      declaration.name?.span ?? declaration.span,
      "variants are checked, but this version cannot list or build them yet",
      {
        help: "write a model for each variant that you want to train now",
      },
    ),
  );
}

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

const pathText = (path: readonly Identifier[]): string => path.map((part) => part.name).join(".");

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

function checkAxis(axis: Axis, subject: CheckedModel | null, body: Body): void {
  const [slot, ...rest] = axis.path;
  const rule = slot && ruleOf(slot, body, new Set());
  if (!rule) return;
  const lines = subject ? slotLines(subject.lines, rule.slot) : [];
  if (rest.length === 0) for (const value of axis.alternatives) readBlock(rule.kind, rule.slot, value, body);
  else if (subject) parameterAxis(axis, rule, lines, rest, body);
}

function parameterAxis(
  axis: Axis,
  rule: SlotRule,
  lines: readonly DraftLine[],
  rest: readonly Identifier[],
  body: Body,
): void {
  const [first] = rest as [Identifier];
  const labelled = lines.find((line) => line.label === first.name);
  const line =
    labelled && rest.length > 1
      ? labelled
      : lines.length === 1
        ? lines[0]
        : lines.find((other) => other.label === null);
  const [name, ...more] = labelled && rest.length > 1 ? rest.slice(1) : rest;
  if (!line) {
    if (lines.length > 0)
      fail(body.report, "check/ambiguous-change", axis.span, `there are ${lines.length} lines of \`${rule.slot}\``, {
        help: "say which one by its label",
      });
    else
      fail(body.report, "check/nothing-to-change", axis.span, `the model has no \`${rule.slot}\``, {
        help: `write \`${rule.slot} = ...\` with blocks`,
      });
    return;
  }
  const definition = line.block?.definition;
  if (!definition || !name) return;
  if (more.length > 0 || !Object.hasOwn(definition.params, name.name)) {
    fail(
      body.report,
      "check/unknown-parameter",
      name.span,
      `\`${definition.name}\` has no parameter \`${[name, ...more].map((part) => part.name).join(".")}\``,
      {
        ...suggestion(name.name, name.span, Object.keys(definition.params), `parameters of \`${definition.name}\``),
      },
    );
    return;
  }
  for (const value of axis.alternatives) readParameter(definition, name.name, value, "set", body);
}

function* comparedIn(condition: Condition | null): Generator<Expression> {
  const rest = condition ? [condition] : [];
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (next.kind === "logical") rest.push(next.left, next.right);
    else yield* [next.left, next.right];
  }
}

/** Names in a condition: variables, slots and their parameters on the left, a block of the slot after `is`. */
function checkCondition(condition: Condition | null, body: Body): void {
  const rest = condition ? [condition] : [];
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (next.kind === "logical") rest.push(next.left, next.right);
    else if (next.operator === "is") checkIs(next.left, next.right, body);
    else for (const side of [next.left, next.right]) checkSide(side, body);
  }
}

function checkIs(left: Expression, right: Expression, body: Body): void {
  const slot = wordOf(left);
  const rule = slot === null ? undefined : body.rules.find((candidate) => candidate.slot === slot);
  if (!rule) {
    if (left.kind === "path" && left.parts[0]) ruleOf(left.parts[0], body, new Set());
    return;
  }
  const block = wordOf(right);
  if (block === null || blockNamed(body.registry, rule.kind, block)) return;
  const valid = blocksOf(body.registry, rule.kind).map((definition) => definition.name);
  fail(body.report, "check/unknown-block", right.span, `there is no block \`${block}\` for \`${rule.slot}\``, {
    ...suggestion(block, right.span, valid, `blocks for \`${rule.slot}\``),
  });
}

function checkSide(side: Expression, body: Body): void {
  if (side.kind !== "path" || !side.parts[0]) return;
  const { name } = side.parts[0];
  if (lookUp(body.scope, name) || body.rules.some((rule) => rule.slot === name)) return;
  const known = [...namesIn(body.scope), ...body.rules.map((rule) => rule.slot)];
  fail(body.report, "check/unknown-variable", side.span, `there is no variable or slot \`${name}\``, {
    ...suggestion(name, side.span, known, "names known here"),
  });
}
