/** Renaming what a spec gives a name: in every file of the project that uses it, or not at all. */

import {
  type Declaration,
  type File,
  type ModelEntry,
  parse,
  positionAt,
  type Source,
  type Span,
} from "../grammar/index.js";
import { isKeyword } from "./keywords.js";
import { type Name, namesOf, type Role } from "./names.js";
import { known, type Scene, type Surroundings } from "./scene.js";

/** Why something has no new name. */
export interface Refusal {
  readonly ok: false;
  readonly why: string;
}

/** The word that would be renamed. */
export interface Renamable {
  readonly ok: true;
  readonly name: Name;
}

export interface Renaming {
  readonly ok: true;
  /** Every place of the old name, file by file. */
  readonly spans: readonly Span[];
}

const refuse = (why: string): Refusal => ({ ok: false, why });

const whatItIs: Readonly<Record<Exclude<Role, "declaration" | "imported" | "variable" | "stage" | "label">, string>> = {
  slot: "a slot of the language",
  block: "a block",
  parameter: "a parameter of a block",
  option: "an option, or a name that is not known here",
  unit: "a unit",
};

/** The name at an offset, where a spec gives it: of a declaration, a variable, a stage, a label. */
export function renamable(source: Source, offset: number, around: Surroundings): Renamable | Refusal {
  const file = parse(source).file;
  for (const name of namesOf({ ...around, file })) {
    const { start, end } = name.span;
    if (start > offset || offset > end) continue;
    if (!isOf(whatItIs, name.role)) return { ok: true, name };
    return refuse(`\`${name.text}\` is ${whatItIs[name.role]}: only names that specs give can be changed`);
  }
  const word = wordAt(source.text, offset);
  if (isKeyword(word))
    return refuse(`\`${word}\` is a word of the language: only names that specs give can be changed`);
  return refuse("there is no name here that a spec gives");
}

const isOf = <K extends string>(table: Readonly<Record<K, unknown>>, key: string): key is K =>
  Object.hasOwn(table, key);

function wordAt(text: string, offset: number): string {
  const before = /\w*$/.exec(text.slice(0, offset))?.[0] ?? "";
  return before + (/^\w*/.exec(text.slice(offset))?.[0] ?? "");
}

/** What a rename looks through. */
interface Search {
  readonly name: Name;
  readonly newName: string;
  readonly scenes: readonly Scene[];
  readonly here: Scene;
}

/**
 * Every place of the name at an offset.
 * @param specs the specs of the project, the source among them
 */
export function rename(
  source: Source,
  offset: number,
  newName: string,
  specs: readonly Source[],
  around: Surroundings,
): Renaming | Refusal {
  const found = renamable(source, offset, around);
  if (!found.ok) return found;
  const { name } = found;
  if (!/^[A-Za-z_]\w*$/.test(newName)) {
    return refuse(`\`${newName}\` is no name: a name is made of letters, digits and \`_\`, and begins with no digit`);
  }
  if (isKeyword(newName)) return refuse(`\`${newName}\` is a word of the language`);
  if (newName === name.text) return { ok: true, spans: [] };
  const others = specs.filter((spec) => spec.path !== source.path && spec.text.includes(name.text));
  const parsed = [source, ...others].map(parse);
  const broken = parsed.flatMap(({ diagnostics }) => diagnostics.find(({ severity }) => severity === "error") ?? [])[0];
  if (broken)
    return refuse(`${placeText(broken.span)} cannot be read, so that a name there could be missed: mend it first`);
  const scenes = parsed.map(({ file }) => ({ ...around, file }));
  const search: Search = { name, newName, scenes, here: scenes[0] as Scene };
  if (name.role === "variable" || name.role === "stage") return inOnePlace(search);
  return name.role === "label" ? ofLabel(search) : ofDeclaration(search);
}

const placeText = ({ source, start }: Span): string => `${source.path}:${positionAt(source, start).line}`;

/** Variables and stages are known in their declaration alone. */
function inOnePlace({ name, newName, here }: Search): Renaming | Refusal {
  const { given } = name;
  if (!given) return refuse(`\`${name.text}\` is given nowhere in this file`);
  const home = here.file.declarations.find(({ span }) => span.start <= given.start && given.end <= span.end);
  const names = [...namesOf(here)].filter(
    ({ span }) => home && home.span.start <= span.start && span.end <= home.span.end,
  );
  // A word that stands for itself today, an option for example, would stand for the variable then.
  const taken = names.find(({ text, role }) => text === newName && role !== "parameter" && role !== "slot");
  if (taken) return refuse(`\`${newName}\` is used in \`${home?.name?.name ?? "this declaration"}\` already`);
  const same = names.filter((one) => one.given?.start === given.start && one.role === name.role);
  return { ok: true, spans: same.map(({ span }) => span) };
}

/** A declaration, and where the file that declares it stands. */
interface Target {
  readonly path: string;
  readonly text: string;
}

