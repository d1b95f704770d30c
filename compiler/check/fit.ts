/** Do the blocks go together? Runs the conditions that blocks declare, each at the value it is about. */

import { type Lattice, type Mask, tokenCount } from "../../blocks/index.js";
import { isWithin, type Span } from "../../grammar/index.js";
import type { DraftBlock, DraftLine } from "./draft.js";
import {
  arrayOf,
  ask,
  decoderWidthOf,
  encoderWidthOf,
  extraTokensOf,
  type Facts,
  gridOf,
  layersOf,
  predictsPixels,
  type Source,
  sourceOf,
  watchedFacts,
  watchedValues,
} from "./facts.js";
import { finding, type Report, warn } from "./report.js";
import { percentText } from "./show.js";

/** Where findings may stand, and which are known already. */
export interface Fitting {
  readonly report: Report;
  /** The declaration whose lines are judged. */
  readonly within: Span;
  /** Its name, where a finding stands that no line of it is to blame for. */
  readonly name: Span;
  /** Conditions that fail in what is inherited: reported there. */
  readonly known: ReadonlySet<string>;
  /** Gets the conditions that fail here. */
  readonly failed: Set<string>;
}

type Condition = NonNullable<DraftBlock["definition"]["requires"]>[number];

/** Runs the conditions of one block. Gives whether all of them hold. */
export function fits(block: DraftBlock, label: string | null, facts: Facts, fitting: Fitting): boolean {
  const { kind, definition } = block;
  const answers = (definition.requires ?? []).map((condition) => {
    const seen = { values: new Set<string>(), facts: new Set<Source>() };
    const [p, context] = [watchedValues(block, seen.values), watchedFacts(facts, seen.facts)];
    const holds = ask(() => condition.holds(p, context))?.answer ?? null;
    if (holds !== false) return holds;
    const code = `${kind}/${definition.name}/${condition.name}` as const;
    const key = `${code} ${label ?? ""}`;
    fitting.failed.add(key);
    if (fitting.known.has(key)) return false;
    const told = ask(() => [condition.say(p, context), condition.help?.(p, context)] as const);
    if (!told) return false;
    const [message, help] = told.answer;
    const { span, related } = placed(block, condition, seen, fitting);
    fitting.report(finding("error", code, span, message, { reason: condition.doc, help, related }));
    return false;
  });
  // null: it could not be asked.
  return answers.every((answer) => answer === true);
}

interface Seen {
  readonly values: ReadonlySet<string>;
  readonly facts: ReadonlySet<Source>;
}

/**
 * A finding stands in the declaration that is judged: at the value in question when that is written there, else at
 * another value it depends on, else at the declaration's name.
 */
function placed(
  block: DraftBlock,
  { at }: Condition,
  seen: Seen,
  { within, name }: Fitting,
): { readonly span: Span; readonly related: readonly Source[] } {
  const whole: Source = { name: "", span: block.origin.span, message: "the block" };
  const values = [...seen.values].flatMap((value) => (value === at ? [] : (sourceOf(block, value) ?? [])));
  const all = [(at === null ? null : sourceOf(block, at)) ?? whole, ...values, ...seen.facts];
  const span = all.find((source) => isWithin(source.span, within))?.span ?? name;
  const isFirst = (source: Source, i: number): boolean => all.findIndex((other) => other.span === source.span) === i;
  return { span, related: all.filter((source, i) => source.span !== span && isFirst(source, i)) };
}

/** Judges the lines of a model, and those in their braces. */
export function fitModel(lines: readonly DraftLine[], fitting: Fitting): void {
  const sound = new Map<DraftLine, boolean>();
  for (const line of lines) if (line.slot === "input") judge(line, {}, fitting);
  for (const line of lines) {
    if (line.slot === "tokens") sound.set(line, judge(line, { array: arrayOf(lines, line.label) }, fitting));
  }
  const cut = [...sound.values()].every(Boolean);
  for (const line of lines) {
    if (line.slot === "input" || line.slot === "tokens") continue;
    const fine = judge(line, modelFacts(lines, line, cut), fitting);
    if (fine && line.slot === "mask") extremeRatio(line, modelFacts(lines, line, cut), fitting);
    fitInner(line, lines, cut, fitting);
  }
}

const judge = (line: DraftLine, facts: Facts, fitting: Fitting): boolean =>
  line.block !== null && fits(line.block, line.label, facts, fitting);

/** Lines in braces see the model's own, and each other in their place. */
function fitInner(line: DraftLine, lines: readonly DraftLine[], sound: boolean, fitting: Fitting): void {
  const own = new Set(line.inner.map((inner) => inner.slot));
  const around = [...line.inner, ...lines.filter((outer) => !own.has(outer.slot))];
  for (const inner of line.inner) judge(inner, modelFacts(around, inner, sound), { ...fitting, known: new Set() });
}

const none = { value: null, sources: [] };

/** What a line is told of the model around it. Most blocks ask for little of it, so that each fact is found when it is read. */
function modelFacts(lines: readonly DraftLine[], { slot, label }: DraftLine, sound: boolean): Facts {
  const isEncoder = slot === "encoder";
  return {
    get array() {
      return arrayOf(lines, label);
    },
    get grid() {
      return gridOf(lines, label, sound);
    },
    get width() {
      return isEncoder ? none : encoderWidthOf(lines, label);
    },
    get decoderWidth() {
      return isEncoder || slot === "decoder" ? none : decoderWidthOf(lines, label);
    },
    get layers() {
      return isEncoder ? none : layersOf(lines, label);
    },
    get extraTokens() {
      return isEncoder ? none : extraTokensOf(lines, label);
    },
    get predictsPixels() {
      return predictsPixels(lines);
    },
  };
}

/** Shares of visible patches outside of which published results are rare. */
const fewVisible = 0.05;
const manyVisible = 0.9;

function extremeRatio({ block }: DraftLine, { grid }: Facts, { report, within }: Fitting): void {
  if (!block || !grid) return;
  const seen = new Set<string>();
  const cells = grid.value as Lattice;
  const visible = ask(() => (block.definition as Mask).visible(watchedValues(block, seen), cells))?.answer;
  const tokens = tokenCount(cells);
  if (visible === undefined || (visible / tokens >= fewVisible && visible / tokens <= manyVisible)) return;
  const [source] = [...seen].flatMap((name) => sourceOf(block, name) ?? []);
  const span = source?.span ?? block.origin.span;
  if (!isWithin(span, within)) return;
  warn(report, "lint/extreme-ratio", span, `${visible} of ${tokens} patches are visible`, {
    reason:
      visible / tokens < fewVisible
        ? "With so little to see, the encoder can hardly learn what belongs together."
        : "With so little hidden, copying neighbours solves the task.",
    help: `published masks show between ${percentText(0.1)} and ${percentText(0.6)} of the patches; the best known is ${percentText(0.25)}`,
  });
}
