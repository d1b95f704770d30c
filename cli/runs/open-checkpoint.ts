/**
 * The model that a checkpoint is of. It follows from the spec that the checkpoint keeps, which is data: nothing that lies beside it is
 * run, and blocks of a project come from where the caller says.
 */

import type { ModelProgram } from "../../blocks/index.js";
import {
  type Analysis,
  assemble,
  programOf,
  type RecipeBeside,
  render,
  settingsOf,
  trainingOf,
  withSettings,
} from "../../compiler/index.js";
import type { Checkpoint, Training } from "../../runtime/index.js";
import { analyzeWith, type RunProject, type Vocabulary } from "../config/index.js";
import { chooseRecipe, refuseErrors, type WithRecipe } from "../specs/choose.js";
import { largestSpec, printedPath } from "../specs/files.js";
import { runFailure, usageFailure } from "../words/failure.js";
import { didYouMean } from "../words/nearest.js";
import { tell } from "../words/terminal.js";

export interface OpenCheckpoint extends WithRecipe {
  readonly program: ModelProgram;
  /** By name. */
  readonly weights: Readonly<Record<string, Float32Array>>;
  /** Steps that the weights have been trained. */
  readonly step: number;
  readonly training: Training;
  /** The resolved spec. */
  readonly spec: string;
  /** The blocks that it can use. */
  readonly vocabulary: Vocabulary;
}

export interface OpenOptions {
  /** Of recipes that stand beside each other, one or its model by name; if absent, the one that names the others. */
  readonly recipe?: string;
  /** The block files that the checkpoint's run says it stood on, for words alone. */
  readonly project?: RunProject | undefined;
}

/**
 * Throws a `Failure` where its spec is not sound or has no such recipe, and a `RunError` where its weights are not those of the model.
 */
export async function openCheckpoint(
  saved: Checkpoint,
  vocabulary: Vocabulary,
  { recipe: name, project }: OpenOptions = {},
): Promise<OpenCheckpoint> {
  const first = chooseRecipe(specOf(saved, vocabulary, project), undefined);
  const { weightsBeside, weightsFrom } = await import("../../runtime/index.js");
  const assembly = assemble(first.model);
  // Before anything is computed for the model: its weights are here, so it is no larger than a file.
  const weights = weightsFrom(saved, assembly.parameters);
  const of = { step: saved.step, spec: saved.spec, vocabulary };
  const other = name === undefined ? null : besideNamed(first, name);
  if (other === null)
    return { ...first, program: programOf(assembly), weights, training: trainingOf(first.recipe), ...of };
  const { model, recipe } = other;
  const program = programOf(assemble(model));
  const own = weightsBeside({ program, weights: other.weights }, weights);
  return { model, recipe, program, weights: own, training: trainingOf(recipe), ...of };
}

/** The recipe beside another that is called so, or whose model is; null: that other one. */
function besideNamed({ model, recipe }: WithRecipe, name: string): RecipeBeside | null {
  const { beside = [] } = recipe;
  const all = [{ model, recipe }, ...beside];
  const named = all.filter((one) => one.recipe.name === name);
  const [only, another] = named.length > 0 ? named : all.filter((one) => one.model.name === name);
  if (only && !another) return beside.find((one) => one === only) ?? null;
  const names = all.map((one) => one.recipe.name);
  throw usageFailure(only ? `several recipes train ${name}` : `nothing was trained by a recipe called "${name}" here`, {
    help: only
      ? `name one: ${names.join(", ")}`
      : (didYouMean(name, names) ?? `the checkpoint is of ${names.join(", ")}`),
  });
}

/** Says which of the recipes that stand beside each other a command is about, where nobody chose, and how to choose another. */
export function tellChosen(
  { recipe }: OpenCheckpoint,
  command: string,
  source: string,
  asked: string | undefined,
): void {
  const { beside = [] } = recipe;
  if (asked !== undefined || beside.length === 0) return;
  const others = beside.map((one) => `mae ${command} ${printedPath(source)} ${one.recipe.name}`);
  tell(`this is of ${recipe.name} alone; of what was trained beside it: ${others.join(", ")}`);
}

/** What a command writes where nobody names a file; of a recipe that is named, with its name. */
export const fileFor = (file: string, { recipe }: Pick<OpenOptions, "recipe">): string =>
  recipe === undefined ? file : file.replace(/(\.[^./\\]*)?$/, `-${recipe}$1`);

/**
 * The spec in a checkpoint. It is resolved and needs no other file, so that none is read for it.
 *
 * Throws a `Failure` where it is not sound.
 */
export function specOf(
  { path, spec }: Pick<Checkpoint, "path" | "spec">,
  vocabulary: Vocabulary,
  project?: RunProject | undefined,
): Analysis {
  const where = `the spec in ${printedPath(path)}`;
  if (spec.length > largestSpec) {
    throw runFailure(`${where} has more than 4 MiB; a spec has at most 4 MiB`, { help: "use another checkpoint" });
  }
  return resolved(where, spec, vocabulary, project);
}

/** A spec that is resolved. `where`: what it is called. */
export function resolved(
  where: string,
  text: string,
  vocabulary: Vocabulary,
  project?: RunProject | undefined,
): Analysis {
  const analysis = analyzeWith({ path: where, text }, { readText: () => null }, vocabulary);
  const wrong = analysis.diagnostics.find(({ severity }) => severity === "error");
  if (!wrong) return analysis;
  refuseErrors(vocabulary.project?.config ?? "", vocabulary.findings);
  const files = project?.files.map(({ name }) => name).join(", ");
  throw runFailure(`${where} is not one that this version understands: ${wrong.message}`, {
    ...(files ? { reason: `It was trained with blocks of a project: ${files}.` } : {}),
    help: "use the version of maelang that wrote it; blocks of a project are those of the working folder, or of the configuration that --config names",
  });
}

/** Of what a spec says, all but how long it is trained, in lines. */
export function meaningOf({ model, recipe }: WithRecipe): readonly string[] {
  const asLong = withSettings(recipe, { ...settingsOf(recipe), epochs: null, steps: 1 });
  return meaningIn(render(model, asLong, { origin: false }));
}

/** The lines of a rendered spec that are more than words for people. */
export const meaningIn = (spec: string): readonly string[] =>
  spec
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("///"));

/** The first lines in which two specs differ; null: they say the same. */
export function firstDifference(
  before: readonly string[],
  after: readonly string[],
): { readonly before: string; readonly after: string } | null {
  const at = after.findIndex((line, i) => line !== before[i]);
  if (at < 0 && after.length === before.length) return null;
  const changed = at < 0 ? after.length : at;
  return { before: before[changed] ?? "", after: after[changed] ?? "" };
}
