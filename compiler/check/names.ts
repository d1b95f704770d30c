/** The names of a file: what it declares and what it imports, in one namespace. */

import type {
  Declaration,
  Expression,
  Identifier,
  Import,
  ImportedName,
  ModelEntry,
  Span,
} from "../../grammar/index.js";
import type { Loaded } from "./files.js";
import { capitalized, mostCompared, named, nearest } from "./nearest.js";
import { fail, lineRemoval, type Report, replacement, warn } from "./report.js";
import { wordsOf } from "./scope.js";

/** A declaration and the file it stands in. */
export interface Declared<D extends Declaration = Declaration> {
  readonly declaration: D;
  readonly home: Loaded;
}

/** By name. null: an import that failed, reported. */
export type Names = ReadonlyMap<string, Declared | null>;

/** What others can take from a file. */
interface Exports {
  readonly declared: ReadonlyMap<string, Declared>;
  readonly names: readonly string[];
  /** Imports, by the names that they bring: not passed on. */
  readonly passing: ReadonlyMap<string, Import>;
}

const exportsOf = once((loaded: Loaded): Exports => {
  const declared = new Map<string, Declared>();
  for (const declaration of loaded.file.declarations) {
    const name = declaration.name?.name;
    if (name !== undefined && !declared.has(name)) declared.set(name, { declaration, home: loaded });
  }
  const lines = loaded.file.imports.flatMap((line) =>
    line.names.map(({ name, alias }) => [(alias ?? name).name, line] as const),
  );
  return { declared, names: [...declared.keys()], passing: new Map(lines.reverse()) };
});

/** A function of a table that is asked for each of many names: the answer is kept as long as the table. */
function once<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}

/** Names of models and of recipes, and the first name of each declaration. */
const indexOf = once((names: Names) => {
  const model: string[] = [];
  const recipe: string[] = [];
  const first = new Map<Declaration, string>();
  for (const [name, declared] of names) {
    if (!declared) continue;
    if (!first.has(declared.declaration)) first.set(declared.declaration, name);
    if (declared.declaration.kind === "model") model.push(name);
    else if (declared.declaration.kind === "recipe") recipe.push(name);
  }
  return { model, recipe, first };
});

/** The name that a file has for a declaration. */
export const nameIn = (names: Names, declaration: Declaration): string | undefined =>
  indexOf(names).first.get(declaration);

/** Builds the table of a file and reports doubles and unknown imports. */
export function namesOf(loaded: Loaded, report: Report): Names {
  const names = new Map<string, Declared | null>();
  const places = new Map<string, Identifier>();
  for (const line of loaded.file.imports) {
    for (const imported of line.names) importName(line, imported, loaded, names, places, report);
  }
  for (const declaration of loaded.file.declarations) {
    const { name } = declaration;
    if (!name) continue;
    const other = places.get(name.name);
    if (other) {
      fail(report, "check/duplicate-declaration", name.span, `there is already something named \`${name.name}\``, {
        help: "give one of the two another name",
        related: [{ span: other.span, message: "the other one" }],
      });
      continue;
    }
    places.set(name.name, name);
    names.set(name.name, { declaration, home: loaded });
  }
  return names;
}

function importName(
  line: Import,
  { name, alias }: ImportedName,
  loaded: Loaded,
  names: Map<string, Declared | null>,
  places: Map<string, Identifier>,
  report: Report,
): void {
  const here = alias ?? name;
  const other = places.get(here.name);
  if (other) {
    fail(report, "check/duplicate-import", here.span, `\`${here.name}\` is imported twice`, {
      help: "remove one of them, or rename it: `import { Name as Other }`",
      related: [{ span: other.span, message: "first imported here" }],
    });
    return;
  }
  places.set(here.name, here);
  const from = loaded.imports.get(line) ?? null;
  names.set(here.name, from && exported(name, from, report));
}

/** What a file declares under a name; what it imports itself is not passed on. */
function exported({ name, span }: Identifier, from: Loaded, report: Report): Declared | null {
  const { declared, names, passing } = exportsOf(from);
  const found = declared.get(name);
  if (found) return found;
  const passed = passing.get(name)?.from;
  const meant = nearest(name, names);
  const declares = names.length === 0 ? "it declares nothing" : `it declares ${named(names)}`;
  return fail(report, "check/unknown-import-name", span, `\`${from.source.path}\` declares no \`${name}\``, {
    help: passed
      ? `it imports it itself: import it from \`${passed.value}\` as seen from there`
      : meant
        ? `did you mean \`${meant}\`? ${capitalized(declares)}`
        : declares,
    fix: meant && !passed ? replacement(span, meant) : undefined,
  });
}

/** Every name that a declaration refers to. */
export function referencesOf(declaration: Declaration): readonly Identifier[] {
  const names: (Identifier | null)[] = [];
  if (declaration.kind === "model" || declaration.kind === "recipe") names.push(declaration.base);
  if (declaration.kind === "recipe" || declaration.kind === "variants") names.push(declaration.subject);
  if (declaration.kind === "recipe") names.push(...besideIn(declaration.entries));
  if (declaration.kind === "pipeline") {
    for (const entry of declaration.entries) if (entry.kind === "stage") names.push(entry.recipe, entry.model);
  }
  return names.filter((name) => name !== null);
}

