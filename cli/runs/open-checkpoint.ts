/**
 * The model that a checkpoint is of. It follows from the spec that the checkpoint keeps, which is data: nothing that lies beside it is
 * run, and blocks of a project come from where the caller says.
 */

import type { ModelProgram } from "../../blocks/index.js";
import {
  type Analysis,
  assemble,
  programOf,
  render,
  settingsOf,
  trainingOf,
  withSettings,
} from "../../compiler/index.js";
import type { Checkpoint, Training } from "../../runtime/index.js";
import { analyzeWith, type RunProject, type Vocabulary } from "../config/index.js";
import { chooseRecipe, refuseErrors, type WithRecipe } from "../specs/choose.js";
import { largestSpec, printedPath } from "../specs/files.js";
import { runFailure } from "../words/failure.js";

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

/**
 * @param project the block files that the checkpoint's run says it stood on, for words alone
 *
 * Throws a `Failure` where its spec is not sound, and a `RunError` where its weights are not those of the model.
 */
export async function openCheckpoint(
  saved: Checkpoint,
  vocabulary: Vocabulary,
  project?: RunProject | undefined,
): Promise<OpenCheckpoint> {
  const { model, recipe } = chooseRecipe(specOf(saved, vocabulary, project), undefined);
  const { weightsFrom } = await import("../../runtime/index.js");
  const assembly = assemble(model);
  // Before anything is computed for the model: its weights are here, so it is no larger than a file.
  const weights = weightsFrom(saved, assembly.parameters);
  const program = programOf(assembly);
  return {
    model,
    recipe,
    program,
    weights,
    step: saved.step,
    training: trainingOf(recipe),
    spec: saved.spec,
    vocabulary,
  };
}

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
