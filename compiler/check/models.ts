/** One model: its body on top of its base, what is missing, whether the blocks fit, and the `Model` that is handed on. */

import { type Definition, mustBe, type Registry } from "../../blocks/index.js";
import type { ModelDeclaration, Span } from "../../grammar/index.js";
import type { Filled, Model, Use } from "../model.js";
import { modelSlots, type SlotRule } from "../slots.js";
import { comparesViews, givesMaps, isOfDecoder } from "../wire/roles.js";
import { type Wiring, wire } from "../wire/wiring.js";
import { defaultUse } from "./blocks.js";
import { readBody } from "./changes.js";
import {
  type Body,
  type Draft,
  type DraftBlock,
  type DraftLine,
  type DraftValue,
  definitionOf,
  hasHead,
  slotLines,
  valuesOf,
} from "./draft.js";
import { ask } from "./facts.js";
import { fitModel } from "./fit.js";
import { scopeOf } from "./lines.js";
import { lintModel } from "./lint.js";
import { named, suggestion } from "./nearest.js";
import { counted, fail, type Report } from "./report.js";
import { blocksOf, defaultBlock } from "./vocabulary.js";
import { isWired } from "./wires.js";

/** A model after checking. */
export interface CheckedModel {
  /** What was written, after inheritance: what a child starts from. */
  readonly draft: Draft;
  /** The same with the defaults of empty slots. */
  readonly lines: readonly DraftLine[];
  /** Which of them reads which. */
  readonly wiring: Wiring<DraftLine>;
  /** Conditions of blocks that fail, here or in what is inherited. */
  readonly failed: ReadonlySet<string>;
  /** What lints remark of it. */
  readonly remarks: ReadonlySet<string>;
  /** null when there is an error in it or in what it inherits. */
  readonly model: Model | null;
}

interface ModelBase {
  readonly draft: Draft;
  /** null: not known. */
  readonly checked: CheckedModel | null;
}

/** The model that a recipe trains or a family varies; `name` as the analysis knows it. */
export interface Subject {
  readonly name: string;
  readonly checked: CheckedModel;
}

/** What checking a declaration needs. */
export interface Checking {
  readonly registry: Registry;
  readonly report: Report;
  /** Whether the parser lost part of it. */
  readonly torn: boolean;
  /** Whether the parser reported an error in a place. */
  readonly tornAt: (span: Span) => boolean;
  /** Whether a change may leave things as they are: in a member of a family. If absent, it may not. */
  readonly mayKeep?: boolean;
}

export function checkModel(declaration: ModelDeclaration, base: ModelBase | null, checking: Checking): CheckedModel {
  const { report, errors } = counted(checking.report);
  const name = declaration.name?.name ?? "";
  const span = declaration.name?.span ?? declaration.span;
  const scope = scopeOf(declaration.entries, null, { ...checking, report });
  const body: Body = { ...checking, owner: "model", within: null, rules: modelSlots, scope, report, name };
  const draft = readBody(declaration.entries, base?.draft ?? null, body);
  const lines = withDefaults(draft, body, span);
  unknownLabels(lines, body);
  unknownViews(lines, body);
  const failed = new Set<string>();
  const known = base?.checked?.failed ?? new Set();
  const wiring = wire(lines, {
    definitionOf: ({ block }) => block?.definition,
    labelsOf: ({ block }, parameter) => (block?.values.get(parameter)?.value ?? null) as readonly string[] | null,
  });
  fitModel(wiring, { report, within: declaration.span, name: span, known, failed });
  const whole = errors() === 0 && !checking.torn && !draft.open && (base === null || base.checked?.model != null);
  const slots = whole && isWired(wiring, body) ? filled(lines) : null;
  const linting = { report, within: declaration.span, name: span, known: base?.checked?.remarks ?? new Set<string>() };
  return {
    draft,
    lines,
    wiring,
    failed: new Set([...known, ...failed]),
    remarks: slots ? lintModel(slots, linting) : new Set(),
    model: slots && {
      name,
      doc: declaration.doc,
      span,
      ancestry: [...(base?.checked?.model?.ancestry ?? []), name],
      slots,
    },
  };
}

