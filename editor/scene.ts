/** What a file knows: the blocks there are, its own declarations and those it imports, and what they inherit. */

import type { Definition, Registry } from "../blocks/index.js";
import { blockNamed, modelSlots, recipeSlots, type SlotRule, takesMany } from "../compiler/index.js";
import type {
  Declaration,
  Expression,
  File,
  ModelDeclaration,
  ModelEntry,
  RecipeDeclaration,
  Slot,
  Source,
  Span,
} from "../grammar/index.js";
import { type Candidate, declarationCandidate } from "./candidate.js";

/** What lies around a text. */
export interface Surroundings {
  readonly registry: Registry;
  /** The file that an import of a source names; null: there is none that can be read. */
  readonly imported: (from: Source, path: string) => File | null;
  /** Where a block of the project is defined; null: in this package. */
  readonly home: (definition: Definition) => Span | null;
}

/** A declaration and the file it stands in; `declaration` null: the file cannot be read, or does not have it. */
interface Known {
  readonly declaration: Declaration | null;
  readonly home: File;
}

/** A file with what lies around it. */
export interface Scene extends Surroundings {
  readonly file: File;
}

/** Everything that a file declares or imports, by the name it has there. */
function namesIn(file: File, around: Surroundings): ReadonlyMap<string, Known> {
  const names = new Map<string, Known>();
  for (const { names: imported, from } of file.imports) {
    const home = from && around.imported(file.source, from.value);
    for (const { name, alias } of imported) {
      const declaration = home?.declarations.find((one) => one.name?.name === name.name) ?? null;
      names.set((alias ?? name).name, { declaration, home: home ?? file });
    }
  }
  for (const declaration of file.declarations) {
    if (declaration.name) names.set(declaration.name.name, { declaration, home: file });
  }
  return names;
}

/** What a name of a file stands for. */
export const known = (name: string, file: File, around: Surroundings): Known | undefined =>
  namesIn(file, around).get(name);

/** A filled slot, as far as its line can be read. */
export interface Line {
  readonly rule: SlotRule;
  readonly label: string | null;
  readonly definition: Definition | undefined;
  readonly inner: readonly Line[];
  /** The line as it is written. */
  readonly span: Span;
}

/** Longest chain of `extends` that is followed: what is longer is a mistake, or a circle. */
const longestChain = 32;

/** The lines of a model or recipe with all that it inherits; none where the name stands for nothing of the kind. */
export function linesOf(name: string | null, file: File, around: Surroundings, left = longestChain): readonly Line[] {
  const found = name === null ? undefined : known(name, file, around);
  const declaration = found?.declaration;
  if (!found || left === 0 || (declaration?.kind !== "model" && declaration?.kind !== "recipe")) return [];
  return ownLines(declaration, linesOf(declaration.base?.name ?? null, found.home, around, left - 1), around);
}

function ownLines(
  { kind, entries }: ModelDeclaration | RecipeDeclaration,
  base: readonly Line[],
  around: Surroundings,
): readonly Line[] {
  const rules = kind === "model" ? modelSlots : recipeSlots;
  return entries.reduce<readonly Line[]>((lines, entry) => changed(lines, entry, rules, around), base);
}

function changed(
  lines: readonly Line[],
  entry: ModelEntry,
  rules: readonly SlotRule[],
  around: Surroundings,
): readonly Line[] {
  if (entry.kind !== "slot" && entry.kind !== "remove") return lines;
  const rule = rules.find(({ slot }) => slot === entry.slot.name);
  if (!rule) return lines;
  const label = entry.label?.name ?? null;
  const isMeant = (line: Line): boolean =>
    line.rule === rule &&
    (line.label === label || (takesMany(rule) && (label === null || line.definition?.name === label)));
  if (entry.kind === "remove") return lines.filter((line) => !isMeant(line));
  const added = written(entry, rule, around);
  return entry.verb === "replace" ? [...lines.filter((line) => !isMeant(line)), ...added] : [...lines, ...added];
}

function written(entry: Slot, rule: SlotRule, around: Surroundings): readonly Line[] {
  const inner = (entry.entries ?? []).reduce<readonly Line[]>(
    (lines, one) => changed(lines, one, modelSlots, around),
    [],
  );
  const values = entry.values.length === 0 ? [null] : entry.values;
  return values.map((value) => ({
    rule,
    label: entry.label?.name ?? null,
    definition: value ? definitionOf(value, rule, around) : undefined,
    inner,
    span: entry.span,
  }));
}

/** A line of the slot with the block that an expression names. */
export const lineWith = (value: Expression, rule: SlotRule, label: string | null, around: Surroundings): Line => ({
  rule,
  label,
  definition: definitionOf(value, rule, around),
  inner: [],
  span: value.span,
});

function definitionOf(value: Expression, rule: SlotRule, around: Surroundings): Definition | undefined {
  const name =
    value.kind === "call"
      ? value.callee.name
      : value.kind === "path"
        ? value.parts.map((part) => part.name).join(".")
        : "";
  return blockNamed(around.registry, rule.kind, name);
}

/** What the file that an import names declares. */
export function declaredIn(path: string, { file, imported }: Scene): readonly Candidate[] {
  const declarations = imported(file.source, path)?.declarations ?? [];
  return declarations.flatMap((one) => (one.name ? [declarationCandidate(one.name.name, one)] : []));
}

/** Declarations of a kind; imported names that cannot be looked up count as any kind. */
export function namesOf(kind: Declaration["kind"], scene: Scene): readonly Candidate[] {
  return [...namesIn(scene.file, scene)]
    .filter(([, { declaration }]) => declaration === null || declaration.kind === kind)
    .map(([name, { declaration }]) => declarationCandidate(name, declaration));
}
