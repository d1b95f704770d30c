/** What the folder of a run holds beside log and checkpoints, so that `mae eval`, `show`, `features` and `export` can open it. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { listCheckpoints } from "../checkpoint/checkpoint.js";
import { unwritable, writeWhole } from "../checkpoint/whole-file.js";
import { version } from "../package.js";
import { RunError } from "../run-error.js";

/** `run.json`: with what a run was started. */
export interface StartFacts {
  readonly format_version: "1.0";
  readonly maelang: string;
  /** The spec's path. */
  readonly file: string;
  readonly model: string;
  readonly recipe: string;
  /** The folder that data paths start from. */
  readonly root: string;
  readonly settings: {
    readonly batch: number;
    readonly epochs: number | null;
    readonly steps: number | null;
    readonly seed: number;
  };
  readonly executor: { readonly name: string; readonly backend: string; readonly device: string };
  /** In ISO 8601. */
  readonly started: string;
}

export interface RunStart extends Omit<StartFacts, "format_version" | "maelang" | "started"> {
  /** The resolved spec, which `render` writes. */
  readonly spec: string;
}

/**
 * Makes a folder that of a new run: keeps its spec and with what it is started. `train` then fills it.
 * @throws RunError `run/run-exists` when there are checkpoints in it, `run/disk-full`, `run/unreadable` or `run/unwritable`
 */
export async function startRun(directory: string, { spec, ...start }: RunStart): Promise<void> {
  if ((await listCheckpoints(directory)).length > 0) {
    throw new RunError("run/run-exists", {
      what: `${directory} already holds a run`,
      help: "Choose another folder, or go on with that run: call train with resume: true, without startRun.",
    });
  }
  await mkdir(directory, { recursive: true }).catch((error: unknown) => {
    throw unwritable(directory, error);
  });
  const { file, model, recipe, root, settings, executor } = start;
  const facts: StartFacts = {
    format_version: "1.0",
    maelang: version,
    file,
    model,
    recipe,
    root,
    settings,
    executor: { name: executor.name, backend: executor.backend, device: executor.device },
    started: new Date().toISOString(),
  };
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  await writeWhole([
    { path: join(directory, "spec.mae"), parts: [bytes(spec)] },
    { path: join(directory, "run.json"), parts: [bytes(`${JSON.stringify(facts, null, 2)}\n`)] },
  ]);
}
