/**
 * The work on one body on top of what is inherited, and what is said of changes that change nothing or do not last.
 */

import type { ModelEntry, Slot, Span } from "../../grammar/index.js";
import type { Body, Draft, DraftLine, DraftValue } from "./draft.js";
import { fail, lineRemoval } from "./report.js";

/** A line, and what this body did to it. */
export interface EditedLine {
  line: DraftLine;
  /** The entry of this body that wrote it; null: inherited. */
  readonly made: Span | null;
  /** `set` lines of this body, by parameter. */
  readonly sets: Map<string, Span>;
}

/** The work on one body. */
export interface Work {
  readonly body: Body;
  readonly base: Draft;
  /** Whether the declaration extends another. */
  readonly extending: boolean;
  lines: readonly EditedLine[];
  readonly settings: Map<string, DraftValue | null>;
  /** Settings that this body wrote. */
  readonly settingsMade: Map<string, Span>;
  /** Inherited lines that this body removed. */
  readonly removed: DraftLine[];
  readonly suspected: Set<string>;
}

/** Where the verb stands, with the blanks after it. */
export function verbSpan(entry: Slot): Span {
  return { ...entry.span, start: entry.verb ? entry.span.start : entry.slot.span.start, end: entry.slot.span.start };
}

export function changeWithoutBase(entry: ModelEntry, verb: string, { body }: Work): null {
  const fix =
    entry.kind === "slot" ? { title: "Write a plain line", edits: [{ span: verbSpan(entry), text: "" }] } : undefined;
  return fail(
    body.report,
    "check/change-without-base",
    entry.kind === "slot" ? verbSpan(entry) : entry.span,
    `${verb} changes what is inherited, and \`${body.name}\` inherits nothing`,
    {
      help:
        entry.kind === "slot"
          ? "write the line without it"
          : `write the value where it belongs, or let \`${body.name}\` extend another ${body.owner}`,
      fix,
    },
  );
}

export function withoutEffect(span: Span, message: string, same: Span, { body }: Work): null {
  if (body.mayKeep) return null;
  return fail(body.report, "check/change-without-effect", span, message, {
    help: "remove the line, or write the change that was meant",
    related: [{ span: same, message: "it is the same here" }],
    fix: lineRemoval(span, "Remove the line"),
  });
}

/** Reports the changes of this body that a later one makes void. */
export function overridden({ made, sets }: EditedLine, by: Span, { body }: Work): void {
  for (const span of [...(made ? [made] : []), ...sets.values()]) overriddenChange(span, by, body);
}

/** `part`: the span is a value inside a line, not a whole line. */
export function overriddenChange(span: Span, by: Span, { report }: Pick<Body, "report">, part?: "part"): null {
  return fail(report, "check/overridden-change", span, "another change of the same body overrides this one", {
    help: "keep one of the two",
    related: [{ span: by, message: "overridden here" }],
    fix: part ? undefined : lineRemoval(span, "Remove the line"),
  });
}
