/**
 * The members of a family: each is checked as a model that extends the base, with the axes as its changes. What is wrong
 * with several members stands at the alternative in question and is said once.
 */

import type { Param } from "../../blocks/index.js";
import {
  type Axis,
  type Diagnostic,
  type Expression,
  type Identifier,
  isWithin,
  type Let,
  type ModelDeclaration,
  type ModelEntry,
  type Skip,
  type Span,
  type VariantsDeclaration,
} from "../../grammar/index.js";
import type { Model, Variant } from "../model.js";
import { modelSlot } from "../slots.js";
import { type Asked, holds } from "./conditions.js";
import { type DraftBlock, type DraftLine, slotLines } from "./draft.js";
import { settings } from "./lines.js";
import { type Factor, unused } from "./member-names.js";
import { type CheckedModel, type Checking, checkModel } from "./models.js";
import { excerpt, finding, lineRemoval, type Report, warn } from "./report.js";
import type { Scope } from "./scope.js";
import { argumentTexts, blockText, valueText } from "./show.js";
import { readValue } from "./values.js";
import { defaultBlock } from "./vocabulary.js";

/** A family as it is written. */
export interface Written {
  readonly declaration: VariantsDeclaration;
  readonly factors: readonly Factor[];
  readonly skips: readonly Skip[];
  readonly subject: CheckedModel;
}

/** One choice out of the product: an alternative for each factor. */
interface Choice {
  readonly name: string;
  readonly chosen: ReadonlyMap<Axis | Let, Expression>;
}

/** Members that are built at most: beyond it a product is a slip, or a study nobody can train. */
export const mostMembers = 10_000;

export interface Members {
  readonly members: readonly Variant[];
  readonly skipped: number;
}

/** Checks every member that is not skipped. Without members where something is wrong with one; that is reported. */
export function membersOf(written: Written, checking: Checking): Members {
  const found: Findings = new Map();
  const absent = new Map<Expression, number>();
  const idle = new Set(written.skips);
  const words = new Set<string>();
  const members: Variant[] = [];
  let [count, skipped] = [0, 0];
  for (const choice of choicesOf(written)) {
    count++;
    const said: Diagnostic[] = [];
    const checked = checkMember(written, choice, unused(asWord(choice.name), words), checking, said);
    const missing = new Set<Expression>();
    const asked: Asked = { lines: checked.lines, scope: scopeOf(choice) };
    const report: Report = (diagnostic) => keep(found, diagnostic, choice.name);
    // Every condition is asked, so that one that never holds is known.
    const holding = written.skips.filter(({ condition }) => condition && holds(condition, asked, missing, report));
    for (const skip of holding) idle.delete(skip);
    for (const side of missing) absent.set(side, (absent.get(side) ?? 0) + 1);
    if (holding.length > 0) {
      skipped++;
      continue;
    }
    for (const diagnostic of said) report(placedIn(written.declaration, diagnostic));
    if (checked.model) {
      const seed = seedOf(choice, checking);
      const differences = differencesOf(written, checked.lines, seed);
      members.push({ name: choice.name, model: checked.model, seed, differences });
    }
  }
  for (const [side, times] of absent) if (times === count) keep(found, neverThere(side), everyMember);
  tell(found, count - skipped, checking.report);
  const isSound = [...found.values()].every(({ diagnostic }) => diagnostic.severity !== "error");
  if (isSound) for (const skip of idle) idleSkip(skip, checking.report);
  return { members, skipped };
}

/** The product, the last factor changing fastest. */
function* choicesOf({ declaration, factors }: Written): Generator<Choice> {
  const sizes = factors.map(({ line }) => line.alternatives.length);
  const total = sizes.reduce((product, size) => product * size, 1);
  const family = declaration.name?.name ?? "";
  for (let number = 0; number < total; number++) {
    let rest = number;
    const picked = sizes.map(() => 0);
    for (let i = sizes.length - 1; i >= 0; i--) {
      picked[i] = rest % (sizes[i] as number);
      rest = Math.floor(rest / (sizes[i] as number));
    }
    const parts = factors.flatMap(({ line, parts }, i) =>
      line.alternatives.length > 1 ? [parts[picked[i] as number]] : [],
    );
    const chosen = factors.map(({ line }, i) => [line, line.alternatives[picked[i] as number] as Expression] as const);
    yield { name: [family, ...(parts.length > 0 ? parts : ["only"])].join("."), chosen: new Map(chosen) };
  }
}

