/** `mae plan`: what a model and its training cost, before anything runs. */

import { type Pipeline, type Plan, plan as planOf, type Stage } from "../../compiler/index.js";
import { recipeOfStage } from "../runs/stages.js";
import { startOf } from "../runs/weights-from.js";
import { choose, openNamed } from "../specs/choose.js";
import { keyMapLines, mappingDocument, startText } from "../words/key-map.js";
import { count, print, printJson, stdoutColors } from "../words/terminal.js";
import { assumptionsOf, optionsOfEach, type PlanOfOne, type PlanOptions } from "./plan-assumptions.js";
import { notesOf, planDocument, planTable, startDocument, startRows } from "./plan-table.js";

export async function plan(file: string, name: string | undefined, options: PlanOptions): Promise<void> {
  const analysis = await openNamed(file, options.config, name);
  const pipeline = name === undefined ? undefined : analysis.pipelines.get(name);
  if (pipeline) {
    await planStages(pipeline, options);
    return;
  }
  const { model, recipe } = choose(analysis, name);
  const { graph } = options;
  if (graph !== undefined) {
    await (await import("./plan-graph.js")).planGraph(model, recipe, { ...options, graph });
    return;
  }
  const start = recipe && (await startOf(model, recipe, analysis.vocabulary));
  if (recipe?.beside) {
    await (await import("./plan-beside.js")).planBeside({ model, recipe, start }, options);
    return;
  }
  const [own] = optionsOfEach(1, options);
  const plan = planOf(model, await assumptionsOf(model, recipe, own));
  if (options.json) printJson({ format_version: "1.0", ...planDocument(plan), ...startDocument(start) });
  else print(`${[...planTable(plan, notesOf(model, plan), stdoutColors()), ...startRows(start)].join("\n")}\n`);
}

/** Each stage as a plan of its own, and what its weights start with. */
async function planStages({ name, stages }: Pipeline, options: PlanOptions): Promise<void> {
  const plans: { readonly stage: Stage; readonly plan: Plan }[] = [];
  const each = optionsOfEach(stages.length, options);
  for (const [i, stage] of stages.entries()) {
    const { model } = stage;
    const own = each[i] as PlanOfOne;
    plans.push({ stage, plan: planOf(model, await assumptionsOf(model, recipeOfStage(stage), own)) });
  }
  if (options.json) {
    printJson({ format_version: "1.0", pipeline: name, stages: plans.map(stageDocument) });
    return;
  }
  const colors = stdoutColors();
  const sections = plans.map(({ stage, plan }) => [
    colors.bold(`stage ${stage.name}`),
    ...keyMapLines(stage, colors).map((line) => `  ${line}`),
    ...planTable(plan, notesOf(stage.model, plan), colors).map((line) => (line === "" ? "" : `  ${line}`)),
  ]);
  const head = `${colors.bold(name)}: ${count(stages.length, "stage")}`;
  print(`${[[head], ...sections].map((lines) => lines.join("\n")).join("\n\n")}\n`);
}

const stageDocument = ({ stage, plan }: { readonly stage: Stage; readonly plan: Plan }) => ({
  stage: stage.name,
  from: stage.takes.map(startText),
  fresh: stage.fresh,
  evaluate: stage.evaluate.map(({ definition }) => definition.name),
  plan: planDocument(plan),
  weights: stage.mappings?.map(mappingDocument) ?? null,
});