/** Fills empty slots that have a default block, and reports those that must not be empty. */
export function withDefaults(draft: Draft, body: Body, span: Span): readonly DraftLine[] {
  const headless =
    !hasHead(draft.lines) && !slotLines(draft.lines, "loss").some(({ block }) => comparesViews(block?.definition));
  const braced = slotsInTargets(draft.lines);
  const uncut = slotLines(draft.lines, "encoder").some(({ block }) => givesMaps(block?.definition));
  const added = body.rules.flatMap((rule): readonly DraftLine[] => {
    if (slotLines(draft.lines, rule.slot).length > 0 || draft.suspected.has(rule.slot)) return [];
    if (uncut && rule.ofTokens) return [];
    const definition = defaultBlock(body.registry, rule.kind);
    const block = definition ? defaultUse(rule.kind, definition, span) : null;
    if (block) return [{ slot: rule.slot, label: null, block, every: null, inner: [], span }];
    const needed = rule.required === "always" || (rule.required === "withoutHead" && headless);
    if (braced.has(rule.slot)) return [];
    if (needed && !draft.open) missingSlot(rule, body, span);
    return [];
  });
  return [...draft.lines, ...added];
}

/** Slots that targets fill, so that the model need not: every target for itself, or one with a loss that is made of what the decoder of another predicts. */
function slotsInTargets(lines: readonly DraftLine[]): ReadonlySet<string> {
  const targets = slotLines(lines, "target");
  const everywhere = (slot: string): boolean =>
    targets.length > 0 && targets.every((target) => slotLines(target.inner, slot).length > 0);
  const imitates = ({ block, inner }: DraftLine): boolean =>
    isOfDecoder(block?.definition) && slotLines(inner, "loss").length > 0;
  return new Set([
    ...(everywhere("decoder") ? ["decoder", "loss"].filter(everywhere) : []),
    ...(targets.some(imitates) ? ["loss"] : []),
  ]);
}

function missingSlot(rule: SlotRule, { name, owner, registry, report }: Body, span: Span): void {
  const blocks = blocksOf(registry, rule.kind).map((definition) => definition.name);
  fail(report, "check/missing-slot", span, `\`${name}\` has no \`${rule.slot}\``, {
    reason: `A ${owner} needs to say ${rule.doc}.`,
    help:
      blocks.length === 0
        ? `add a line \`${rule.slot} ...\``
        : `add a line \`${rule.slot} ...\` with ${named(blocks, "or")}`,
  });
}

/** Labels that values refer to must be labels of the model. */
function unknownLabels(lines: readonly DraftLine[], { report }: Body): void {
  const labels = [...new Set(lines.flatMap((line) => line.label ?? []))];
  for (const { value, origin } of lines.flatMap((line) => labelValues(line, false))) {
    for (const label of ((value ?? []) as readonly string[]).flatMap((name) => name.split("."))) {
      if (labels.includes(label)) continue;
      fail(report, "check/unknown-label", origin.span, `no line of the model has the label \`${label}\``, {
        ...suggestion(label, origin.span, labels, "labels"),
        fix: undefined,
      });
    }
  }
}

/** Views that values refer to must be views of the model. */
function unknownViews(lines: readonly DraftLine[], { report }: Body): void {
  const [views] = slotLines(lines, "views");
  const definition = definitionOf<Definition>(views);
  const known = views && definition && ask(() => mustBe("view", definition).streams(valuesOf(views)));
  if (views && !known) return;
  const names = known?.answer.map(({ name }) => name) ?? [];
  for (const { value, origin } of lines.flatMap((line) => labelValues(line, true))) {
    for (const name of (value ?? []) as readonly string[]) {
      if (names.includes(name)) continue;
      fail(report, "check/unknown-label", origin.span, `the model sees no views called \`${name}\``, {
        reason: "Views are made by the line `views`.",
        ...(views
          ? suggestion(name, origin.span, names, "views")
          : { help: "add a line `views`, or leave the value out: whole samples are seen" }),
        fix: undefined,
      });
    }
  }
}

/** The values of a line that refer to labels, or to views. */
const labelValues = ({ block }: DraftLine, views: boolean): readonly DraftValue[] =>
  Object.entries(block?.definition.params ?? {}).flatMap(([name, { type }]) =>
    type.kind === "labels" && (type.views === true) === views ? (block?.values.get(name) ?? []) : [],
  );

/** The lines of a model in the order of the slots. Only for lines without a broken value. */
const filled = (lines: readonly DraftLine[]): readonly Filled[] =>
  modelSlots.flatMap((rule) => slotLines(lines, rule.slot).map(filledLine));

const filledLine = ({ slot, label, block, inner }: DraftLine): Filled => ({
  slot,
  label,
  use: useOf(block as DraftBlock),
  inner: filled(inner),
});

const uses = new WeakMap<DraftBlock, Use>();

/** A block without a broken value: the same in all that inherit it. */
export function useOf(block: DraftBlock): Use {
  const use = uses.get(block) ?? asUse(block);
  uses.set(block, use);
  return use;
}

function asUse({ kind, definition, values, origin }: DraftBlock): Use {
  const entries = [...values].flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  return {
    kind,
    definition,
    values: Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
    origins: Object.fromEntries(entries.map(([name, value]) => [name, value.origin])),
    origin,
  };
}
