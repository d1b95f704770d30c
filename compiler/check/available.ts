/**
 * What the language can say and this version cannot build: refused, never dropped. Judged last, of models that are sound
 * otherwise.
 */

import type { Decoder, Target } from "../../blocks/index.js";
import { modelSlots } from "../slots.js";
import { type Body, type DraftLine, definitionOf, slotLines } from "./draft.js";
import { decodersOf, hasHead } from "./objectives.js";
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

/** A model with a head sees every patch and predicts none. */
const refusedBesideHead = (lines: readonly DraftLine[]): readonly Refused[] =>
  ["mask", "decoder", "target", "teacher", "adversary"].flatMap((slot) =>
    slotLines(lines, slot).map((line) => ({ line, what: `a \`${slot}\` beside a \`head\`` })),
  );

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
