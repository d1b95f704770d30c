/** Recipes that stand beside another: whether they train weights of its model, with the same optimizer and for the same length. */

import { isFixedTable, recipeSettings } from "../../blocks/index.js";
import { type Identifier, isWithin, type Span } from "../../grammar/index.js";
import { type OwnedWeight, ownedWeights } from "../assemble/owners.js";
import { keyMap } from "../key-map.js";
import type { Model, Recipe, RecipeBeside, Use } from "../model.js";
import { find } from "./names.js";
import { namesIn, type Project, recipeOf } from "./project.js";
import { fail, type Report } from "./report.js";
import { blockText, valueText } from "./show.js";

/** What each of several recipes may say by itself; what else a recipe says, the one that it stands beside says for both. */
const own = new Set(["batch", "repeat", "beside", "mix"]);

/** A recipe with those that stand beside it; null after a report. */
export function besideRecipe(recipe: Recipe, model: Model, project: Project, report: Report): Recipe | null {
  const { beside: line, mix } = recipe.settings;
  const names = (line?.value ?? []) as readonly string[];
  if (names.length === 0) {
    if (mix?.value == null) return recipe;
    return fail(report, "check/unfit-beside", mix.origin.span, "`mix` stands in a recipe that has none beside it", {
      help: "name the recipes whose steps take turns with its own, such as `beside Images`, or remove the line",
    });
  }
  const span = line?.origin.span as Span;
  const found = names.map((name) => namedBeside({ name, span }, recipe, model, project, report));
  const beside = found.filter((one) => one !== null);
  return beside.length < names.length ? null : { ...recipe, beside };
}

/** null after a report, here or where the recipe itself is checked. */
function namedBeside(
  { name, span }: Pick<Identifier, "name" | "span">,
  recipe: Recipe,
  model: Model,
  project: Project,
  report: Report,
): RecipeBeside | null {
  const home = [...project.names.keys()].find(({ source }) => source === span.source) ?? project.main;
  const declared = find({ kind: "identifier", name, span }, "recipe", namesIn(project, home), report);
  if (!declared) return null;
  if (isWithin(recipe.span, declared.declaration.span)) {
    return unfit(`\`${name}\` stands beside itself`, "name another recipe");
  }
  const { recipe: other, subject } = recipeOf(declared, project);
  const its = subject?.checked.model;
  if (!other || !its) return null;
  function unfit(message: string, help: string): null {
    return fail(report, "check/unfit-beside", span, message, { help });
  }
  if (other.settings.beside?.value != null) {
    return unfit(`\`${name}\` has recipes beside it itself`, "name all of them in one of the two");
  }
  const difference = otherwise(recipe, other);
  if (difference !== null) {
    return unfit(
      `\`${name}\` and \`${recipe.name}\` do not say the same of \`${difference}\``,
      `let \`${recipe.name}\` extend \`${name}\`, and change data, augmentations, \`batch\` and \`repeat\` alone`,
    );
  }
  const weights = sharedWeights(its, model);
  if (typeof weights !== "string") return { recipe: other, model: its, weights };
  return unfit(
    `\`${weights}\` of \`${its.name}\` is no weight of \`${model.name}\`, of the same part and shape`,
    `let one of the two models extend the other; what \`${name}\` trains has to be a part of what \`${recipe.name}\` trains`,
  );
}

/** What two recipes say otherwise that is said once for both; null: nothing. */
function otherwise(recipe: Recipe, other: Recipe): string | null {
  const blockOf = ({ definition, values }: Use): string => blockText(definition, values);
  if (blockOf(recipe.optimizer) !== blockOf(other.optimizer)) return "optimizer";
  if (blockOf(recipe.schedule) !== blockOf(other.schedule)) return "schedule";
  const probes = ({ evaluate }: Recipe): string =>
    JSON.stringify(evaluate.map(({ use, every }) => [blockOf(use), every]));
  if (other.evaluate.length > 0 && probes(recipe) !== probes(other)) return "evaluate";
  const textOf = ({ settings }: Recipe, name: keyof typeof recipeSettings): string =>
    valueText(recipeSettings[name].type, settings[name]?.value ?? null);
  const names = Object.keys(recipeSettings) as (keyof typeof recipeSettings)[];
  return names.find((name) => !own.has(name) && textOf(recipe, name) !== textOf(other, name)) ?? null;
}

/** The name that each weight of a model has in another; the name of one that is none of the other's. */
function sharedWeights(model: Model, other: Model): Readonly<Record<string, string>> | string {
  const theirs = ownedWeights(other);
  const { mappings } = keyMap(labelledAs(ownedWeights(model), model, theirs), [
    { stage: other.name, part: null, weights: theirs },
  ]);
  const names: Record<string, string> = {};
  const fixed = new Set(ownedWeights(model).flatMap((weight) => (isFixedTable(weight) ? [weight.name] : [])));
  for (const mapping of mappings) {
    if (mapping.status === "dropped") continue;
    if (mapping.status === "kept" || mapping.status === "renamed") names[mapping.name] = mapping.from.name;
    // A table that follows from the model alone is computed for each.
    else if (mapping.status !== "computed" || !fixed.has(mapping.name)) return mapping.name;
  }
  return names;
}

/** The weights of a model of one input, which bear no label, as those of that input among several. */
function labelledAs(
  weights: readonly OwnedWeight[],
  { slots }: Model,
  others: readonly OwnedWeight[],
): readonly OwnedWeight[] {
  const inputs = slots.filter(({ slot }) => slot === "input");
  const label = inputs.length === 1 ? (inputs[0]?.label ?? null) : null;
  if (label === null) return weights;
  const has = ({ role, local }: OwnedWeight, wanted: string | null): boolean =>
    others.some((other) => other.role === role && other.local === local && other.label === wanted);
  return weights.map((weight) =>
    weight.label === null && !has(weight, null) && has(weight, label) ? { ...weight, label } : weight,
  );
}
