/** What is found wrong with the wires of a model, and how it is told. */

import type { Part } from "../wire/wiring.js";
import type { Code } from "./codes.js";
import { type DraftLine, lineName } from "./draft.js";
import type { Words } from "./report.js";

export type DraftPart = Part<DraftLine>;

export interface Finding extends Words {
  readonly code: Code;
  readonly part: DraftPart;
  readonly message: string;
}

export const blockOf = ({ definition }: DraftPart): string => `\`${definition?.name}\``;

/** A part that reads what cannot give what it asks for. */
export const unreadable = (
  part: DraftPart,
  message: string,
  reason: string,
  help: string,
  other?: DraftPart,
): Finding => ({
  code: "check/unreadable-source",
  part,
  message,
  reason,
  help,
  ...(other ? { related: [{ span: other.line.span, message: `\`${nameOf(other)}\`` }] } : {}),
});

/** `encoder audio` */
export const nameOf = ({ slot, line, input }: DraftPart): string => lineName(slot, line.label ?? input);
