/**
 * What the language can say and this version cannot build: refused, never dropped. Judged last, of models that are sound
 * otherwise.
 */

import type { Decoder, Loss, Target } from "../../blocks/index.js";
import { modelSlots } from "../slots.js";
import { type Body, type DraftLine, lineName, slotLines } from "./draft.js";
import { fail } from "./report.js";

interface Refused {
  readonly line: DraftLine;
  readonly what: string;
}

/** Whether programs can be built from the lines of a model. */
export function isAvailable(lines: readonly DraftLine[], { report }: Body): boolean {
  const refused = [...refusedSlots(lines), ...(hasHead(lines) ? refusedBesideHead(lines) : refusedTargets(lines))];
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
    return rule.multiplicity === "labelled" && rule.inner.length === 0 && second
      ? [{ line: second, what: `more than one \`${rule.slot}\`` }]
      : [];
  });

const hasHead = (lines: readonly DraftLine[]): boolean => slotLines(lines, "head").length > 0;

/** A model with a head sees every patch and predicts none. */
const refusedBesideHead = (lines: readonly DraftLine[]): readonly Refused[] =>
  ["mask", "decoder", "target", "teacher", "adversary"].flatMap((slot) =>
    slotLines(lines, slot).map((line) => ({ line, what: `a \`${slot}\` beside a \`head\`` })),
  );

/** Whether every loss compares what the model predicts: patches, or the classes of a head. */
export function lossesFit(lines: readonly DraftLine[], { report, name }: Body): boolean {
  const predicted = hasHead(lines) ? "classes" : "patches";
  const losses = [...slotLines(lines, "loss"), ...lines.flatMap(({ inner }) => slotLines(inner, "loss"))];
  const wrong = losses.filter((line) => (definitionOf<Loss>(line)?.compares ?? "patches") !== predicted);
  for (const line of wrong) {
    const block = line.block?.definition.name;
    const [message, help] =
      predicted === "patches"
        ? [`\`${block}\` compares classes, and \`${name}\` predicts patches`, "add a `head`, or use a loss of patches"]
        : [`\`${block}\` compares patches, and \`${name}\` predicts classes`, "use a loss of classes"];
    fail(report, "check/loss-of-another-kind", line.block?.origin.span ?? line.span, message, { help });
  }
  return wrong.length === 0;
}

const decodersOf = (target: DraftLine): readonly DraftLine[] => slotLines(target.inner, "decoder");

const definitionOf = <D>(line: DraftLine | undefined): D | undefined => line?.block?.definition as D | undefined;

/** At most one target is predicted by the model's decoder; each other one by a decoder of its own, from the same latent. */
function refusedTargets(lines: readonly DraftLine[]): readonly Refused[] {
  const targets = slotLines(lines, "target");
  const [own, second] = targets.filter((target) => decodersOf(target).length === 0);
  const idle = own ? [] : slotLines(lines, "decoder");
  const nameless = targets.filter(
    (target) => target.label === null && decodersOf(target).length > 0 && targets.length > 1,
  );
  const encoders = targets
    .filter((target) => definitionOf<Target>(target)?.tokens === undefined)
    .flatMap((target) => slotLines(target.inner, "encoder"));
  const unread = targets.flatMap((target) => {
    const [decoder] = decodersOf(target);
    const reads = definitionOf<Decoder>(decoder)?.readsEncoded === true;
    return decoder && !reads ? slotLines(target.inner, "encoder") : [];
  });
  return [
    ...idle.map((line) => ({ line, what: "a `decoder` beside targets that all have decoders of their own" })),
    ...nameless.map((line) => ({ line, what: "a `target` with a decoder of its own and without a label" })),
    ...(second ? [{ line: second, what: "more than one `target` for one `decoder`" }] : []),
    ...encoders.map((line) => ({ line, what: "an `encoder` of this `target`" })),
    ...unread
      .filter((line) => !encoders.includes(line))
      .map((line) => ({ line, what: "an `encoder` of a `target` whose `decoder` does not read it" })),
    ...slotLines(lines, "decoder")
      .filter((line) => definitionOf<Decoder>(line)?.readsEncoded)
      .map((line) => ({ line, what: "a `decoder` of an encoded target outside of its braces" })),
    ...targets.filter((target) => decodersOf(target).length > 0).flatMap((target) => otherLatent(lines, target)),
  ];
}

/** Hidden tokens pass through the encoder for all decoders or for none. */
function otherLatent(lines: readonly DraftLine[], target: DraftLine): readonly Refused[] {
  const enters = (line: DraftLine | undefined): boolean => definitionOf<Decoder>(line)?.enter !== undefined;
  const [model] = slotLines(lines, "decoder");
  return decodersOf(target)
    .filter((line) => enters(line) !== enters(model))
    .map((line) => {
      const names = [line, model].flatMap((decoder) => decoder?.block?.definition.name ?? []);
      const [first, second] = names.map((name) => `\`${name}\``);
      const what = second
        ? `a decoder ${first} beside ${second}, only one of which sees hidden tokens encoded,`
        : `a decoder ${first} in the braces of a target`;
      return { line, what };
    });
}

/**
 * Whether each target with a decoder of its own has a loss of its own, without which nothing would train it, and an encoder
 * where its decoder reads what that gives.
 */
export function targetsAreWhole(lines: readonly DraftLine[], { report, name }: Body): boolean {
  const targets = slotLines(lines, "target").filter((target) => decodersOf(target).length > 0);
  const blind = targets.filter(
    (target) =>
      slotLines(target.inner, "encoder").length === 0 &&
      decodersOf(target).some((line) => definitionOf<Decoder>(line)?.readsEncoded),
  );
  for (const target of blind) {
    const subject = lineName("target", target.label);
    fail(report, "check/missing-slot", target.span, `\`${subject}\` of \`${name}\` has no \`encoder\``, {
      reason: "Its decoder completes what an encoder has seen of the target.",
      help: "add a line `encoder ...` to its braces",
    });
  }
  const bare = targets.filter((target) => slotLines(target.inner, "loss").length === 0);
  for (const target of bare) {
    const subject = lineName("target", target.label);
    fail(report, "check/missing-slot", target.span, `\`${subject}\` of \`${name}\` has no \`loss\``, {
      reason: "A target with a decoder of its own needs to say how far a prediction is from it.",
      help: "add a line `loss ...` to its braces",
    });
  }
  return bare.length === 0 && blind.length === 0;
}
