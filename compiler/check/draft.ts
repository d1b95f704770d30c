/**
 * What the checker knows while it works: lines and values as far as they could be read. `null` always means: broken, and
 * reported already, so that whoever needs it keeps silent.
 */

import type { Definition, Registry } from "../../blocks/index.js";
import type { Slot, Span } from "../../grammar/index.js";
import type { Origin } from "../model.js";
import type { SlotRule } from "../slots.js";
import type { Report } from "./report.js";
import type { Scope } from "./scope.js";
import { valueText } from "./show.js";

export interface DraftValue {
  readonly value: unknown;
  readonly origin: Origin;
}

/** A block with the values that could be read. */
export interface DraftBlock {
  readonly kind: string;
  readonly definition: Definition;
  /** One for each parameter. */
  readonly values: ReadonlyMap<string, DraftValue | null>;
  readonly origin: Origin;
}

export interface DraftLine {
  readonly slot: string;
  readonly label: string | null;
  readonly block: DraftBlock | null;
  readonly every: DraftValue | null;
  readonly inner: readonly DraftLine[];
  /** From the slot's name to the end of the block. */
  readonly span: Span;
}

/** The lines and settings of a declaration, after inheritance. */
export interface Draft {
  readonly lines: readonly DraftLine[];
  readonly settings: ReadonlyMap<string, DraftValue | null>;
  /** Whether something may be missing that was written: a base that is not known, or text the parser gave up. */
  readonly open: boolean;
  /** Slots and settings that an unknown name most likely meant, or that name itself: they are not missed as well. */
  readonly suspected: ReadonlySet<string>;
}

/** What is inherited from a base that is not known. */
export const unknownBase: Draft = { lines: [], settings: new Map(), open: true, suspected: new Set() };
export const nothing: Draft = { ...unknownBase, open: false };

/** What a body is checked with. */
export interface Body {
  readonly owner: "model" | "recipe";
  /** The slot whose `{ }` this is; null in the body of a declaration. */
  readonly within: string | null;
  readonly rules: readonly SlotRule[];
  readonly registry: Registry;
  readonly scope: Scope;
  readonly report: Report;
  /** Name of the declaration. */
  readonly name: string;
  /** Whether the parser lost part of the body. */
  readonly torn: boolean;
  /** Whether it reported an error in a place. */
  readonly tornAt: (span: Span) => boolean;
  /** Whether a change may leave things as they are: in a member of a family. If absent, it may not. */
  readonly mayKeep?: boolean;
}

export const slotLines = (lines: readonly DraftLine[], slot: string): readonly DraftLine[] =>
  lines.filter((line) => line.slot === slot);

export const hasHead = (lines: readonly DraftLine[]): boolean => slotLines(lines, "head").length > 0;

/** What fills a line; undefined where there is none, or none that could be read. */
export const definitionOf = <D>(line: DraftLine | undefined): D | undefined => line?.block?.definition as D | undefined;

/** `loss`, or `target region` with its label. */
export const lineName = (slot: string, label: string | null): string => (label === null ? slot : `${slot} ${label}`);

/** The part of a line that names it. */
export const headOf = (entry: Slot): Span => ({
  ...entry.slot.span,
  end: (entry.label ?? entry.slot).span.end,
});

/** Whether two blocks have the same definition and the same values. */
function sameBlock(a: DraftBlock, b: DraftBlock): boolean {
  if (a.definition !== b.definition) return false;
  return Object.entries(a.definition.params).every(([name, { type }]) => {
    const [x, y] = [a.values.get(name), b.values.get(name)];
    return x != null && y != null && valueText(type, x.value) === valueText(type, y.value);
  });
}

/** Whether two lines say the same, their inner lines included. */
export function sameLine(a: DraftLine, b: DraftLine): boolean {
  if (!a.block || !b.block || a.slot !== b.slot || a.label !== b.label) return false;
  if (!sameBlock(a.block, b.block) || JSON.stringify(a.every?.value) !== JSON.stringify(b.every?.value)) return false;
  return a.inner.length === b.inner.length && a.inner.every((line, i) => sameLine(line, b.inner[i] as DraftLine));
}

/** The values of a line without a broken one, as its definition reads them. */
export const valuesOf = (line: DraftLine): never =>
  Object.fromEntries([...(line.block?.values ?? [])].map(([name, value]) => [name, value?.value])) as never;
