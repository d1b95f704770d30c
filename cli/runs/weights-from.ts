/** Weights of files and other runs that a run starts with: which, of what state of the file, and their values. */

import { resolve } from "node:path";
import { namedParameters } from "../../blocks/index.js";
import type { Mapping, Model, Recipe, RecipeStart, Stage } from "../../compiler/index.js";
import { render } from "../../compiler/index.js";
import { positionAt } from "../../grammar/index.js";
import { sizeOf } from "../../graph/index.js";
import type { InheritedWeight, WeightSource } from "../../runtime/index.js";
import type { Vocabulary } from "../config/index.js";
import { printedPath } from "../specs/files.js";
import { analyzeWithWeights, weightsPath } from "../specs/weights-here.js";
import { runFailure } from "../words/failure.js";
import { type FileSource, specFile } from "./run-directory.js";

/** What the weights of a model start from by a recipe; null: by this recipe they start from nothing. Throws a `Failure` where they cannot. */
export async function startOf(model: Model, recipe: Recipe, vocabulary: Vocabulary): Promise<RecipeStart | null> {
  if (recipe.settings.from?.value == null) return null;
  const text = render(model, recipe, { origin: false });
  const { recipes, diagnostics } = await analyzeWithWeights({ path: specFile, text }, vocabulary);
  const finding = diagnostics.find(({ severity }) => severity === "error");
  if (finding) {
    const { message, reason, help } = finding;
    throw runFailure(`${model.name} cannot start from ${recipe.name}'s weights: ${message}`, {
      ...(reason === undefined ? {} : { reason }),
      ...(help === undefined ? {} : { help }),
    });
  }
  return recipes.get(recipe.name)?.start ?? null;
}

/** Throws a `Failure` where a model has a network that others have trained, and starts from nothing. */
export async function requireNetworks(model: Model, recipe: Recipe): Promise<undefined> {
  const { assemble } = await import("../../compiler/index.js");
  const { parameters } = assemble(model);
  const given = [...namedParameters(parameters)].find(([, one]) => one.given);
  if (!given) return undefined;
  throw runFailure(
    `${model.name} has a network that others have trained, and ${recipe.name} does not say where it comes from`,
    {
      reason: `${given[0]} is never trained here.`,
      help: 'add `from` to the recipe, such as `from "runs/eyes".encoder` beside `fresh`, or train it as a stage of a pipeline',
    },
  );
}

/** The files among what something starts from, each once. */
const filesOf = (takes: RecipeStart["takes"]): readonly string[] => [
  ...new Set(takes.flatMap(({ file }) => file ?? [])),
];

/** Throws a `Failure` that says where a file is named which is not here. */
export function requireFiles(takes: RecipeStart["takes"], recipe: Recipe): void {
  const file = filesOf(takes).find((path) => weightsPath(resolve(path)) === null);
  if (file === undefined) return;
  const span = recipe.settings.from?.value == null ? recipe.span : recipe.settings.from.origin.span;
  const { line, column } = positionAt(span.source, span.start);
  throw runFailure(`there is no file and no run ${printedPath(file)} here`, {
    reason: `${recipe.name} starts from it (${printedPath(span.source.path)}:${line}:${column}).`,
    help: "put it there, or correct the path: it starts from the folder that `mae` is called in",
  });
}

/** Of which state each file is that something starts from, to be kept with the run. */
export async function fileSources(takes: RecipeStart["takes"]): Promise<readonly FileSource[]> {
  const { fileDigest } = await import("../../runtime/index.js");
  const sources: FileSource[] = [];
  for (const file of filesOf(takes)) {
    const path = weightsPath(resolve(file)) ?? file;
    sources.push({ file, weights: printedPath(path), sha256: await fileDigest(path) });
  }
  return sources;
}

/** The files that something starts from, read, by what key maps call them. */
export async function readSources(
  takes: RecipeStart["takes"],
  model: Model,
): Promise<ReadonlyMap<string, WeightSource>> {
  const [{ readWeightSource }, { assemble }] = await Promise.all([
    import("../../runtime/index.js"),
    import("../../compiler/index.js"),
  ]);
  const { parameters } = assemble(model);
  const sources = new Map<string, WeightSource>();
  for (const { file, stage } of takes) {
    if (file === null || sources.has(stage)) continue;
    sources.set(stage, await readWeightSource(weightsPath(resolve(file)) ?? file, parameters));
  }
  return sources;
}

/**
 * The values that weights start with, by name. `sources`: what they are taken from, by what key maps call it. Throws a `Failure` where a
 * file has come after the spec was checked.
 */
export async function takenWeights(
  mappings: Stage["mappings"],
  sources: ReadonlyMap<string, WeightSource>,
): Promise<Readonly<Record<string, Float32Array>>> {
  if (!mappings)
    throw runFailure("a file that is started from was not here when the spec was checked", { help: "call it again" });
  const { inheritedWeights } = await import("../../runtime/index.js");
  const taken = mappings.flatMap((mapping) => {
    if (mapping.status === "dropped" || !("from" in mapping)) return [];
    const checkpoint = sources.get(mapping.from.stage) as WeightSource;
    const size = sizeOf(mapping.from.shape);
    return [[mapping.name, { checkpoint, name: mapping.from.name, size, ...changeOf(mapping) }] as const];
  });
  return inheritedWeights(new Map(taken));
}

/** What is done to a weight on its way. */
export function changeOf(mapping: Mapping): Pick<InheritedWeight, "resize" | "adapt"> {
  if (mapping.status === "resized") return { resize: mapping.table };
  if (mapping.status !== "adapted") return {};
  return { adapt: { ...mapping.channels, window: sizeOf(mapping.shape.slice(2)) } };
}