/** The recipes that a body names beside its own. */
const besideIn = (entries: readonly ModelEntry[]): readonly Identifier[] =>
  entries.flatMap((entry) => {
    if (entry.kind === "slot" && entry.slot.name === "beside") return entry.values.flatMap(wordsIn);
    const isSet = entry.kind === "set" && entry.path.length === 1 && entry.path[0]?.name === "beside";
    return isSet && entry.value ? wordsIn(entry.value) : [];
  });

const wordsIn = (value: Expression): readonly Identifier[] =>
  [...wordsOf(value)].flatMap(({ parts: [word, more] }) => (word && !more ? [word] : []));

export const referencedNames = (loaded: Loaded): ReadonlySet<string> =>
  new Set(loaded.file.declarations.flatMap((declaration) => referencesOf(declaration).map(({ name }) => name)));

/** Warns of imports that nothing refers to. */
export function unusedImports(loaded: Loaded, report: Report): void {
  const used = referencedNames(loaded);
  for (const line of loaded.file.imports) {
    if (!loaded.imports.get(line)) continue;
    const unused = line.names.filter(({ name, alias }) => !used.has((alias ?? name).name));
    for (const { name, alias, span } of unused) {
      const here = (alias ?? name).name;
      const alone = unused.length === line.names.length;
      warn(report, "lint/unused-import", span, `\`${here}\` is imported and never used`, {
        help: alone ? "remove the import" : "remove the name",
        fix: alone ? lineRemoval(line.span, "Remove the import") : nameRemoval(line, span, here),
      });
    }
  }
}

/** Cuts one name out of the list, with the comma after it or else before it. */
function nameRemoval(line: Import, span: ImportedName["span"], name: string): ReturnType<typeof lineRemoval> {
  const { text } = span.source;
  const after = /^\s*,\s*/.exec(text.slice(span.end, line.span.end));
  const before = after ? null : /\s*,\s*$/.exec(text.slice(line.span.start, span.start));
  const start = before ? span.start - before[0].length : span.start;
  const end = span.end + (after ? after[0].length : 0);
  return { title: `Remove \`${name}\``, edits: [{ span: { ...span, start, end }, text: "" }] };
}

type Sought = "model" | "recipe";

/** The declaration of a kind that a name stands for; null when there is none, reported. `except` is not suggested. */
export function find<K extends Sought>(
  { name, span }: Identifier,
  kind: K,
  names: Names,
  report: Report,
  except?: Identifier | null,
): Declared<Extract<Declaration, { kind: K }>> | null {
  const found = names.get(name);
  if (found === null) return null;
  if (found && isKind(found, kind)) return found;
  const all = indexOf(names)[kind];
  const own = except && names.get(except.name)?.declaration.kind === kind ? except.name : null;
  // The list is passed over only where it is short: there may be as many unknown names as known ones.
  const valid = own === null || all.length > mostCompared ? all : all.filter((known) => known !== own);
  const known = valid.length === 0 ? `this file knows no ${kind}s` : `known here: ${named(valid)}`;
  const code = kind === "model" ? "check/unknown-model" : "check/unknown-recipe";
  if (found) return ofAnotherKind(found.declaration, { kind, name, known }, { code, span }, report);
  const meant = nearest(name, valid);
  return fail(report, code, span, `there is no ${kind} \`${name}\``, {
    help: meant
      ? `did you mean \`${meant}\`? ${capitalized(known)}`
      : `${known}; declare it, or import it with \`import { ${name} } from "./file.mae"\``,
    fix: meant ? replacement(span, meant) : undefined,
  });
}

const kindNames: Readonly<Record<Declaration["kind"], string>> = {
  model: "a model",
  recipe: "a recipe",
  variants: "a family",
  pipeline: "a pipeline",
};

/** Reports a name that is known as something else: it is not misspelt, so that no other name is put in its place. */
function ofAnotherKind(
  found: Declaration,
  { kind, name, known }: { readonly kind: Sought; readonly name: string; readonly known: string },
  at: { readonly code: "check/unknown-model" | "check/unknown-recipe"; readonly span: Span },
  report: Report,
): null {
  const isFamily = found.kind === "variants" && kind === "model";
  const member = "a member of a family becomes a model by being written out: `mae render` prints it";
  return fail(report, at.code, at.span, `\`${name}\` is ${kindNames[found.kind]}, and here a ${kind} is needed`, {
    help: isFamily ? `${known}; ${member}` : known,
    related: found.name ? [{ span: found.name.span, message: "declared here" }] : [],
  });
}

const isKind = <K extends Sought>(
  declared: Declared,
  kind: K,
): declared is Declared<Extract<Declaration, { kind: K }>> => declared.declaration.kind === kind;
