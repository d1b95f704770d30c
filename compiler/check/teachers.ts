/** Do teacher and targets belong together? A target that is made of what a teacher gives needs one, and a teacher a target. */

import type { Encoder, Target } from "../../blocks/index.js";
import { type Body, type DraftLine, definitionOf, slotLines } from "./draft.js";
import { fail } from "./report.js";

/** Reports targets without the teacher that they are made of, and a teacher that nothing is made of. */
export function teacherIsRead(lines: readonly DraftLine[], body: Body): boolean {
  const taught = slotLines(lines, "target").filter((line) => definitionOf<Target>(line)?.fromTeacher);
  const [teacher] = slotLines(lines, "teacher");
  if (!teacher) {
    for (const target of taught) missing(target, body);
    return taught.length === 0;
  }
  if (taught.length > 0) return canTeach(lines, teacher, body);
  const message = `no target of \`${body.name}\` is made of what its teacher gives`;
  fail(body.report, "check/idle-teacher", teacher.span, message, { help: "remove it, or add a target that is" });
  return false;
}

function missing({ span, block }: DraftLine, { report, name }: Body): void {
  const message = `\`${name}\` has no \`teacher\` for its target \`${block?.definition.name}\``;
  fail(report, "check/missing-slot", span, message, {
    reason: "The target is made of what a slow copy of the encoder gives for the whole image.",
    help: "add a line `teacher ...`",
  });
}

/** The layers of a teacher are read one by one; not every encoder can give them. */
function canTeach(lines: readonly DraftLine[], teacher: DraftLine, { report }: Body): boolean {
  const [encoder] = slotLines(lines, "encoder");
  if (definitionOf<Encoder>(encoder)?.outputs) return true;
  const message = `this version cannot read the layers of an encoder \`${encoder?.block?.definition.name}\``;
  fail(report, "check/not-yet-available", teacher.span, message, { help: "use another encoder, or another target" });
  return false;
}
