/** Do the blocks go together? Runs the conditions that blocks declare, each at the value it is about. */

import type { Mask } from "../../blocks/index.js";
import { tokenCount } from "../../blocks/index.js";
import type { Span } from "../../grammar/index.js";
import type { DraftBlock, DraftLine } from "./draft.js";
import {
  ask,
  decoderWidthOf,
  encoderWidthOf,
  type Facts,
  gridOf,
  imageOf,
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

const isWithin = (inner: Span, outer: Span): boolean =>
  inner.source === outer.source && inner.start >= outer.start && inner.end <= outer.end;

/** Runs the conditions of one block. Gives whether all of them hold. */
export function fits(block: DraftBlock, label: string | null, facts: Facts, fitting: Fitting): boolean {
  let sound = true;
  for (const requirement of block.definition.requires ?? []) {
    const seen = { values: new Set<string>(), facts: new Set<Source>() };
    const p = watchedValues(block, seen.values);
    const context = watchedFacts(facts, seen.facts);
    const holds = ask(() => requirement.holds(p, context));
    if (holds?.answer !== false) {
      sound &&= holds !== null;
      continue;
    }
    sound = false;
    const code = `${block.kind}/${block.definition.name}/${requirement.name}` as const;
    const key = `${code} ${label ?? ""}`;
    fitting.failed.add(key);
    if (fitting.known.has(key)) continue;
    const message = requirement.say(p, context);
    const help = requirement.help?.(p, context);
    const at = requirement.at === null ? null : sourceOf(block, requirement.at);
    const sources = [...seen.values].flatMap((name) => (name === requirement.at ? [] : (sourceOf(block, name) ?? [])));
    const place = placed(
      at ?? { name: "", span: block.origin.span, message: "the block" },
      [...sources, ...seen.facts],
      fitting,
    );
    fitting.report(
      finding("error", code, place.span, message, { reason: requirement.doc, help, related: place.related }),
    );
  }
  return sound;
}

/**
 * A finding stands in the declaration that is judged: at the value in question when that is written there, else at
 * another value it depends on, else at the declaration's name.
 */
function placed(
  at: Source,
  sources: readonly Source[],
  { within, name }: Fitting,
): { span: Span; related: readonly Source[] } {
  const all = [at, ...sources];
  const own = all.find((source) => isWithin(source.span, within));
  const span = own?.span ?? name;
  const related = all.filter(
    (source, i) => source.span !== span && all.findIndex(({ span: s }) => s === source.span) === i,
  );
  return { span, related: related.map(({ span, message }) => ({ name: "", span, message })) };
}

/** Judges the lines of a model, and those in their braces. */
export function fitModel(lines: readonly DraftLine[], fitting: Fitting): void {
  const sound = new Map<DraftLine, boolean>();
  for (const line of lines) if (line.slot === "input") judge(line, {}, fitting);
  for (const line of lines) {
    if (line.slot === "tokens") sound.set(line, judge(line, { image: imageOf(lines, line.label) }, fitting));
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

/** What a line is told of the model around it. */
function modelFacts(lines: readonly DraftLine[], { slot, label }: DraftLine, sound: boolean): Facts {
  const none = { value: null, sources: [] };
  return {
    image: imageOf(lines, label),
    grid: gridOf(lines, label, sound),
    width: slot === "encoder" ? none : encoderWidthOf(lines, label),
    decoderWidth: slot === "encoder" || slot === "decoder" ? none : decoderWidthOf(lines, label),
  };
}

/** Shares of visible patches outside of which published results are rare. */
const fewVisible = 0.05;
const manyVisible = 0.9;

function extremeRatio({ block }: DraftLine, { grid }: Facts, { report, within }: Fitting): void {
  if (!block || !grid) return;
  const seen = new Set<string>();
  const cells = grid.value as Parameters<Mask["visible"]>[1];
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
