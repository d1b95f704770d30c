/** Can the mask be decided by what the encoder attends to? Not every encoder can say that. */

import type { Encoder, Mask } from "../../blocks/index.js";
import { type Body, type DraftLine, definitionOf, slotLines } from "./draft.js";
import { fail } from "./report.js";

/** Reports a mask that is guided by an encoder that cannot guide it. */
export function guideIsReadable(lines: readonly DraftLine[], { report }: Body): boolean {
  const [encoder] = slotLines(lines, "encoder");
  if (definitionOf<Encoder>(encoder)?.attention) return true;
  const guided = slotLines(lines, "mask").filter((line) => definitionOf<Mask>(line)?.guide);
  for (const { span } of guided) {
    const name = encoder?.block?.definition.name;
    fail(report, "check/not-yet-available", span, `this version cannot read what an encoder \`${name}\` attends to`, {
      help: "use another encoder, or another mask",
    });
  }
  return guided.length === 0;
}
