/** Which model and recipe of a file a command is about; a file with findings gets no further than here. */

import type { Analysis, Family, Model, Recipe, Variant } from "../../compiler/index.js";
import { type Declaration, type Diagnostic, isWithin } from "../../grammar/index.js";
import { type Vocabulary, vocabularyOf } from "../config/index.js";
import { arrange, describe } from "../report/index.js";
import { streams } from "../session.js";
import { exitCode, Failure, runFailure, usageFailure } from "../words/failure.js";
import { didYouMean } from "../words/nearest.js";
import { count, stderrColors, tell } from "../words/terminal.js";
import { printedPath, readSpec, specPath } from "./files.js";
import { analyzeWithWeights } from "./weights-here.js";

/** A sound file, and the blocks that it can use. */
export interface Spec extends Analysis {
  readonly vocabulary: Vocabulary;
}

/**
 * The models and recipes of a sound file in a sound project. Findings go to stderr.
 * @param config the configuration that the command line names; if absent, the nearest above the file
 *
 * Throws a `Failure` when the file cannot be read, or when it or its project has errors.
 */
export const openSpec = (path: string, config?: string | undefined): Promise<Spec> => open(path, config, "all");

/** The same for a command about models alone: errors in recipes and pipelines of the file are told and do not stop it. */
export const openModels = (path: string, config?: string | undefined): Promise<Spec> => open(path, config, "models");

/**
 * The same for a command about what is called `name`: errors in other recipes and pipelines do not stop it, where it is a sound recipe, or a
 * model, whose own recipes count.
 */
export const openNamed = (path: string, config: string | undefined, name: string | undefined): Promise<Spec> =>
  open(path, config, name === undefined ? "all" : { name });

type About = "all" | "models" | { readonly name: string };

async function open(path: string, config: string | undefined, about: About): Promise<Spec> {
  const reading = readSpec(path);
  if (!reading.ok) {
    const { code, message, help } = reading.problem;
    const exit = code === "file/missing" || code === "file/not-a-file" ? exitCode.usage : exitCode.findings;
    throw new Failure(message.startsWith("the file") ? `${printedPath(path)}: ${message}` : message, { help }, exit);
  }
  const vocabulary = await vocabularyOf(path, config);
  refuseErrors(vocabulary.project?.config ?? "", vocabulary.findings);
  const analysis = await analyzeWithWeights({ path: specPath(path), text: reading.text }, vocabulary);
  const aside = declarationsAside(analysis, about);
  refuseErrors(path, analysis.diagnostics, (finding) => !aside.some(({ span }) => isWithin(finding.span, span)));
  return { ...analysis, vocabulary };
}

/** Recipes and pipelines that a command is not about; no model depends on any. */
function declarationsAside({ file, models, recipes }: Analysis, about: About): readonly Declaration[] {
  if (about === "all") return [];
  const others = file.declarations.filter(({ kind }) => kind === "recipe" || kind === "pipeline");
  if (about === "models") return others;
  const { name } = about;
  if (!models.has(name) && !recipes.has(name)) return [];
  return others.filter((one) => one.name?.name !== name && !(one.kind === "recipe" && one.subject?.name === name));
}

/** Tells errors of a file; throws a `Failure` where errors that count are among them. */
export function refuseErrors(
  path: string,
  diagnostics: readonly Diagnostic[],
  counts: (finding: Diagnostic) => boolean = () => true,
): void {
  const medium = { colors: stderrColors(), width: streams().stderr.columns ?? 120 };
  // Advice is for `mae check`, which is asked for it.
  const found = arrange(diagnostics).filter(({ severity }) => severity === "error");
  for (const error of found) tell(`${describe(error, medium)}\n`);
  const errors = found.filter(counts).length;
  if (errors > 0) throw runFailure(`${printedPath(path)} has ${count(errors, "error")}`);
}

/** What a command works on. */
export interface Chosen {
  readonly model: Model;
  /** null: the model has none in this file, or several and none was named. */
  readonly recipe: Recipe | null;
}

export type WithRecipe = Chosen & { readonly recipe: Recipe };

/** Models that the file itself declares, in the order of the text. */
export const ownModels = ({ file, models }: Analysis): readonly Model[] =>
  [...models.values()].filter((model) => model.span.source === file.source);

/** Recipes that the file itself declares, in the order of the text; of several beside each other, the one that names the others. */
export function ownRecipes({ file, recipes }: Analysis): readonly Recipe[] {
  const own = [...recipes.values()].filter((recipe) => recipe.span.source === file.source);
  const beside = new Set(own.flatMap((recipe) => recipe.beside ?? []).map(({ recipe }) => recipe.name));
  return own.filter(({ name }) => !beside.has(name));
}

