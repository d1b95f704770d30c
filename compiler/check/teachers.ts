/** Do teacher and targets belong together? A target that is made of what a teacher gives needs one, and a teacher a target. */

import type { Encoder, Target } from "../../blocks/index.js";
import { type Body, type DraftLine, slotLines } from "./draft.js";
import { fail } from "./report.js";

const isTaught = (line: DraftLine): boolean => (line.block?.definition as Target | undefined)?.fromTeacher === true;

/** Reports targets without the teacher that they are made of, and a teacher that nothing is made of. */
export function teacherIsRead(lines: readonly DraftLine[], body: Body): boolean {
  const taught = slotLines(lines, "target").filter(isTaught);
  const [teacher] = slotLines(lines, "teacher");
  if (!teacher) return taught.map((target) => missing(target, body)).length === 0;
  if (taught.length === 0) {
    fail(
      body.report,
      "check/idle-teacher",
      teacher.span,
      `no target of \`${body.name}\` is made of what its teacher gives`,
      {
        help: "remove it, or add a target that is",
      },
    );
    return false;
  }
  return canTeach(lines, teacher, body);
}

function missing({ span, block }: DraftLine, { report, name }: Body): void {
  fail(
    report,
    "check/missing-slot",
    span,
    `\`${name}\` has no \`teacher\` for its target \`${block?.definition.name}\``,
    {
      reason: "The target is made of what a slow copy of the encoder gives for the whole image.",
      help: "add a line `teacher ...`",
    },
  );
}

/** The layers of a teacher are read one by one; not every encoder can give them. */
function canTeach(lines: readonly DraftLine[], teacher: DraftLine, { report }: Body): boolean {
  const [encoder] = slotLines(lines, "encoder");
  if ((encoder?.block?.definition as Encoder | undefined)?.outputs) return true;
  const name = encoder?.block?.definition.name;
  fail(
    report,
    "check/not-yet-available",
    teacher.span,
    `this version cannot read the layers of an encoder \`${name}\``,
    {
      help: "use another encoder, or another target",
    },
  );
  return false;
}
