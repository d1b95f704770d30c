/**
 * What the language can say and this version cannot build: refused, never dropped. Judged of models whose lines are sound, before
 * they are wired.
 */

import type { Decoder } from "../../blocks/index.js";
import { modelSlots } from "../slots.js";
import { type Body, type DraftLine, definitionOf, hasHead, slotLines } from "./draft.js";
import { fail } from "./report.js";

interface Refused {
  readonly line: DraftLine;
  readonly what: string;
}

/** Whether programs can be built from the lines of a model. */
export function isAvailable(lines: readonly DraftLine[], { report }: Body): boolean {
  const refused = [
    ...refusedSlots(lines),
    ...(hasHead(lines)
      ? refusedBesideHead(lines)
      : slotLines(lines, "target").flatMap((target) => otherLatent(lines, target))),
  ];
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

/** Hidden tokens pass through the encoder for all decoders or for none. */
function otherLatent(lines: readonly DraftLine[], target: DraftLine): readonly Refused[] {
  const enters = (line: DraftLine | undefined): boolean => definitionOf<Decoder>(line)?.enter !== undefined;
  const [model] = slotLines(lines, "decoder");
  return slotLines(target.inner, "decoder")
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
