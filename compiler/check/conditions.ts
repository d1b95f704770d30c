/**
 * `skip when`: whether a member of a family is left out. A condition asks which block fills a slot (`mask is grid`), or
 * compares values of one kind: a variable, a parameter of the member (`decoder.depth`), or what is written.
 */

import type { Param, ParamType, Registry } from "../../blocks/index.js";
import type { Comparison, Condition, Expression, Path } from "../../grammar/index.js";
import { modelSlot, modelSlots, type SlotRule } from "../slots.js";
import { type DraftLine, slotLines } from "./draft.js";
import { suggestion } from "./nearest.js";
import { excerpt, fail, type Report } from "./report.js";
import { lookUp, namesIn, resolve, type Scope, wordOf } from "./scope.js";
import { pathText, valueText } from "./show.js";
import { blockNamed, blocksOf } from "./vocabulary.js";

/** The member that is asked. */
export interface Asked {
  readonly lines: readonly DraftLine[];
  /** Its variables, each with the value chosen. */
  readonly scope: Scope;
}

/** What a side of a comparison comes to. */
interface Value {
  /** Values of one kind can be compared, those of an ordered kind be put in order. */
  readonly kind: string;
  readonly ordered: boolean;
  readonly value: number | string;
  /** The words that can stand there; null: not a word out of a list. */
  readonly options: readonly string[] | null;
}

/** `broken`: reported. `absent`: the member has no such value, so nothing holds of it. */
type Side = Value | "broken" | "absent";

/** Units that measure one thing, and how much of it. */
const measures: Readonly<Record<string, readonly [what: string, size: number]>> = {
  "%": ["a share", 0.01],
  ms: ["a time", 1],
  s: ["a time", 1000],
  Hz: ["a frequency", 1],
  kHz: ["a frequency", 1000],
};

const measure = (kind: string, value: number): Value => ({ kind, ordered: true, value, options: null });
const word = (value: string, options: readonly string[] | null): Value => ({
  kind: "a word",
  ordered: false,
  value,
  options,
});

const inUnit = (amount: number, unit: string): Value => {
  const [what, size] = (Object.hasOwn(measures, unit) && measures[unit]) || [`a number of ${unit}`, 1];
  return measure(what, unit === "%" ? amount / 100 : amount * size);
};

/** Every comparison of a condition. */
export function* comparisonsOf(condition: Condition | null): Generator<Comparison> {
  const rest = condition ? [condition] : [];
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (next.kind === "logical") rest.push(next.right, next.left);
    else yield next;
  }
}

/** Reports names that nothing has, whatever the member. */
export function checkNames(condition: Condition | null, scope: Scope, registry: Registry, report: Report): void {
  for (const comparison of comparisonsOf(condition)) {
    if (comparison.operator === "is") checkIs(comparison, scope, registry, report);
    else if (!blocksCompared(comparison, scope, report)) {
      checkSide(comparison.left, comparison.right, scope, report);
      checkSide(comparison.right, comparison.left, scope, report);
    }
  }
}

/** The rule of the slot that a path begins with. */
const ruleOf = (expression: Expression): SlotRule | undefined =>
  expression.kind === "path" ? modelSlot(expression.parts[0]?.name) : undefined;

const slotOf = (expression: Expression): string | null => ruleOf(expression)?.slot ?? null;

function checkIs({ left, right }: Comparison, scope: Scope, registry: Registry, report: Report): void {
  if (left.kind === "missing" || right.kind === "missing") return;
  const rule = ruleOf(left);
  const variable = lookUp(scope, wordOf(left) ?? "");
  if (!rule && left.kind === "path" && !variable) {
    unknownName(left, scope, report);
    return;
  }
  const name = wordOf(right);
  if (!rule || name === null) {
    const at = rule ? right : left;
    fail(
      report,
      "check/unlike-comparison",
      at.span,
      `\`is\` asks which block fills a slot, not \`${excerpt(at.span)}\``,
      {
        help: rule ? `write the name of a block: \`${rule.slot} is name\`` : "compare values by `==`",
      },
    );
    return;
  }
  if (blockNamed(registry, rule.kind, name)) return;
  const valid = blocksOf(registry, rule.kind).map((definition) => definition.name);
  const help = suggestion(name, right.span, valid, `blocks for \`${rule.slot}\``);
  fail(report, "check/unknown-block", right.span, `there is no block \`${name}\` for \`${rule.slot}\``, help);
}

