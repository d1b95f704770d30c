/** What a run keeps of the project whose blocks its spec uses, and finding that project again. */

import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { foreignIn, foreignUses, type Model, type Recipe } from "../../compiler/index.js";
import { runFailure } from "../failure.js";
import { printedPath } from "../files.js";
import { specifierFor } from "./elsewhere.js";
import { namedConfig } from "./find.js";
import { ownVocabulary, type Vocabulary, vocabularyWith } from "./vocabulary.js";

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
  /** What the run's program calls it. */
  readonly import: string;
  readonly sha256: string;
}

/** Whether a model or its recipe stands on blocks of the project. */
function usesProject(model: Model, recipe: Recipe, { homes }: Vocabulary): boolean {
  const { data, augment, optimizer, schedule, evaluate } = recipe;
  const uses = [data, ...augment, optimizer, schedule, ...evaluate.map(({ use }) => use)];
  return foreignUses(model, homes).length > 0 || foreignIn(uses, homes).length > 0;
}

/** What a run in a folder keeps; null: its spec uses none of the project's blocks. */
export function runProject(model: Model, recipe: Recipe, vocabulary: Vocabulary, folder: string): RunProject | null {
  const { project } = vocabulary;
  if (!project || !usesProject(model, recipe, vocabulary)) return null;
  const root = dirname(project.config);
  return {
    config: relative(process.cwd(), project.config).replaceAll("\\", "/"),
    files: project.files.map(({ name, sha256 }) => ({
      name,
      import: specifierFor(resolve(root, name), folder),
      sha256,
    })),
  };
}

/**
 * The vocabulary of a run's spec.
 * @param root the run's root, which the path of its configuration starts from
 * @param named the configuration that the command line names; absent: the run's own
 *
 * Throws a `Failure` where the run's configuration is gone.
 */
export function vocabularyOfRun(
  project: RunProject | undefined,
  root: string,
  named: string | undefined,
): Promise<Vocabulary> {
  if (named !== undefined) return vocabularyWith(namedConfig(named));
  if (!project) return Promise.resolve(ownVocabulary);
  const config = resolve(root, project.config);
  if (existsSync(config)) return vocabularyWith(config);
  throw runFailure(`${printedPath(config)}, which names the block files of this run, is gone`, {
    reason: `The run's spec uses blocks that are defined in ${project.files.map(({ name }) => name).join(", ")}.`,
    help: "restore it, or name where it is now with --config",
  });
}

/** Names of files that are not as they were when the run was started. */
export function changedFiles(then: RunProject | undefined, { project }: Vocabulary): readonly string[] {
  const now = new Map(project?.files.map(({ name, sha256 }) => [name, sha256]));
  return (then?.files ?? []).filter(({ name, sha256 }) => now.get(name) !== sha256).map(({ name }) => name);
}

/** Addresses of a project's files by what a run's program calls them. */
export function addressesOf(run: RunProject | null | undefined, { project }: Vocabulary): ReadonlyMap<string, string> {
  const urls = new Map(project?.files.map(({ name, url }) => [name, url]));
  return new Map(
    (run?.files ?? []).flatMap((file) => {
      const url = urls.get(file.name);
      return url === undefined ? [] : [[file.import, url] as const];
    }),
  );
}