function ofDeclaration(search: Search): Renaming | Refusal {
  const { name, here, scenes, newName } = search;
  const isAlias = here.file.imports.some(({ names }) => names.some(({ alias }) => alias?.name === name.text));
  if (isAlias && name.role === "declaration") return inFile(here, name.text, newName);
  const target = targetOf(name, here);
  if (!target) return refuse(`\`${name.text}\` is imported from where it cannot be found`);
  const spans: Span[] = [];
  for (const scene of scenes) {
    const imported = importsOf(target, scene);
    spans.push(...imported.map((one) => one.name.span));
    const isKnown = scene.file.source.path === target.path || imported.some(({ alias }) => alias === null);
    const inside = isKnown ? inFile(scene, target.text, newName) : null;
    if (inside && !inside.ok) return inside;
    spans.push(...(inside?.spans ?? []));
  }
  return { ok: true, spans };
}

/** What a name stands for that a file declares, or imports under its own name. */
function targetOf({ role, text, of }: Name, { file, imported }: Scene): Target | null {
  const declares = (home: File | null) => home?.declarations.some((one) => one.name?.name === text) ?? false;
  const homeOf = (path: string | null): Target | null => {
    const home = path === null ? null : imported(file.source, path);
    return home && declares(home) ? { path: home.source.path, text } : null;
  };
  if (role === "imported") return homeOf(of);
  if (declares(file)) return { path: file.source.path, text };
  const line = file.imports.find(({ names }) => names.some(({ name }) => name.name === text));
  return homeOf(line?.from?.value ?? null);
}

/** Where a file imports it. */
const importsOf = ({ path, text }: Target, { file, imported }: Scene) =>
  file.imports.flatMap(({ names, from }) => {
    const found = names.filter(({ name }) => name.name === text);
    return found.length > 0 && from && imported(file.source, from.value)?.source.path === path ? found : [];
  });

/** Every use of a name that the file declares, imports, or gives to what it imports. */
function inFile(scene: Scene, text: string, newName: string): Renaming | Refusal {
  const names = [...namesOf(scene)].filter(({ role }) => role === "declaration" || role === "imported");
  const inImports = new Set(
    scene.file.imports.flatMap((line) => line.names.flatMap(({ name, alias }) => (alias ? name.span : []))),
  );
  const known = names.filter(({ span }) => !inImports.has(span));
  if (known.some((one) => one.text === newName)) {
    return refuse(`\`${scene.file.source.path}\` knows something named \`${newName}\` already`);
  }
  return {
    ok: true,
    spans: known.filter((one) => one.text === text && one.role === "declaration").map(({ span }) => span),
  };
}

/** A label is known in the model that gives it and in all that extend that. */
function ofLabel({ name, newName, here, scenes }: Search): Renaming | Refusal {
  const origin = chainOf(name.of, here).findLast(({ declaration }) => labelsIn(declaration).includes(name.text));
  if (!origin) return refuse(`no model gives the label \`${name.text}\``);
  const key = keyOf(origin);
  const spans: Span[] = [];
  for (const scene of scenes) {
    const families = new Map<string | null, boolean>();
    const isOfIt = (model: string | null): boolean => {
      const before = families.get(model);
      if (before !== undefined) return before;
      const is = chainOf(model, scene).some((link) => keyOf(link) === key);
      families.set(model, is);
      return is;
    };
    const labels = [...namesOf(scene)].filter(({ role, of }) => role === "label" && isOfIt(of));
    const taken = labels.find(({ text }) => text === newName);
    if (taken) return refuse(`\`${taken.of}\` has a label \`${newName}\` already`);
    spans.push(...labels.filter(({ text }) => text === name.text).map(({ span }) => span));
  }
  return { ok: true, spans };
}

interface Link {
  readonly declaration: Declaration;
  readonly home: File;
}

const keyOf = ({ declaration, home }: Link): string => `${home.source.path} ${declaration.name?.name}`;

/** A model and what it extends, from itself upwards. */
function chainOf(name: string | null, { file, ...around }: Scene): readonly Link[] {
  const links: Link[] = [];
  let at: { readonly name: string | null; readonly file: File } = { name, file };
  while (at.name !== null) {
    const found = known(at.name, at.file, around);
    if (!found?.declaration) return links;
    const { declaration, home } = found;
    const link = { declaration, home };
    if (links.some((before) => keyOf(before) === keyOf(link))) return links;
    links.push(link);
    at = { name: declaration.kind === "model" ? (declaration.base?.name ?? null) : null, file: home };
  }
  return links;
}

function labelsIn(declaration: Declaration): readonly string[] {
  const ofEntries = (entries: readonly ModelEntry[]): readonly string[] =>
    entries.flatMap((entry) =>
      entry.kind === "slot" ? [...(entry.label ? [entry.label.name] : []), ...ofEntries(entry.entries ?? [])] : [],
    );
  return declaration.kind === "model" ? ofEntries(declaration.entries) : [];
}
