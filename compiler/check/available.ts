/**
 * What the language can say and this version cannot build: refused, never dropped. Judged last, of models that are sound
 * otherwise.
 */

import type { Decoder } from "../../blocks/index.js";
import { modelSlots } from "../slots.js";
import { type Body, type DraftLine, lineName, slotLines } from "./draft.js";
import { fail } from "./report.js";

interface Refused {
  readonly line: DraftLine;
  readonly what: string;
}

/** Whether programs can be built from the lines of a model. */
export function isAvailable(lines: readonly DraftLine[], { report }: Body): boolean {
  const refused = [...refusedSlots(lines), ...refusedTargets(lines)];
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

const decodersOf = (target: DraftLine): readonly DraftLine[] => slotLines(target.inner, "decoder");

/** One target is predicted by the model's decoder; each other one by a decoder of its own, from the same latent. */
function refusedTargets(lines: readonly DraftLine[]): readonly Refused[] {
  const targets = slotLines(lines, "target");
  const [own, second] = targets.filter((target) => decodersOf(target).length === 0);
  const [first] = targets;
  if (first && !own) return [{ line: first, what: "a model whose every `target` has a decoder of its own" }];
  const nameless = targets.filter((target) => target.label === null && decodersOf(target).length > 0);
  const encoders = targets.flatMap((target) => slotLines(target.inner, "encoder"));
  return [
    ...nameless.map((line) => ({ line, what: "a `target` with a decoder of its own and without a label" })),
    ...(second ? [{ line: second, what: "more than one `target` for one `decoder`" }] : []),
    ...encoders.map((line) => ({ line, what: "an `encoder` of a `target`" })),
    ...targets.filter((target) => decodersOf(target).length > 0).flatMap((target) => otherLatent(lines, target)),
  ];
}

/** Hidden tokens pass through the encoder for all decoders or for none. */
function otherLatent(lines: readonly DraftLine[], target: DraftLine): readonly Refused[] {
  const enters = (line: DraftLine | undefined): boolean =>
    (line?.block?.definition as Decoder | undefined)?.enter !== undefined;
  const [model] = slotLines(lines, "decoder");
  return decodersOf(target)
    .filter((line) => enters(line) !== enters(model))
    .map((line) => {
      const names = [line, model].map((decoder) => `\`${decoder?.block?.definition.name}\``);
      return { line, what: `a decoder ${names[0]} beside ${names[1]}, only one of which sees hidden tokens encoded,` };
    });
}

/** Whether each target with a decoder of its own has a loss of its own: without one nothing would train it. */
export function targetsAreWhole(lines: readonly DraftLine[], { report, name }: Body): boolean {
  const targets = slotLines(lines, "target").filter((target) => decodersOf(target).length > 0);
  const bare = targets.filter((target) => slotLines(target.inner, "loss").length === 0);
  for (const target of bare) {
    const subject = lineName("target", target.label);
    fail(report, "check/missing-slot", target.span, `\`${subject}\` of \`${name}\` has no \`loss\``, {
      reason: "A target with a decoder of its own needs to say how far a prediction is from it.",
      help: "add a line `loss ...` to its braces",
    });
  }
  return bare.length === 0;
}
