/** A pipeline: its stages in their order, each with a recipe that fits its model, and what they take from each other. */

import { type Encoder, type Head, type Input, saidBy } from "../../blocks/index.js";
import type {
  FilePart,
  Identifier,
  Path,
  PipelineDeclaration,
  PipelineEvaluation,
  Span,
  Stage as StageEntry,
} from "../../grammar/index.js";
import { ownedWeights } from "../assemble/owners.js";
import type { StageStart } from "../mapping.js";
import type { Recipe, Use } from "../model.js";
import type { Pipeline, Stage } from "../pipeline.js";
import { recipeSlots } from "../slots.js";
import { givesVectors, isOfDecoder } from "../wire/roles.js";
import { readBlock } from "./blocks.js";
import type { Body, DraftBlock } from "./draft.js";
import { fits } from "./fit.js";
import { type Checking, useOf } from "./models.js";
import { type Declared, find } from "./names.js";
import { named, suggestion } from "./nearest.js";
import { modelKey, modelOf, namesIn, type Project, recipeForModel } from "./project.js";
import { counted, fail, type Report, replacement, type Words } from "./report.js";
import { emptyScope } from "./scope.js";
import { pathText } from "./show.js";
import {
  type Earlier,
  type FreshPart,
  type SourcePath,
  type Taking,
  takenParts,
  trainingParts,
} from "./stage-parts.js";
import { adapts, type FoundSource, freshIn, ofRecipe, ofStage, startOf, startsIn } from "./starts.js";

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
  if (fitting?.recipe && (fitting.recipe.settings.beside?.value ?? null) !== null && entry.recipe) {
    return fail(report, "check/unfit-beside", entry.recipe.span, "a stage trains by one recipe alone", {
      help: `\`${entry.recipe.name}\` has others beside it: train by it first, and start from its run, \`from "runs/..."\``,
    });
  }
  const own = sourcesOf(entry, stages, around);
  const given = fitting?.recipe ? ofRecipe(fitting.recipe, project, report) : [];
  if (!entry.model || !checked?.model || !own || given.includes(null)) return null;
  const sources = [...own, ...given];
  const from = sources.filter((source) => source !== null && source !== "not here");
  const isHere = from.length === sources.length;
  const fresh = freshOf(entry, fitting?.recipe ?? null);
  const { name, span } = entry.model;
  const taking = {
    ...{ taker: entry.name.name, name, span, model: checked.model, from, fresh, earlier: stages },
    adapt: fitting?.recipe ? adapts(fitting.recipe) : false,
    ...wordsOf(entry),
  };
  const taken = isHere ? takenParts(taking, report) : [];
  const trained = fitting?.recipe && trainingParts(fitting.recipe, checked.model, report);
  if (!taken || !entry.recipe || !trained) return null;
  const starts = entry.from.map(startOfStage);
  return {
    name: entry.name.name,
    modelName: entry.model.name,
    recipeName: entry.recipe.name,
    model: checked.model,
    recipe: trained,
    from: starts,
    takes: [...starts, ...startsIn(fitting.recipe)],
    fresh: entry.saysFresh ? entry.fresh.map(({ parts }) => pathText(parts)) : null,
    evaluate: [],
    mappings: isHere ? taken : null,
  };
}

/** What may start from scratch, by the stage and by its recipe; null: neither says anything of it. */
function freshOf({ saysFresh, fresh }: StageEntry, recipe: Recipe | null): readonly FreshPart[] | null {
  const own = fresh.map(({ parts, span }) => ({ part: pathText(parts), span }));
  if (saysFresh && own.length === 0) return [];
  const given = recipe && freshIn(recipe);
  return saysFresh || given ? [...own, ...(given ?? [])] : null;
}

/** How a stage says that something starts from scratch. */
const wordsOf = ({ span, fresh }: StageEntry): Pick<Taking, "allow" | "idle"> => ({
  allow(part) {
    const text = fresh.length > 0 ? `, ${part}` : ` fresh ${part}`;
    const title = `Say that it does: \`${text.trim()}\``;
    return replacement({ ...span, start: span.end }, text, title);
  },
  idle() {
    const word = /\s*fresh$/.exec(span.source.text.slice(span.start, span.end));
    const own: Span = { ...span, start: span.end - (word?.[0].trimStart().length ?? 0) };
    const whole = { ...span, start: span.end - (word?.[0].length ?? 0) };
    return { span: own, fix: word ? replacement(whole, "", "Remove `fresh`") : undefined };
  },
});

/** null: a path names no earlier stage, or one that is broken, or a file that cannot be read. */
function sourcesOf(
  entry: StageEntry,
  stages: ReadonlyMap<string, Earlier>,
  { declared, project, report }: Around,
): readonly (SourcePath | "not here")[] | null {
  const found = entry.from.map((path): FoundSource => {
    if (path.kind === "file part") return ofStage(path, project, report);
    const [first, ...rest] = path.parts;
    if (!first) return null;
    const known = stages.get(first.name);
    if (known) return known.stage && stageSource(path, first, rest, known.stage);
    return fail(report, "check/unknown-stage", first.span, `no stage before this one is named \`${first.name}\``, {
      ...notEarlier(first, entry, [...stages.keys()], declared.declaration),
    });
  });
  return found.every((source) => source !== null) ? found : null;
}

const stageSource = (
  { parts, span }: Path,
  first: Identifier,
  rest: readonly Identifier[],
  { name, modelName, model }: Stage,
): SourcePath => ({
  text: pathText(parts),
  span,
  source: name,
  holder: modelName,
  part: rest.length === 0 ? null : pathText(rest),
  partSpan: { ...(rest[0] ?? first).span, end: (parts.at(-1) ?? first).span.end },
  weights: () => ownedWeights(model),
});

function startOfStage(written: Path | FilePart): StageStart {
  const [first, ...rest] = written.parts;
  if (written.kind === "file part") {
    return startOf({ file: written.file.value, part: first ? pathText(written.parts) : null });
  }
  return { stage: first?.name ?? "", part: rest.length === 0 ? null : pathText(rest), file: null };
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
  const used = (slot: string) => model.slots.flatMap((one) => (one.slot === slot ? [one.use] : []));
  const [head] = used("head").filter(({ definition }) => !givesVectors(definition));
  const [encoder] = used("encoder");
  const known = <V>(value: V) => ({ value, sources: [] });
  const facts = {
    classes: known(head ? (head.definition as Head).classes(head.values) : null),
    says: known(head ? saidBy(head.definition as Head) : null),
    parts: known(head ? (head.definition as Head).parts !== undefined : false),
    arrays: known(used("input").map(({ definition, values }) => (definition as Input).shape(values))),
    imitations: known(
      model.slots.flatMap(({ slot, label, use }) =>
        slot === "target" && isOfDecoder(use.definition) ? (label ?? []) : [],
      ),
    ),
    targets: known(used("target").length),
    encoderWidth: encoder ? known((encoder.definition as Encoder).width(encoder.values)) : null,
  };
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