/** Reports a slot in a comparison of values. Gives whether there is one. */
function blocksCompared({ left, right }: Comparison, scope: Scope, report: Report): boolean {
  const slot = [left, right].find((side) => {
    const name = wordOf(side);
    return name !== null && name === slotOf(side) && !lookUp(scope, name);
  });
  if (!slot) return false;
  const name = wordOf(slot);
  fail(report, "check/unlike-comparison", slot.span, `\`${name}\` is filled by a block, which is not a value`, {
    help: `ask which block it is by \`${name} is ...\`, or compare one of its values: \`${name}.name\``,
  });
  return true;
}

/** A bare word may be an option of what stands on the other side; every other path begins with a name known here. */
function checkSide(side: Expression, other: Expression, scope: Scope, report: Report): void {
  if (side.kind !== "path" || slotOf(side) !== null) return;
  const name = wordOf(side);
  if (name !== null && (lookUp(scope, name) || isNamed(other, scope))) return;
  unknownName(side, scope, report);
}

/** Whether an expression is a variable or a parameter of a slot. */
const isNamed = (expression: Expression, scope: Scope): boolean =>
  expression.kind === "path" &&
  ((slotOf(expression) !== null && expression.parts.length > 1) || lookUp(scope, wordOf(expression) ?? "") !== null);

function unknownName({ parts, span }: Path, scope: Scope, report: Report): "broken" {
  const name = parts[0]?.name ?? "";
  const known = [...namesIn(scope), ...modelSlots.map(({ slot }) => slot)];
  const at = parts.length > 1 ? (parts[0]?.span ?? span) : span;
  const help = suggestion(name, at, known, "names known here");
  fail(report, "check/unknown-variable", at, `there is no variable or slot \`${name}\``, help);
  return "broken";
}

/**
 * Whether a condition holds of a member. Every comparison is looked at, so that what is wrong with it is found;
 * `absent` gets the sides that the member has no value for.
 */
export function holds(condition: Condition, asked: Asked, absent: Set<Expression>, report: Report): boolean {
  if (condition.kind === "logical") {
    const [left, right] = [condition.left, condition.right].map((part) => holds(part, asked, absent, report));
    return condition.operator === "and" ? Boolean(left && right) : Boolean(left || right);
  }
  const { left, right, operator } = condition;
  if (operator === "is") return lineAt(left, asked)?.block?.definition.name === wordOf(right);
  const sides = [left, right].map((side) => {
    const value = sideOf(side, asked, report);
    if (value === "absent") absent.add(side);
    return value;
  }) as [Side, Side];
  const [a, b] = sides;
  if (typeof a === "string" || typeof b === "string") return false;
  return areAlike(condition, a, b, asked.scope, report) && compare(operator, a.value, b.value);
}

function compare(operator: Exclude<Comparison["operator"], "is">, a: number | string, b: number | string): boolean {
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "==":
      return a === b;
    case "!=":
      return a !== b;
  }
}

function areAlike({ left, right, operator }: Comparison, a: Value, b: Value, scope: Scope, report: Report): boolean {
  const said = (side: Expression, { kind }: Value): string => `\`${excerpt(side.span)}\` is ${kind}`;
  if (a.kind !== b.kind) {
    const stray = [left, right].find((side) => isStray(side, scope));
    if (stray) return unknownName(stray as Path, scope, report) !== "broken";
    const shareAndNumber = [a.kind, b.kind].includes("a share") && [a.kind, b.kind].includes("a number");
    fail(report, "check/unlike-comparison", right.span, `${said(left, a)}, and ${said(right, b)}`, {
      help: shareAndNumber ? "write the share in percent, such as `75%`" : `compare with ${a.kind}`,
      related: [{ span: left.span, message: `this is ${a.kind}` }],
    });
    return false;
  }
  if (!a.ordered && operator !== "==" && operator !== "!=") {
    fail(
      report,
      "check/unlike-comparison",
      left.span,
      `${said(left, a)}, which is neither more nor less than another`,
      {
        help: "compare by `==` or `!=`",
      },
    );
    return false;
  }
  return isOption(right, b, a, report) && isOption(left, a, b, report);
}

