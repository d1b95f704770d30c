/**
 * Findings of a text while it is written: what a declaration says that has not changed, and stands on nothing that has, is not checked
 * again. Gives what `analyze` finds. Where it is not plain what a change reaches, all is checked.
 */

import type { Registry } from "../blocks/index.js";
import { type Declaration, type Diagnostic, mostFindings, type Source, type Span } from "../grammar/index.js";
import { analyze, checkDeclaration, finish, type Started, start } from "./analyze.js";
import type { Host, Loaded } from "./check/files.js";
import { mostMembers } from "./check/members.js";
import { referencesOf } from "./check/names.js";
import { namesIn } from "./check/project.js";

/** A text as it was checked. */
export interface Followed {
  readonly diagnostics: readonly Diagnostic[];
  /** Whether all was checked that needs it; otherwise some findings are those from before. */
  readonly isWhole: boolean;
  /** null: nothing of it can be used again. */
  readonly kept: Kept | null;
}

interface Kept {
  readonly registry: Registry;
  readonly files: readonly Loaded[];
  /** What was found when each declaration was checked. */
  readonly found: ReadonlyMap<Declaration, readonly Diagnostic[]>;
  /** Declarations that were not checked though something changed that they stand on. */
  readonly stale: ReadonlySet<Declaration>;
}

/** Findings that are worth being carried over: more of them are found as quickly. */
const mostCarried = 1000;

/**
 * Checks a text.
 * @param before the text as it was before
 * @param hasTime whether what stands on a change is checked, however much that is; otherwise what is written is answered first
 */
export function follow(
  source: Source,
  host: Host,
  registry: Registry,
  before: Followed | null,
  hasTime: boolean,
): Followed {
  const started = start(source, host, registry);
  const { main, found, project } = started;
  namesIn(project, main);
  const order = basesFirst(main.file.declarations);
  const anew = (): Followed => ({ ...analyze(source, host, registry), isWhole: true, kept: null });
  if (!order || familiesOf(main) > mostMembers) return anew();
  const kept = before?.kept && isLike(before.kept, started, registry) ? before.kept : null;
  const written = kept ? alike(kept, main) : new Map<Declaration, Declaration>();
  const same = kept ? standing(written, kept, main) : new Set<Declaration>();
  const isLong = written.size - same.size > mostAtOnce;
  const by = new Map<Declaration, readonly Diagnostic[]>();
  const stale = new Set<Declaration>();
  for (const declaration of order) {
    const from = found.length;
    const old = same.has(declaration) || (isLong && !hasTime) ? written.get(declaration) : undefined;
    if (old && kept) found.push(...carried(kept.found.get(old) ?? [], kept.files[0] as Loaded, main));
    else checkDeclaration({ declaration, home: main }, project, started.sets);
    if (old && !same.has(declaration)) stale.add(declaration);
    by.set(declaration, found.slice(from));
  }
  if (found.length >= mostFindings) return anew();
  const isPlain = found.length <= mostCarried && found.every(({ span }) => span.source === main.source);
  const next: Kept = { registry, files: started.files, found: by, stale };
  return { diagnostics: finish(started), isWhole: stale.size === 0, kept: isPlain ? next : null };
}

/** Declarations that stand on a change and are checked with it: more of them keep the next stroke of a key waiting. */
const mostAtOnce = 10;

/** Declarations of a file behind those of it that they stand on; null: they go round in a circle, or a name is given twice. */
function basesFirst(declarations: readonly Declaration[]): readonly Declaration[] | null {
  const byName = new Map(declarations.map((one) => [one.name?.name, one]));
  if (byName.size < declarations.length) return null;
  const order = new Set<Declaration>();
  const open = new Set<Declaration>();
  let isRound = false;
  const visit = (declaration: Declaration): void => {
    if (order.has(declaration)) return;
    if (open.has(declaration) || open.size > deepest) {
      isRound = true;
      return;
    }
    open.add(declaration);
    for (const base of basesOf(declaration, byName)) visit(base);
    open.delete(declaration);
    order.add(declaration);
  };
  for (const declaration of declarations) visit(declaration);
  return isRound ? null : [...order];
}