/** The families that a command is about: the one called `name`, or all of the file. */
export function chooseFamilies({ families }: Analysis, name: string | undefined): readonly Family[] {
  if (name === undefined) {
    if (families.size === 0)
      throw runFailure("the file declares no family", { help: "write one: variants Name of Model { ... }" });
    return [...families.values()];
  }
  const family = families.get(name);
  if (family) return [family];
  throw noFamily(name, [...families.keys()]);
}

const noFamily = (name: string, known: readonly string[]) =>
  usageFailure(`the file has no family called "${name}"`, {
    help:
      known.length === 0
        ? "it declares none: `variants Name of Model { ... }` would be one"
        : (didYouMean(name, known) ?? `it has ${known.join(", ")}`),
  });

/** The member that a dotted name stands for. */
export function memberNamed(
  { families }: Analysis,
  name: string,
): { readonly family: Family; readonly variant: Variant } {
  const [first = ""] = name.split(".");
  const family = families.get(first);
  if (!family) throw noFamily(first, [...families.keys()]);
  const variant = family.members.find((member) => member.name === name);
  if (variant) return { family, variant };
  const names = family.members.map((member) => member.name);
  throw usageFailure(`${first} has no member "${name}"`, {
    help: didYouMean(name, names) ?? `mae variants lists its ${count(names.length, "member")}`,
  });
}

/** The model, member or recipe called `name`; without a name, the only one there is. */
export function choose(analysis: Analysis, name: string | undefined): Chosen {
  if (name === undefined) return chooseOnly(analysis);
  if (name.includes(".")) {
    const { family, variant } = memberNamed(analysis, name);
    const recipes = recipesFor(analysis, family.base);
    return { model: variant.model, recipe: recipes.length === 1 ? (recipes[0] ?? null) : null };
  }
  const family = analysis.families.get(name);
  if (family) {
    throw usageFailure(`${name} is a family of ${count(family.members.length, "member")}`, {
      help: `name one of them, such as ${family.members[0]?.name}; mae variants lists them`,
    });
  }
  const pipeline = analysis.pipelines.get(name);
  if (pipeline) {
    throw usageFailure(`${name} is a pipeline of ${count(pipeline.stages.length, "stage")}`, {
      help: `name a model or recipe; mae plan, mae render and mae train take ${name} itself`,
    });
  }
  const recipe = analysis.recipes.get(name);
  if (recipe) return withModel(analysis, recipe);
  const model = analysis.models.get(name);
  if (!model) throw unknownName(name, [...analysis.models.keys(), ...analysis.recipes.keys()]);
  const own = recipesFor(analysis, name);
  return { model, recipe: own.length === 1 ? (own[0] ?? null) : null };
}

function chooseOnly(analysis: Analysis): Chosen {
  const [models, recipes] = [ownModels(analysis), ownRecipes(analysis)];
  const [recipe, otherRecipe] = recipes;
  const [model, otherModel] = models;
  if (recipe && !otherRecipe) return withModel(analysis, recipe);
  if (model && !otherModel) return { model, recipe: null };
  if (!model && !recipe) throw runFailure("the file declares no model", { help: "write one: model Name { ... }" });
  const named = [...models, ...recipes, ...analysis.pipelines.values()];
  throw several(recipe && !model ? "recipes" : "models", named);
}

/** The recipe called `name`, or the only recipe of the model called so; without a name, the only one there is. */
export function chooseRecipe(analysis: Analysis, name: string | undefined): WithRecipe {
  const recipes = ownRecipes(analysis);
  const [only, other] = recipes;
  if (name === undefined) {
    if (!only) throw noRecipe(null);
    if (other) throw several("recipes", [...recipes, ...analysis.pipelines.values()]);
    return withModel(analysis, only);
  }
  const { model, recipe } = choose(analysis, name);
  if (recipe) return { model, recipe };
  const fitting = recipesFor(analysis, name);
  throw fitting.length > 1 ? several("recipes", fitting) : noRecipe(name);
}

const recipesFor = (analysis: Analysis, model: string): readonly Recipe[] =>
  [...analysis.recipes.values()].filter((recipe) => recipe.model === model);

function withModel({ models }: Analysis, recipe: Recipe): WithRecipe {
  const model = models.get(recipe.model);
  if (!model) throw new Error(`invariant: the recipe ${recipe.name} of a sound file has no model`);
  return { model, recipe };
}

const noRecipe = (model: string | null) =>
  runFailure(`the file declares no recipe${model === null ? "" : ` for ${model}`}`, {
    reason: "A recipe says on what data and how a model is trained.",
    help: `write one: recipe Name for ${model ?? "Model"} { ... }`,
  });

const several = (what: string, named: readonly { readonly name: string }[]) =>
  usageFailure(`the file has several ${what}`, { help: `name one: ${named.map((one) => one.name).join(", ")}` });

function unknownName(name: string, known: readonly string[]) {
  const near = didYouMean(name, known);
  return usageFailure(`the file has no model or recipe called "${name}"`, {
    help: near ?? `it has ${known.join(", ")}`,
  });
}
