/** What a run keeps of the project whose blocks its spec uses: to tell when they change. It never says from where code is run. */

import { relative } from "node:path";
import { foreignIn, foreignUses, type Model, type Recipe } from "../../compiler/index.js";
import type { Vocabulary } from "./vocabulary.js";

/** Part of `run.json`. */
export interface RunProject {
  /** Path of the configuration from the run's root. */
  readonly config: string;
  /** Block files and what they import. */
  readonly files: readonly RunFile[];
}

interface RunFile {
  /** Path from the configuration's folder. */
  readonly name: string;
  readonly sha256: string;
}

/** Whether a model or its recipe stands on blocks of the project. */
function usesProject(model: Model, recipe: Recipe, { homes }: Vocabulary): boolean {
  const { data, augment, optimizer, schedule, evaluate } = recipe;
  const uses = [...data, ...augment, optimizer, schedule, ...evaluate.map(({ use }) => use)];
  return foreignUses(model, homes).length > 0 || foreignIn(uses, homes).length > 0;
}

/** What a run keeps; null: its spec uses none of the project's blocks. */
export function runProject(model: Model, recipe: Recipe, vocabulary: Vocabulary): RunProject | null {
  const { project } = vocabulary;
  if (!project || !usesProject(model, recipe, vocabulary)) return null;
  return {
    config: relative(process.cwd(), project.config).replaceAll("\\", "/"),
    files: project.files.map(({ name, sha256 }) => ({ name, sha256 })),
  };
}

/** Names of files that are not as they were when the run was started. */
export function changedFiles(then: RunProject | undefined, { project }: Vocabulary): readonly string[] {
  const now = new Map(project?.files.map(({ name, sha256 }) => [name, sha256]));
  return (then?.files ?? []).filter(({ name, sha256 }) => now.get(name) !== sha256).map(({ name }) => name);
}
