/** What is found wrong with the wires of a model, and how it is told. */

import type { Part } from "../wire/wiring.js";
import type { Code } from "./codes.js";
import type { DraftLine } from "./draft.js";
import type { Words } from "./report.js";

export type DraftPart = Part<DraftLine>;

export interface Finding extends Words {
  readonly code: Code;
  readonly part: DraftPart;
  readonly message: string;
}

export const blockOf = ({ definition }: DraftPart): string => `\`${definition?.name}\``;