/** `seed = 0 | 1 | 2`: the one setting of recipes that a family varies. */
export const isSeedAxis = ({ path }: Axis): boolean => path.length === 1 && path[0]?.name === "seed";

export const seedSetting = settings.seed as Param<number>;

/** The seed that a choice says; null: that of the recipe. */
function seedOf(choice: Choice, { registry }: Checking): number | null {
  const [found] = [...choice.chosen].filter(([line]) => line.kind === "axis" && isSeedAxis(line));
  if (!found) return null;
  const [, value] = found;
  const reading = { scope: scopeOf(choice), registry, subject: "`seed`", report: () => null, block: () => null };
  return readValue(seedSetting.type, value, reading) as number | null;
}

const asWord = (name: string): string => name.replace(/\W/g, "_");

const scopeOf = ({ chosen }: Choice): Scope => ({
  parent: null,
  lets: new Map(
    [...chosen].flatMap(([line, value]) =>
      line.kind === "let" ? [[line.name.name, { ...line, alternatives: [value] }]] : [],
    ),
  ),
});

/** Checks a member as a model of its own that extends the base. */
function checkMember(
  written: Written,
  choice: Choice,
  name: string,
  checking: Checking,
  said: Diagnostic[],
): CheckedModel {
  const { declaration, subject } = written;
  const span = declaration.name?.span ?? declaration.span;
  const member: ModelDeclaration = {
    kind: "model",
    span: declaration.span,
    doc: declaration.doc,
    name: { kind: "identifier", name, span },
    base: declaration.subject,
    entries: entriesOf(choice, subject, checking),
  };
  const report: Report = ({ fix: _, ...diagnostic }) => {
    if (diagnostic.code !== "lint/unused-variable") said.push(diagnostic);
  };
  return checkModel(member, { draft: subject.draft, checked: subject }, { ...checking, report, mayKeep: true });
}

/** A choice as lines of a model: variables, then whole blocks, then single values in them. */
function entriesOf({ chosen }: Choice, subject: CheckedModel, checking: Checking): readonly ModelEntry[] {
  const lets: ModelEntry[] = [];
  const blocks: ModelEntry[] = [];
  const values: ModelEntry[] = [];
  for (const [line, value] of chosen) {
    const { span } = value;
    if (line.kind === "let") lets.push({ ...line, alternatives: [value] });
    else if (isSeedAxis(line)) continue;
    else if (isBlockAxis(line, subject)) {
      const [slot, label = null] = line.path as readonly [Identifier, Identifier?];
      const verb = isFilled(line, subject, checking) ? "replace" : "add";
      blocks.push({ kind: "slot", span, doc: "", verb, slot, label, values: [value], every: null, entries: null });
    } else values.push({ kind: "set", span, path: line.path, value });
  }
  return [...lets, ...blocks, ...values];
}

/** Whether the alternatives of an axis are blocks: its path is a slot, or a slot and a label. */
export function isBlockAxis({ path }: Axis, { lines }: CheckedModel): boolean {
  const [slot, label, ...more] = path;
  if (!label) return true;
  return more.length === 0 && slotLines(lines, slot?.name ?? "").some((line) => line.label === label.name);
}

function isFilled({ path }: Axis, { draft }: CheckedModel, { registry }: Checking): boolean {
  const [slot, label] = path;
  const rule = modelSlot(slot?.name);
  const there = slotLines(draft.lines, slot?.name ?? "");
  if (rule && there.length === 0) return defaultBlock(registry, rule.kind) !== undefined;
  return there.length > 0 && (label === undefined || there.some((line) => line.label === label.name));
}

/** What each axis came to in a member. */
const differencesOf = (
  { factors, subject }: Written,
  lines: readonly DraftLine[],
  seed: number | null,
): Variant["differences"] =>
  factors.flatMap(({ line, name }) => {
    if (line.kind !== "axis") return [];
    return [{ path: name, value: isSeedAxis(line) ? String(seed) : valueAt(line, subject, lines) }];
  });

