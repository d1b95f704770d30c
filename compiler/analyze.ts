/**
 * From a text to checked models and recipes, and everything that is wrong with it, in one run. This file says in which
 * order; how each thing is judged stands in `check/`. Never throws for any text.
 */

import type { Registry } from "../blocks/index.js";
import {
  type Diagnostic,
  type File,
  keep,
  mostFindings,
  type RecipeDeclaration,
  type Source,
  type Span,
} from "../grammar/index.js";
import { type Host, type Loaded, loadFiles } from "./check/files.js";
import { withIgnores } from "./check/ignores.js";
import { type Declared, find, referencedNames, unusedImports } from "./check/names.js";
import { checkPipeline } from "./check/pipelines.js";
import {
  checkingOf,
  isDeclared,
  modelKey,
  modelOf,
  namesIn,
  openProject,
  type Project,
  recipeOf,
} from "./check/project.js";
import { fail, inOrder, type Report, replacement, warn } from "./check/report.js";
import { startedRecipe } from "./check/starts.js";
import { checkVariants } from "./check/variants.js";
import type { Family, Model, Recipe } from "./model.js";
import type { Pipeline } from "./pipeline.js";
import { edition } from "./slots.js";

export type { Host } from "./check/files.js";

export interface Analysis {
  readonly file: File;
  /** Models without an error: those of the file, and those it refers to elsewhere, under the names it knows them by. */
  readonly models: ReadonlyMap<string, Model>;
  /** Recipes without an error, whose model has none either. */
  readonly recipes: ReadonlyMap<string, Recipe>;
  /** Families of the file without an error, in the order of the text. */
  readonly families: ReadonlyMap<string, Family>;
  /** Pipelines of the file without an error, in the order of the text. */
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  /** Of the file and of what it imports, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Checks a text.
 * @param source the text; its path is where relative imports start
 * @param host reads imported files, which lie below its root
 * @param registry the blocks there are
 */
export function analyze(source: Source, host: Host, registry: Registry): Analysis {
  const started = start(source, host, registry);
  const { main, found, project, sets } = started;
  for (const declaration of main.file.declarations) {
    if (found.length >= mostFindings) {
      const diagnostics = [...inOrder(found, started.order), tooMany(declaration.name?.span ?? declaration.span)];
      return { file: main.file, models: new Map(), recipes: new Map(), ...sets, diagnostics };
    }
    checkDeclaration({ declaration, home: main }, project, sets);
  }
  const { models, recipes } = collect(project);
  return { file: main.file, models, recipes, ...sets, diagnostics: finish(started) };
}

/** A text whose declarations are not checked yet. */
export interface Started {
  readonly main: Loaded;
  /** The main file first. */
  readonly files: readonly Loaded[];
  readonly order: readonly string[];
  readonly project: Project;
  readonly sets: Sets;
  /** Of the form of the texts; gets those of the declarations. */
  readonly found: Diagnostic[];
}

/** Reads a text and what it imports. */
export function start(source: Source, host: Host, registry: Registry): Started {
  const found: Diagnostic[] = [];
  const report: Report = (diagnostic) => keep(found, diagnostic);
  const files = loadFiles(source, host, report);
  const [main] = files as readonly [Loaded, ...Loaded[]];
  for (const { syntax } of files) for (const diagnostic of syntax) report(diagnostic);
  for (const { file } of files) checkEdition(file, file === main.file, report);
  const modelIn = (text: string, name: string): Model | null =>
    analyze({ path: "spec.mae", text }, { readText: () => null }, registry).models.get(name) ?? null;
  const project = openProject(main, { host, registry, report, modelIn });
  const order = files.map((file) => file.source.path);
  return { main, files, order, project, found, sets: { families: new Map(), pipelines: new Map() } };
}

/** All findings in their order, when the declarations are checked. */
export function finish({ main, found, order, project }: Started): readonly Diagnostic[] {
  if (!main.syntax.some(({ severity }) => severity === "error")) unusedImports(main, project.report);
  return inOrder(withIgnores(main.source, inOrder(found, order)), order);
}

/** Said where checking stops: a text with so many mistakes is no spec, and each more costs time and memory. */
const tooMany = (span: Span): Diagnostic => ({
  code: "file/too-many-findings",
  severity: "error",
  span,
  message: `checking stops here, after ${mostFindings} findings`,
  help: "mend what is reported first, or look whether this is a spec at all",
});

function checkEdition({ edition: written, source }: File, isMain: boolean, report: Report): void {
  const start = source.text.startsWith("\uFEFF") ? 1 : 0;
  const top: Span = { source, start, end: start };
  if (!written && isMain) {
    warn(report, "check/missing-edition", top, "the file does not say which edition of the language it is written in", {
      help: `begin the file with \`edition ${edition}\``,
      fix: replacement(top, `edition ${edition}\n\n`, `Add \`edition ${edition}\``),
    });
  }
  if (!written || written.year === edition) return;
  fail(report, "check/unknown-edition", written.span, `there is no edition ${written.year}`, {
    help:
      written.year > edition
        ? `this version knows edition ${edition}; a newer version may know ${written.year}`
        : `write \`edition ${edition}\``,
    fix: replacement(written.span, `edition ${edition}`),
  });
}

/** What is made of models and recipes, by name. */
interface Sets {
  readonly families: Map<string, Family>;
  readonly pipelines: Map<string, Pipeline>;
}

export function checkDeclaration(declared: Declared, project: Project, { families, pipelines }: Sets): void {
  const { declaration, home } = declared;
  const names = namesIn(project, home);
  const checking = checkingOf(project, declared);
  if (isDeclared(declared, "model")) modelOf(declared, project);
  else if (isDeclared(declared, "recipe")) startOfRecipe(declared, project);
  else if (isDeclared(declared, "pipeline")) {
    const pipeline = checkPipeline(declared, project, checking);
    if (pipeline && !pipelines.has(pipeline.name)) pipelines.set(pipeline.name, pipeline);
  } else if (declaration.kind === "variants") {
    const subject = declaration.subject && find(declaration.subject, "model", names, checking.report);
    const base = subject && { name: modelKey(subject, project), checked: modelOf(subject, project) };
    const family = checkVariants(declaration, base, project.room, checking);
    if (family && !families.has(family.name)) families.set(family.name, family);
  }
}

/** A recipe with what the weights of its model start from; null: it is not sound. */
function startOfRecipe(declared: Declared<RecipeDeclaration>, project: Project): Recipe | null {
  const { recipe, subject } = recipeOf(declared, project);
  const model = subject?.checked.model;
  return recipe && model ? startedRecipe(recipe, model, project, checkingOf(project, declared).report) : null;
}

/** Sound models and recipes, by the names that the main file knows them by. */
function collect(project: Project): Pick<Analysis, "models" | "recipes"> {
  const models = new Map<string, Model>();
  const recipes = new Map<string, Recipe>();
  const names = namesIn(project, project.main);
  const used = referencedNames(project.main);
  for (const [name, declared] of names) {
    if (!declared || (declared.home !== project.main && !used.has(name))) continue;
    if (isDeclared(declared, "model")) put(models, name, modelOf(declared, project).model);
    if (isDeclared(declared, "recipe")) put(recipes, name, startOfRecipe(declared, project));
  }
  const homes = new Map(
    [...project.names.keys()].flatMap((home) => home.file.declarations.map((declaration) => [declaration, home])),
  );
  const subjects = new Set([...recipes.values()].map((recipe) => recipe.model));
  for (const [declaration, { model }] of project.models) {
    const home = homes.get(declaration);
    const key = home && modelKey({ declaration, home }, project);
    if (key !== undefined && subjects.has(key) && !models.has(key)) put(models, key, model);
  }
  return { models, recipes };
}

function put<V>(table: Map<string, V>, name: string, value: V | null): void {
  if (value !== null) table.set(name, value);
}
