/** What a stage or a recipe starts from that lies in files of weights and runs, as far as the host knows what is in them. */

import type { SourceValue } from "../../blocks/index.js";
import type { FilePart, Span } from "../../grammar/index.js";
import { type OwnedWeight, ownedWeights } from "../assemble/owners.js";
import { foreignWeights, strangeWeights } from "../foreign.js";
import type { StageStart } from "../mapping.js";
import type { Model, Recipe } from "../model.js";
import type { WeightsFile } from "../weights-file.js";

import { besideRecipe } from "./beside.js";
import type { Project } from "./project.js";
import { fail, type Report, replacement, warn } from "./report.js";
import { pathText, quotedText, sourceText } from "./show.js";
import { type FreshPart, type SourcePath, takenParts, trainingParts } from "./stage-parts.js";

/** `not here`: nobody looked, or there is no such file yet, which was told; null: it cannot be read, reported. */
export type FoundSource = SourcePath | "not here" | null;

/** A part of a file or a run as a stage writes it. */
export const ofStage = ({ file, parts, span }: FilePart, project: Project, report: Report): FoundSource => {
  const [first] = parts;
  const partSpan = first ? { ...span, start: first.span.start } : span;
  const part = parts.length === 0 ? null : pathText(parts);
  return fileSource({ file: file.value, part }, { span, partSpan }, project, report);
};

/** The parts of files or runs that a recipe starts from. */
export function ofRecipe({ settings }: Recipe, project: Project, report: Report): readonly FoundSource[] {
  const { value, origin } = settings.from ?? {};
  const at = { span: origin?.span as Span, partSpan: origin?.span as Span };
  return ((value ?? []) as readonly SourceValue[]).map((source) => fileSource(source, at, project, report));
}

/** Whether a recipe lets patches have other channels than those whose weights it takes. */
export const adapts = ({ settings }: Recipe): boolean => settings.adapt?.value === "channels";

/** The parts that a recipe lets start from scratch; null: it says nothing of it. */
export function freshIn({ settings }: Recipe): readonly FreshPart[] | null {
  const { value, origin } = settings.fresh ?? {};
  const parts = value as readonly string[] | null | undefined;
  return parts?.map((part) => ({ part, span: origin?.span as Span })) ?? null;
}

export const startOf = ({ file, part }: SourceValue): StageStart => ({ stage: quotedText(file), part, file });

export const startsIn = ({ settings }: Recipe): readonly StageStart[] =>
  ((settings.from?.value ?? []) as readonly SourceValue[]).map(startOf);

function fileSource(
  { file, part }: SourceValue,
  at: { readonly span: Span; readonly partSpan: Span },
  project: Project,
  report: Report,
): FoundSource {
  const found = project.host.weights?.(file);
  if (found === undefined) return "not here";
  const text = quotedText(file);
  if ("problem" in found && found.problem === "missing") {
    warn(report, "lint/missing-weights", at.span, `there is no file and no run ${text} here`, {
      help: "put it there before training, or correct the path: it starts from the folder that `mae` is called in",
    });
    return "not here";
  }
  if ("problem" in found) {
    return fail(report, "check/unreadable-weights", at.span, `the weights in ${text} cannot be read: ${found.why}`, {
      help: "name a file of safetensors or PyTorch, or the folder of a run",
    });
  }
  const model = modelOf(found, project);
  return {
    text: sourceText({ file, part }),
    source: text,
    holder: model?.name ?? file,
    part,
    ...at,
    ...(model ? {} : { strange: (own: readonly OwnedWeight[]) => strangeWeights(own, found.shapes.keys()) }),
    weights: (own) => (model ? ownedWeights(model) : foreignWeights(own, found)),
  };
}

/** The model of a checkpoint of ours, whose weights are known by their parts; null: only names and shapes are known. */
function modelOf({ spec, shapes }: WeightsFile, { modelIn }: Project): Model | null {
  const model = spec && modelIn(spec.text, spec.model);
  const isWhole = model && ownedWeights(model).every(({ name, shape }) => `${shapes.get(name)}` === `${shape}`);
  return isWhole ? model : null;
}

/** A recipe with where the weights of its model come from; null after a report. */
export function startedRecipe(recipe: Recipe, model: Model, project: Project, report: Report): Recipe | null {
  const known = project.started.get(recipe);
  if (known !== undefined) return known;
  const started = starting(recipe, model, project, report);
  project.started.set(recipe, started);
  return started;
}

function starting(alone: Recipe, model: Model, project: Project, report: Report): Recipe | null {
  const joined = besideRecipe(alone, model, project, report);
  const recipe = joined && trainingParts(joined, model, report);
  if (recipe === null) return null;
  const takes = startsIn(recipe);
  const fresh = freshIn(recipe);
  const { from: line, fresh: freshLine } = recipe.settings;
  if (takes.length === 0) {
    if (!fresh || !freshLine) return recipe;
    return fail(
      report,
      "check/idle-fresh",
      freshLine.origin.span,
      "`fresh` stands in a recipe that starts from nothing",
      {
        help: 'say what it starts from, such as `from "runs/mae".encoder`, or remove the line',
      },
    );
  }
  const sources = ofRecipe(recipe, project, report);
  if (sources.includes(null)) return null;
  const from = sources.filter((source): source is SourcePath => source !== "not here" && source !== null);
  if (from.length < sources.length) return { ...recipe, start: { takes, mappings: null } };
  const { span, how } = line?.origin ?? { span: recipe.span, how: "written" };
  const mappings = takenParts(
    {
      ...{ taker: recipe.name, name: model.name, span, model, from, fresh, adapt: adapts(recipe), earlier: new Map() },
      allow: (part) => {
        if (freshLine?.value) return undefined;
        const text = how === "set" ? `set fresh: ${part}` : `fresh ${part}`;
        return replacement({ ...span, start: span.end }, `\n  ${text}`, `Say that it does: \`${text}\``);
      },
      idle: () => ({ span, fix: undefined }),
    },
    report,
  );
  return mappings && { ...recipe, start: { takes, mappings } };
}
