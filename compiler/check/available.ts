/**
 * What the language can say and this version cannot build: refused, never dropped. Judged of models whose lines are sound; what follows
 * from wires, once they are joined.
 */

import { asKind, type Decoder, type Encoder, type Input, type Mask } from "../../blocks/index.js";
import { modelSlots } from "../slots.js";
import { givesMaps } from "../wire/roles.js";
import { ownParts, type Part, sourceAt, sourcesAt, type Wiring } from "../wire/wiring.js";
import { type Body, type DraftLine, hasHead, slotLines, valuesOf } from "./draft.js";
import { fail } from "./report.js";

interface Refused {
  readonly line: DraftLine;
  readonly what: string;
}

/** Slots that may be filled for each of several inputs. */
const perInput: readonly string[] = ["input", "tokens", "positions", "mask", "encoder"];

/** Whether programs can be built of these slots. */
export const isAvailable = (lines: readonly DraftLine[], body: Body): boolean =>
  refuse([...refusedSlots(lines), ...(hasHead(lines) ? refusedBesideHead(lines) : [])], body);

/** Whether programs can be built of inputs, masks and encoders that are joined so. */
export const areInputsAvailable = (lines: readonly DraftLine[], wiring: Wiring<DraftLine>, body: Body): boolean =>
  refuse(refusedOfInputs(lines, wiring), body);

function refuse(refused: readonly Refused[], { report }: Body): boolean {
  for (const { line, what } of refused) {
    fail(report, "check/not-yet-available", line.span, `${what} is understood, but this version cannot build it yet`, {
      help: "remove it, or keep the file for a later version",
    });
  }
  return refused.length === 0;
}

const refusedSlots = (lines: readonly DraftLine[]): readonly Refused[] =>
  modelSlots.flatMap((rule): readonly Refused[] => {
    const [first, second] = slotLines(lines, rule.slot);
    if (!rule.built && first) return [{ line: first, what: `\`${rule.slot}\`` }];
    const isAlone = rule.multiplicity === "labelled" && rule.inner.length === 0 && !perInput.includes(rule.slot);
    return isAlone && second ? [{ line: second, what: `more than one \`${rule.slot}\`` }] : [];
  });

/** A model with a head sees every patch and predicts none. */
const refusedBesideHead = (lines: readonly DraftLine[]): readonly Refused[] =>
  ["mask", "decoder", "target", "teacher", "adversary"].flatMap((slot) =>
    slotLines(lines, slot).map((line) => ({ line, what: `a \`${slot}\` beside a \`head\`` })),
  );

/** What only models of one input have, and what only models of several do. */
function refusedOfInputs(lines: readonly DraftLine[], wiring: Wiring<DraftLine>): readonly Refused[] {
  const maps = wiring.parts.filter(({ definition }) => givesMaps(definition));
  const misplaced = maps.filter(({ within }) => within !== null || slotLines(lines, "input").length > 1);
  if (misplaced.length > 0) {
    return misplaced.map(({ line, within }) => ({
      line,
      what: within ? "an encoder of maps in the braces of a target" : "an encoder of maps in a model of several inputs",
    }));
  }
  if (slotLines(lines, "input").length === 1) {
    return [
      ...slotLines(lines, "encoder")
        .slice(1)
        .map((line) => ({ line, what: "a second `encoder` of one input" })),
      ...wiring.parts.filter(({ slot }) => slot === "loss").flatMap((part) => underChosen(part, wiring)),
    ];
  }
  const beside = "in a model of several inputs";
  return [
    ...["head", "teacher", "adversary"].flatMap((slot) =>
      slotLines(lines, slot).map((line) => ({ line, what: `a \`${slot}\` ${beside}` })),
    ),
    ...wiring.parts.flatMap((part) => refusedPart(part, wiring).map((what) => ({ line: part.line, what }))),
    ...unmasked(wiring),
    ...otherLatents(wiring),
  ];
}

/** A loss that counts as many tokens of every sample, under a mask that chooses more of one than of another. */
function underChosen({ definition, line }: Part<DraftLine>, wiring: Wiring<DraftLine>): readonly Refused[] {
  const isUneven = ownParts(wiring, "mask").some((mask) => (mask.definition as Mask | undefined)?.corrupts);
  return isUneven && !asKind("loss", definition)?.uneven
    ? [{ line, what: `a loss \`${definition?.name}\` under a mask that chooses ids` }]
    : [];
}

function refusedPart(part: Part<DraftLine>, wiring: Wiring<DraftLine>): readonly string[] {
  const { slot, definition, line, within } = part;
  const beside = "in a model of several inputs";
  const name = `\`${definition?.name}\``;
  if (slot === "input" && (definition as Input).ids) return [`a ${name} ${beside}`];
  if (slot === "mask") {
    const { guide, field, varies, hiding } = definition as Mask;
    if (guide || field) return [`a mask ${name} ${beside}`];
    if ((hiding?.(valuesOf(line)) ?? "drop") !== "drop")
      return [`a mask whose hidden tokens enter an encoder ${beside}`];
    const counts = line.block?.values.get("ratio")?.value;
    return varies && typeof counts === "object" ? [`a number of visible tokens that varies ${beside}`] : [];
  }
  if (slot === "loss" && ownParts(wiring, "mask").some((mask) => (mask.definition as Mask).joint)) {
    const { uneven, compares } = asKind("loss", definition) ?? {};
    return uneven || compares === "features" ? [] : [`a loss ${name} under one mask over all inputs`];
  }
  if (slot === "decoder") return (definition as Decoder).reads === "every" ? [`a decoder ${name} ${beside}`] : [];
  if (slot !== "encoder") return [];
  if (within) return [`an \`encoder\` in the braces of a target ${beside}`];
  const isRead = wiring.readers.get(part)?.some((reader) => reader.slot === "encoder") ?? false;
  return isRead && (definition as Encoder).extraTokens(valuesOf(line)) > 0
    ? ["an encoder with a class token that another encoder reads"]
    : [];
}

/** Inputs whose tokens no mask hides, beside others. */
function unmasked(wiring: Wiring<DraftLine>): readonly Refused[] {
  const masked = new Set(ownParts(wiring, "mask").flatMap((part) => sourcesAt(wiring, part, "set")));
  return ownParts(wiring, "tokens")
    .filter((part) => !masked.has(part))
    .map(({ line, input }) => ({ line, what: `\`${input}\` without a mask, beside inputs that have one,` }));
}

/** Decoders that read another latent than the first one. */
function otherLatents(wiring: Wiring<DraftLine>): readonly Refused[] {
  const readers = wiring.parts.filter((part) => sourceAt(wiring, part, "latent"));
  const [first] = readers;
  return readers
    .filter((part) => first && sourceAt(wiring, part, "latent") !== sourceAt(wiring, first, "latent"))
    .map(({ line }) => ({ line, what: "a second encoder that a decoder reads" }));
}
