/** A pipeline: its stages in their order, each with a recipe that fits its model, and what they take from each other. */

import type { Head } from "../../blocks/index.js";
import type { Identifier, PipelineDeclaration, PipelineEvaluation, Stage as StageEntry } from "../../grammar/index.js";
import type { Use } from "../model.js";
import type { Pipeline, Stage } from "../pipeline.js";
import { recipeSlots } from "../slots.js";
import { readBlock } from "./blocks.js";
import type { Body, DraftBlock } from "./draft.js";
import { fits } from "./fit.js";
import { type Checking, useOf } from "./models.js";
import { type Declared, find } from "./names.js";
import { named, suggestion } from "./nearest.js";
import { modelKey, modelOf, namesIn, type Project, recipeForModel } from "./project.js";
import { counted, fail, type Report, type Words } from "./report.js";
import { emptyScope } from "./scope.js";
import { pathText } from "./show.js";
import { type Earlier, type SourcePath, takenParts } from "./stage-parts.js";

/** Gives the pipeline; null when there is an error in it. */
export function checkPipeline(
  declared: Declared<PipelineDeclaration>,
  project: Project,
  checking: Checking,
): Pipeline | null {
  const { declaration } = declared;
  const { report, errors } = counted(checking.report);
  const name = declaration.name?.name ?? "";
  const span = declaration.name?.span ?? declaration.span;
  const stages = new Map<string, Earlier>();
  for (const entry of declaration.entries) {
    if (entry.kind === "stage") addStage(entry, stages, { declared, project, report });
  }
  const body: Body = {
    ...checking,
    report,
    owner: "recipe",
    within: null,
    rules: recipeSlots,
    scope: emptyScope,
    name,
  };
  const judged = new Map<string, readonly Use[]>();
  for (const entry of declaration.entries) {
    if (entry.kind === "evaluation") addEvaluation(entry, stages, judged, body);
  }
  if (stages.size === 0 && !checking.torn) {
    fail(report, "check/empty-pipeline", span, `\`${name}\` has no stages`, {
      help: "add a line `stage name = Recipe of Model`",
    });
  }
  if (errors() > 0 || checking.torn) return null;
  const sound = [...stages.values()].flatMap(({ stage }) =>
    stage ? [{ ...stage, evaluate: judged.get(stage.name) ?? [] }] : [],
  );
  return sound.length === stages.size ? { name, doc: declaration.doc, span, stages: sound } : null;
}

/** What a stage is checked with. */
interface Around {
  readonly declared: Declared<PipelineDeclaration>;
  readonly project: Project;
  readonly report: Report;
}

/** Adds a stage to those before it; one that is broken stays known by its name. */
function addStage(entry: StageEntry, stages: Map<string, Earlier>, around: Around): void {
  const { name, span } = entry.name;
  const other = stages.get(name);
  const stage = checkStage(entry, stages, around);
  if (!other) {
    stages.set(name, { span, stage });
    return;
  }
  fail(around.report, "check/duplicate-declaration", span, `there is already a stage \`${name}\``, {
    reason: "Later stages start from a stage by its name.",
    help: "give one of the two another name",
    related: [{ span: other.span, message: "the other one" }],
  });
}

/** null: something of it is broken. Its recipe is judged against its own model, whichever the recipe was written for. */
function checkStage(entry: StageEntry, stages: ReadonlyMap<string, Earlier>, around: Around): Stage | null {
  const { project, report } = around;
  const names = namesIn(project, around.declared.home);
  const recipe = entry.recipe && find(entry.recipe, "recipe", names, report);
  const model = entry.model && find(entry.model, "model", names, report);
  const checked = model && modelOf(model, project);
  const fitting =
    recipe && model && checked && recipeForModel(recipe, { name: modelKey(model, project), checked }, project);
  const from = sourcesOf(entry, stages, around);
  if (!entry.model || !checked?.model || !from) return null;
  const taken = takenParts({ entry, name: entry.model, model: checked.model, from, earlier: stages }, report);
  if (!taken || !entry.recipe || !fitting?.recipe) return null;
  return {
    name: entry.name.name,
    modelName: entry.model.name,
    recipeName: entry.recipe.name,
    model: checked.model,
    recipe: fitting.recipe,
    from: from.map(({ stage, part }) => ({ stage: stage.name, part })),
    fresh: entry.saysFresh ? entry.fresh.map(({ parts }) => pathText(parts)) : null,
    evaluate: [],
    mappings: taken,
  };
}

/** null: a path names no earlier stage, or one that is broken. */
function sourcesOf(
  entry: StageEntry,
  stages: ReadonlyMap<string, Earlier>,
  { declared, report }: Around,
): readonly SourcePath[] | null {
  const found = entry.from.map((path): SourcePath | null => {
    const [first, ...rest] = path.parts;
    if (!first) return null;
    const known = stages.get(first.name);
    if (known) {
      const part = rest.length === 0 ? null : pathText(rest);
      return known.stage && { path, stage: known.stage, part };
    }
    return fail(report, "check/unknown-stage", first.span, `no stage before this one is named \`${first.name}\``, {
      ...notEarlier(first, entry, [...stages.keys()], declared.declaration),
    });
  });
  return found.every((source) => source !== null) ? found : null;
}

/** What to do about a name after `from`: it is the stage's own, that of a later one, or of none. */
function notEarlier(
  { name, span }: Identifier,
  own: StageEntry,
  earlier: readonly string[],
  { entries }: PipelineDeclaration,
): Words {
  if (name === own.name.name) return { help: `\`${name}\` is this stage itself: name an earlier one` };
  if (entries.some((other) => other.kind === "stage" && other.name.name === name)) {
    return { help: `\`${name}\` comes later, and stages are trained in the order written: move it before this one` };
  }
  if (earlier.length === 0) return { help: "the first stage starts from nothing" };
  return suggestion(name, span, earlier, "earlier stages");
}

/** Whether a stage's model has what a probe judges. */
function fitProbe(block: DraftBlock, { model }: Stage, { span }: PipelineEvaluation, report: Report): void {
  const head = model.slots.find(({ slot }) => slot === "head")?.use;
  const classes = head ? (head.definition as Head).classes(head.values) : null;
  const facts = { classes: { value: classes, sources: [] } };
  fits(block, null, facts, { report, within: span, name: span, known: new Set(), failed: new Set() });
}

function addEvaluation(
  entry: PipelineEvaluation,
  stages: ReadonlyMap<string, Earlier>,
  judged: Map<string, readonly Use[]>,
  body: Body,
): void {
  const { name, span } = entry.stage;
  if (!stages.has(name)) {
    const known = [...stages.keys()];
    fail(body.report, "check/unknown-stage", span, `there is no stage \`${name}\``, {
      ...(known.length === 0
        ? { help: `declare it: ${named(["stage name = Recipe of Model"])}` }
        : suggestion(name, span, known, "stages")),
    });
  }
  const [rule] = recipeSlots.filter((candidate) => candidate.every);
  if (!rule) return;
  const stage = stages.get(name)?.stage;
  const uses = entry.probes.flatMap((probe) => {
    const block = readBlock(rule.kind, rule.slot, probe, body);
    if (block && stage) fitProbe(block, stage, entry, body.report);
    return block ? [useOf(block)] : [];
  });
  judged.set(name, [...(judged.get(name) ?? []), ...uses]);
}