/** Declarations that extend each other in a row, and are followed. */
const deepest = 100;

type ByName = ReadonlyMap<string | undefined, Declaration>;

const basesOf = (declaration: Declaration, byName: ByName): readonly Declaration[] =>
  referencesOf(declaration).flatMap(({ name }) => byName.get(name) ?? []);

/** Members of all families of a file, skipped ones included: they share the room for members. */
const familiesOf = ({ file }: Loaded): number =>
  file.declarations.reduce((sum, declaration) => {
    if (declaration.kind !== "variants") return sum;
    const sizes = declaration.entries.map((entry) => (entry.kind === "skip" ? 1 : entry.alternatives.length));
    return sum + sizes.reduce((product, size) => product * Math.max(1, size), 1);
  }, 0);

/** Whether two states of a text have the same imports and the same names in the same order. */
function isLike({ registry, files }: Kept, started: Started, own: Registry): boolean {
  const heads = ({ file }: Loaded) => file.declarations.map(({ kind, name }) => `${kind} ${name?.name}`).join("\n");
  const [old, ...others] = files as readonly [Loaded, ...Loaded[]];
  const [main, ...imported] = started.files as readonly [Loaded, ...Loaded[]];
  return (
    registry === own &&
    others.length === imported.length &&
    others.every(({ source }, i) => source === imported[i]?.source) &&
    importsIn(old).text === importsIn(main).text &&
    heads(old) === heads(main)
  );
}

/** From the first import to the last, as it is written. */
function importsIn({ file, source }: Loaded): { readonly start: number; readonly text: string } {
  const start = file.imports[0]?.span.start ?? 0;
  return { start, text: source.text.slice(start, file.imports.at(-1)?.span.end ?? 0) };
}

const textOf = ({ span: { source, start, end } }: Declaration): string => source.text.slice(start, end);

/** The declarations that are written as they were, with what they were before. */
function alike({ files }: Kept, main: Loaded): ReadonlyMap<Declaration, Declaration> {
  const [old] = files as readonly [Loaded];
  const found = new Map<Declaration, Declaration>();
  main.file.declarations.forEach((declaration, i) => {
    const then = old.file.declarations[i] as Declaration;
    const isWhole = !main.damage.torn(declaration) && !old.damage.torn(then);
    if (isWhole && textOf(declaration) === textOf(then)) found.set(declaration, then);
  });
  return found;
}

/** Those of them that stand on such alone, and were checked. */
function standing(
  written: ReadonlyMap<Declaration, Declaration>,
  { stale }: Kept,
  main: Loaded,
): ReadonlySet<Declaration> {
  const byName = new Map(main.file.declarations.map((one) => [one.name?.name, one]));
  const same = new Set([...written].flatMap(([declaration, then]) => (stale.has(then) ? [] : declaration)));
  for (let size = -1; size !== same.size; ) {
    size = same.size;
    for (const declaration of same) {
      if (!basesOf(declaration, byName).every((base) => same.has(base))) same.delete(declaration);
    }
  }
  return same;
}

/** Findings of an earlier text at the places that they have in this one. */
function carried(found: readonly Diagnostic[], old: Loaded, main: Loaded): readonly Diagnostic[] {
  const starts = old.file.declarations.map(({ span }) => span.start);
  const here = (span: Span): Span => {
    if (span.source !== old.source) return span;
    const i = starts.findLastIndex((start) => start <= span.start);
    const now = main.file.declarations[i]?.span.start ?? importsIn(main).start;
    const by = now - (starts[i] ?? importsIn(old).start);
    return { source: main.source, start: span.start + by, end: span.end + by };
  };
  return found.map((one) => ({
    ...one,
    span: here(one.span),
    ...(one.related ? { related: one.related.map((other) => ({ ...other, span: here(other.span) })) } : {}),
    ...(one.fix
      ? { fix: { ...one.fix, edits: one.fix.edits.map((edit) => ({ ...edit, span: here(edit.span) })) } }
      : {}),
  }));
}
