/**
 * A checked model back to text, with nothing left to look up: inheritance flattened, every default written out. Analysed
 * again it gives an equal model. With origins, each value says where it comes from.
 */

import type { OfInput } from "../blocks/index.js";
import { format, positionAt } from "../grammar/index.js";
import { distinct } from "./assemble/names.js";
import { settings } from "./check/lines.js";
import { argumentTexts, blockText, valueText } from "./check/show.js";
import type { Filled, Model, Origin, Recipe, Setting, Use } from "./model.js";
import type { Pipeline, Stage } from "./pipeline.js";
import { edition } from "./slots.js";

export interface RenderOptions {
  /** Whether values are followed by a comment: file, line, and how they came there. */
  readonly origin: boolean;
}

/** A piece of text, and where it comes from. */
interface Line {
  readonly text: string;
  readonly origin: Origin | null;
}

/**
 * Prints a model, and a recipe for it with those that stand beside it and their models.
 * @returns text of the current edition, in the one format
 */
export function render(model: Model, recipe: Recipe | null, options: RenderOptions): string {
  const beside = recipe?.beside ?? [];
  const names = namesApart([model, ...beside.map((one) => one.model)]);
  const nameOf = (one: Model): string => names.get(one) ?? one.name;
  const declarations = [
    ...[...names].map(([one, name]) => modelLines({ ...one, name }, options)),
    ...beside.map((one) => recipeLines({ ...one.recipe, model: nameOf(one.model) }, options)),
    ...(recipe ? [recipeLines({ ...recipe, model: nameOf(model) }, options)] : []),
  ];
  return textOf(declarations, model.name, options);
}

/** Names of models, each once, under which they can stand in one file. */
function namesApart(models: readonly Model[]): ReadonlyMap<Model, string> {
  const names = new Map<Model, string>();
  for (const model of models) {
    const taken = new Set([...names.values()]);
    if (!names.has(model))
      names.set(
        model,
        distinct(model.name, (name) => taken.has(name)),
      );
  }
  return names;
}

/**
 * Prints a pipeline and the models and recipes of its stages, under the names that its file has for them.
 * @returns text of the current edition, in the one format
 */
export function renderPipeline(pipeline: Pipeline, options: RenderOptions): string {
  const { stages } = pipeline;
  const models = new Map(stages.map(({ modelName, model }) => [modelName, { ...model, name: modelName }]));
  const recipes = new Map<string, Recipe>();
  for (const { recipeName, recipe, modelName } of stages) {
    if (!recipes.has(recipeName)) recipes.set(recipeName, { ...recipe, name: recipeName, model: modelName });
  }
  const declarations = [
    ...[...models.values()].map((model) => modelLines(model, options)),
    ...[...recipes.values()].map((recipe) => recipeLines(recipe, options)),
    pipelineLines(pipeline, options),
  ];
  return textOf(declarations, pipeline.name, options);
}

function textOf(declarations: readonly (readonly Line[])[], name: string, options: RenderOptions): string {
  const lines = declarations.flatMap((declaration) => [plain(""), ...declaration]);
  const text = [`edition ${edition}`, ...lines.map((line) => lineText(line, options))].join("\n");
  return format({ path: `${name}.mae`, text }).text;
}

const lineText = ({ text, origin }: Line, options: RenderOptions): string =>
  options.origin && origin ? `${text} // ${originText(origin)}` : text;

function originText({ how, span }: Origin): string {
  return `${span.source.path}:${positionAt(span.source, span.start).line} ${how}`;
}

const plain = (text: string): Line => ({ text, origin: null });

const docLines = (doc: string): readonly Line[] =>
  doc === "" ? [] : doc.split("\n").map((line) => plain(line === "" ? "///" : `/// ${line}`));

const modelLines = (model: Model, options: RenderOptions): readonly Line[] => [
  ...docLines(model.doc),
  plain(`model ${model.name} {`),
  ...model.slots.flatMap((line) => filledLines(line, options)),
  plain("}"),
];

function filledLines({ slot, label, use, inner }: Filled, options: RenderOptions): readonly Line[] {
  const block = prefixed(label === null ? slot : `${slot} ${label}:`, useLines(use, options));
  if (inner.length === 0) return block;
  return [...suffixed(block, " {"), ...inner.flatMap((line) => filledLines(line, options)), plain("}")];
}

const prefixed = (text: string, [first, ...rest]: readonly Line[]): readonly Line[] =>
  first ? [{ ...first, text: `${text} ${first.text}` }, ...rest] : [];

const suffixed = (lines: readonly Line[], text: string): readonly Line[] => {
  const last = lines.at(-1);
  return last ? [...lines.slice(0, -1), { ...last, text: last.text + text }] : [];
};

/** A block with all its values: on one line, or one value a line where they do not all come from where the block does. */
function useLines({ definition, values, origins, origin }: Use, options: RenderOptions): readonly Line[] {
  const written = argumentTexts(definition.params, values);
  const whole = blockText(definition, values);
  if (written.length === 0) return [{ text: whole, origin }];
  if (!options.origin) return [plain(whole)];
  const lines = written.map(({ name, text }): Line => ({ text: `${text},`, origin: origins[name] ?? null }));
  const alike = lines.filter((line) => line.origin && originText(line.origin) === originText(origin));
  if (alike.length === lines.length) return [{ text: whole, origin }];
  return [plain(`${definition.name}(`), ...lines, { text: ")", origin: alike.length > 0 ? null : origin }];
}

function recipeLines(recipe: Recipe, options: RenderOptions): readonly Line[] {
  const block = (slot: string, use: OfInput<Use>): readonly Line[] =>
    prefixed(use.input === undefined ? slot : `${slot} ${use.input}:`, useLines(use, options));
  return [
    ...docLines(recipe.doc),
    plain(`recipe ${recipe.name} for ${recipe.model} {`),
    ...recipe.data.flatMap((use) => block("data", use)),
    ...recipe.augment.flatMap((use) => block("augment", use)),
    ...block("optimizer", recipe.optimizer),
    ...block("schedule", recipe.schedule),
    ...Object.entries(recipe.settings).flatMap(([name, setting]) => settingLine(name, setting)),
    ...recipe.evaluate.flatMap(({ use, every }) =>
      suffixed(block("evaluate", use), every ? ` every ${every.amount} ${every.unit}` : ""),
    ),
    plain("}"),
  ];
}

/** Nothing for a setting that is not set and has no default. */
function settingLine(name: string, { value, origin }: Setting): readonly Line[] {
  const type = settings[name]?.type;
  return type && value !== null ? [{ text: `${name} ${valueText(type, value)}`, origin }] : [];
}

const pipelineLines = ({ name, doc, stages }: Pipeline, options: RenderOptions): readonly Line[] => [
  ...docLines(doc),
  plain(`pipeline ${name} {`),
  ...stages.map((stage) => plain(stageText(stage))),
  ...stages.flatMap((stage) =>
    stage.evaluate.flatMap((use) => prefixed(`evaluate ${stage.name}:`, useLines(use, options))),
  ),
  plain("}"),
];

function stageText({ name, recipeName, modelName, from, fresh }: Stage): string {
  const paths = from.map(({ stage, part }) => (part === null ? stage : `${stage}.${part}`));
  const sources = paths.length === 0 ? "" : ` from ${paths.join(", ")}`;
  const scratch = fresh === null ? "" : ` fresh ${fresh.join(", ")}`;
  return `stage ${name} = ${recipeName} of ${modelName}${sources}${scratch}`.trimEnd();
}
