/** Do the blocks go together? Runs the conditions that blocks declare, each at the value it is about. */

import { isWithin, type Span } from "../../grammar/index.js";
import { type Part, setParts, type Wiring } from "../wire/wiring.js";
import type { DraftBlock, DraftLine } from "./draft.js";
import {
  allTokensOf,
  arrayOf,
  ask,
  behindOf,
  decoderWidthOf,
  encoderWidthOf,
  extraTokensOf,
  type Facts,
  gridOf,
  inputsOf,
  labelledOf,
  layersOf,
  mapsUnder,
  maskedOf,
  none,
  predictsPixels,
  type Source,
  sourceOf,
  unmaskedOf,
  watchedFacts,
  watchedValues,
} from "./facts.js";
import { finding, type Report } from "./report.js";

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

/** Which values and facts a condition read. */
interface ConditionReads {
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
  seen: ConditionReads,
  { within, name }: Fitting,
): { readonly span: Span; readonly related: readonly Source[] } {
  const whole: Source = { name: "", span: block.origin.span, message: "the block" };
  const values = [...seen.values].flatMap((value) => (value === at ? [] : (sourceOf(block, value) ?? [])));
  const all = [(at === null ? null : sourceOf(block, at)) ?? whole, ...values, ...seen.facts];
  const span = all.find((source) => isWithin(source.span, within))?.span ?? name;
  const isFirst = (source: Source, i: number): boolean => all.findIndex((other) => other.span === source.span) === i;
  return { span, related: all.filter((source, i) => source.span !== span && isFirst(source, i)) };
}

/** Judges the parts of a model: inputs and what cuts them first, since all others are told of them. */
export function fitModel(wiring: Wiring<DraftLine>, fitting: Fitting): void {
  const sets = new Set(setParts(wiring));
  const isFirst = (part: Part<DraftLine>): boolean => part.slot === "input" || part.slot === "tokens" || sets.has(part);
  const [first, rest] = [wiring.parts.filter(isFirst), wiring.parts.filter((part) => !isFirst(part))];
  const sound = new Set(first.filter((part) => judge(part, { array: arrayOf({ wiring, part }) }, fitting)));
  for (const part of rest) {
    const facts = modelFacts(wiring, part, (tokens) => sound.has(tokens));
    // What stands in braces is not inherited alone.
    judge(part, facts, part.within ? { ...fitting, known: new Set() } : fitting);
  }
}

const judge = ({ line, input }: Part<DraftLine>, facts: Facts, fitting: Fitting): boolean =>
  line.block !== null && fits(line.block, line.label ?? input, facts, fitting);

/** What a part is told of the model around it. Most blocks ask for little of it, so that each fact is found when it is read. */
function modelFacts(
  wiring: Wiring<DraftLine>,
  part: Part<DraftLine>,
  isSound: (tokens: Part<DraftLine>) => boolean,
): Facts {
  const place = { wiring, part };
  const isEncoder = part.slot === "encoder";
  return {
    get array() {
      return arrayOf(place);
    },
    get grid() {
      return gridOf(place, isSound);
    },
    get tokens() {
      return allTokensOf(place, isSound);
    },
    get inputs() {
      return inputsOf(place);
    },
    get labelled() {
      return labelledOf(place);
    },
    get inner() {
      return { value: part.within !== null, sources: [] };
    },
    get width() {
      return isEncoder ? none : encoderWidthOf(place);
    },
    get decoderWidth() {
      return isEncoder || part.slot === "decoder" ? none : decoderWidthOf(place);
    },
    get behind() {
      return behindOf(place);
    },
    get layers() {
      return isEncoder ? none : layersOf(place);
    },
    get extraTokens() {
      return isEncoder ? none : extraTokensOf(place);
    },
    get maps() {
      return isEncoder ? none : mapsUnder(place);
    },
    get masked() {
      return maskedOf(place);
    },
    get unmasked() {
      return unmaskedOf(place);
    },
    get predictsPixels() {
      return predictsPixels(place);
    },
  };
}
