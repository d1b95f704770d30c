/** Does what is predicted have what it takes: losses of its kind, and for a target with a decoder of its own, a loss and an encoder? */

import type { Decoder, Loss } from "../../blocks/index.js";
import { type Body, type DraftLine, definitionOf, lineName, slotLines } from "./draft.js";
import { fail } from "./report.js";

export const hasHead = (lines: readonly DraftLine[]): boolean => slotLines(lines, "head").length > 0;

/** The decoder of a target's own. */
export const decodersOf = (target: DraftLine): readonly DraftLine[] => slotLines(target.inner, "decoder");

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

/**
 * Whether each target with a decoder of its own has a loss of its own, without which nothing would train it, and an encoder
 * where its decoder reads what that gives.
 */
export function targetsAreWhole(lines: readonly DraftLine[], body: Body): boolean {
  const targets = slotLines(lines, "target").filter((target) => decodersOf(target).length > 0);
  const without = (slot: string, target: DraftLine): boolean => slotLines(target.inner, slot).length === 0;
  const blind = targets.filter(
    (target) =>
      without("encoder", target) && decodersOf(target).some((line) => definitionOf<Decoder>(line)?.readsEncoded),
  );
  for (const target of blind) {
    missing("encoder", target, "Its decoder completes what an encoder has seen of the target.", body);
  }
  const bare = targets.filter((target) => without("loss", target));
  for (const target of bare) {
    missing("loss", target, "A target with a decoder of its own needs to say how far a prediction is from it.", body);
  }
  return bare.length === 0 && blind.length === 0;
}

function missing(slot: string, { label, span }: DraftLine, reason: string, { report, name }: Body): void {
  const subject = lineName("target", label);
  fail(report, "check/missing-slot", span, `\`${subject}\` of \`${name}\` has no \`${slot}\``, {
    reason,
    help: `add a line \`${slot} ...\` to its braces`,
  });
}