/** A word that is neither variable nor slot. */
const isStray = (side: Expression, scope: Scope): boolean =>
  side.kind === "path" && slotOf(side) === null && !lookUp(scope, wordOf(side) ?? "");

/** A word compared with an option of a parameter has to be one of its options. */
function isOption(side: Expression, { value, options }: Value, other: Value, report: Report): boolean {
  if (options !== null || other.options === null || other.options.includes(String(value))) return true;
  const help = suggestion(String(value), side.span, other.options, "options");
  fail(report, "check/unknown-option", side.span, `there is no option \`${value}\` to compare with`, help);
  return false;
}

function sideOf(side: Expression, asked: Asked, report: Report): Side {
  if (slotOf(side) !== null && !lookUp(asked.scope, wordOf(side) ?? "")) {
    return parameterOf(side as Path, asked, report);
  }
  const { expression } = resolve(side, asked.scope);
  switch (expression?.kind) {
    case undefined:
    case "missing":
      return "broken";
    case "number":
      return measure("a number", expression.value);
    case "quantity":
      return expression.amount ? inUnit(expression.amount.value, expression.unit) : incomparable(side, report);
    case "size":
      return { kind: "a size", ordered: false, value: expression.sides.join("x"), options: null };
    case "text":
      return { kind: "text", ordered: false, value: expression.value, options: null };
    case "path":
      return word(pathText(expression.parts), null);
    default:
      return incomparable(side, report);
  }
}

function incomparable({ span }: Expression, report: Report): "broken" {
  fail(report, "check/unlike-comparison", span, `\`${excerpt(span)}\` cannot be compared`, {
    help: "compare numbers, shares, sizes, durations, words or text; ask for a block with `is`",
  });
  return "broken";
}

/** The line that a path begins with: of the label that it names, or the only one. */
function lineAt(path: Expression, { lines }: Asked): DraftLine | null {
  const slot = slotOf(path);
  if (slot === null || path.kind !== "path") return null;
  const there = slotLines(lines, slot);
  const label = path.parts[1]?.name;
  return (
    there.find((line) => label !== undefined && line.label === label) ??
    (there.length === 1 ? (there[0] ?? null) : null)
  );
}

function parameterOf(path: Path, asked: Asked, report: Report): Side {
  const line = lineAt(path, asked);
  const names = path.parts.slice(line !== null && line.label !== null && line.label === path.parts[1]?.name ? 2 : 1);
  const [name, ...more] = names.map((part) => part.name);
  if (name === undefined) return incomparable(path, report);
  const param = line?.block?.definition.params[name];
  const held = line?.block?.values.get(name);
  if (!param || held === undefined || more.length > 0 || held?.value === null) return "absent";
  return held === null ? "broken" : checkedValue(param, held.value, path, report);
}

function checkedValue({ type }: Param<unknown>, value: unknown, path: Path, report: Report): Side {
  const plain = readers[type.kind]?.(value, type);
  return plain ?? incomparable(path, report);
}

/** By kind of parameter; kinds without a reader cannot be compared. */
const readers: { readonly [K in ParamType["kind"]]?: (value: unknown, type: ParamType) => Value } = {
  int: (value) => measure("a number", value as number),
  real: (value) => measure("a number", value as number),
  ratio: (value) => measure("a share", value as number),
  schedule: (value, type) =>
    typeof value !== "number"
      ? { kind: "a value that varies", ordered: false, value: valueText(type, value), options: null }
      : measure(type.kind === "schedule" && type.of === "ratio" ? "a share" : "a number", value),
  size: (value, type) => ({ kind: "a size", ordered: false, value: valueText(type, value), options: null }),
  choice: (value, type) => word(String(value), type.kind === "choice" ? Object.keys(type.options) : null),
  flag: (value) => word(String(value), ["true", "false"]),
  quantity: (value, type) => measure(type.kind === "quantity" ? `a ${type.of}` : "a number", value as number),
  text: (value) => ({ kind: "text", ordered: false, value: value as string, options: null }),
  duration: (value) => {
    const { amount, unit } = value as { readonly amount: number; readonly unit: string };
    return inUnit(amount, unit);
  },
};