function valueAt(axis: Axis, subject: CheckedModel, lines: readonly DraftLine[]): string {
  const [slot, ...rest] = axis.path.map((part) => part.name);
  const there = slotLines(lines, slot ?? "");
  const line = there.find(({ label }) => label !== null && label === rest[0]) ?? there[0];
  if (!line?.block) return "";
  if (isBlockAxis(axis, subject)) return writtenText(line.block);
  const name = rest.at(-1) ?? "";
  const param = line.block.definition.params[name];
  return param ? valueText(param.type, line.block.values.get(name)?.value ?? null) : "";
}

/** A block with the arguments that were written, their values filled in. */
function writtenText({ definition, values }: DraftBlock): string {
  const written = Object.fromEntries(
    [...values].map(([name, held]) => [name, held && held.origin.how !== "default" ? held.value : null]),
  );
  return blockText(definition, written);
}

/** What could only be blamed on the family as a whole stands at the alternative that it comes from, where one is named. */
function placedIn({ name, span: whole }: VariantsDeclaration, diagnostic: Diagnostic): Diagnostic {
  const { span, related = [] } = diagnostic;
  const cause = related.find((other) => isWithin(other.span, whole) && other.span !== name?.span);
  if (span !== name?.span || !cause) return diagnostic;
  return { ...diagnostic, span: cause.span, related: related.filter((other) => other !== cause) };
}

/** What is wrong with members, by place and code: one finding, however many have it. */
type Findings = Map<string, { readonly diagnostic: Diagnostic; readonly members: Set<string> }>;

/** In the place of a name: the finding is not one of single members. */
const everyMember = "";

function keep(found: Findings, diagnostic: Diagnostic, member: string): void {
  const { span, code } = diagnostic;
  const key = [span.source.path, span.start, span.end, code].join("\n");
  const known = found.get(key);
  if (known) known.members.add(member);
  else found.set(key, { diagnostic, members: new Set([member]) });
}

/** Reports each finding, with the members that have it where not all of them do. */
function tell(found: Findings, count: number, report: Report): void {
  for (const { diagnostic, members } of found.values()) {
    const [first, second] = members;
    const isOfSome = first !== everyMember && members.size < count;
    const some =
      second === undefined
        ? `it is so in \`${first}\``
        : `it is so in ${members.size} of ${count} members, first in \`${first}\``;
    const help = isOfSome ? [diagnostic.help, some].filter(Boolean).join("; ") : diagnostic.help;
    report({ ...diagnostic, ...(help ? { help } : {}) });
  }
}

const neverThere = ({ span }: Expression): Diagnostic =>
  finding("error", "check/unknown-parameter", span, `no member has the value \`${excerpt(span)}\``, {
    help: "name a parameter of a block that a member has, such as `decoder.depth`",
  });

function idleSkip({ span }: Skip, report: Report): void {
  warn(report, "lint/idle-skip", span, "this leaves no member out", {
    help: "remove the line, or mend the condition",
    fix: lineRemoval(span, "Remove the line"),
  });
}

/** Everything that a model says, in one text: equal for equal models. */
const contentOf = (slots: Model["slots"]): string =>
  slots
    .map(({ slot, label, use, inner }) => {
      const values = argumentTexts(use.definition.params, use.values).map(({ text }) => text);
      return JSON.stringify([slot, label, use.definition.name, values, contentOf(inner)]);
    })
    .join();

/** Warns of members that are the same model, trained with the same seed, under two names. */
export function equalMembers(members: readonly Variant[], at: Span, report: Report): void {
  const first = new Map<string, string>();
  const pairs: (readonly [string, string])[] = [];
  for (const { name, model, seed } of members) {
    const content = `${seed} ${contentOf(model.slots)}`;
    const other = first.get(content);
    if (other === undefined) first.set(content, name);
    else pairs.push([other, name]);
  }
  const [pair, ...more] = pairs;
  if (!pair) return;
  const rest = more.length === 0 ? "" : `, and so are ${more.length} more`;
  warn(report, "lint/equal-members", at, `\`${pair[0]}\` and \`${pair[1]}\` are the same model${rest}`, {
    help: "leave one of them out by `skip when`, or let the alternatives differ",
  });
}
