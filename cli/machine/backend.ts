/** Opening the executor that `--backend` names, and saying which one `auto` took. */

import { availableParallelism } from "node:os";
import type { Backend, Executor, ExecutorSettings, Hosts } from "../../runtime/index.js";
import type { RunFacts } from "../runs/run-directory.js";
import { ofSession } from "../session.js";
import { usageFailure } from "../words/failure.js";
import { didYouMean } from "../words/nearest.js";
import { count } from "../words/terminal.js";

/** What the command line says about where to compute. */
export interface BackendFlags extends Omit<ExecutorSettings, "precision" | "collectives"> {
  /** `auto` or a backend. */
  readonly backend: string;
  /** Not said there, but in the recipe. */
  readonly precision?: ExecutorSettings["precision"] | undefined;
}

/** Offers are said once, not for every member of a family or stage of a pipeline. */
const offers = ofSession(() => new Set<string>());

/** Throws a usage failure for a state that is to be divided among one device. */
export function checkShardState({ devices = 1, shardState }: Pick<BackendFlags, "devices" | "shardState">): void {
  if (!shardState || devices > 1) return;
  throw usageFailure("--shard-state divides the state among several devices", { help: "say how many with --devices" });
}

/**
 * `note` hears which one `auto` took and why, what would be faster, and of settings that do not matter there. `before`: the run
 * that goes on, with as many threads as it was begun where the flags do not say. `collectives`: hosts whose devices sum by themselves.
 *
 * Throws a usage failure for a name that no backend has, and `run/backend-missing` for one that is not here.
 */
export async function openBackend(
  flags: BackendFlags,
  note: (text: string) => void,
  before: RunFacts | null = null,
  collectives?: Hosts,
): Promise<Executor> {
  const { openExecutor } = await import("../../runtime/index.js");
  const { backend, threads, spin, devices, shardState, compileLimit, precision } = flags;
  await requireBackend(backend);
  checkShardState(flags);
  const many = threads ?? before?.computing?.threads;
  const settings = {
    ...(many === undefined ? {} : { threads: many }),
    ...(spin === undefined ? {} : { spin }),
    ...(devices === undefined ? {} : { devices }),
    ...(shardState === undefined ? {} : { shardState }),
    ...(compileLimit === undefined ? {} : { compileLimit }),
    ...(precision === undefined ? {} : { precision }),
    ...(collectives === undefined ? {} : { collectives }),
  };
  const tell = (reason: string, offer?: string): void => {
    note(`backend ${reason}`);
    if (offer !== undefined && !offers().has(offer)) note(offer);
    if (offer !== undefined) offers().add(offer);
  };
  const executor = await openExecutor(backend as "auto" | Backend, tell, settings);
  const given = threads !== undefined || spin !== undefined;
  if (given && executor.name !== "onnx") note(`backend ${executor.backend} has no use for --threads and --spin`);
  if (compileLimit !== undefined && executor.name !== "xla")
    note(`backend ${executor.backend} has no use for --compile-limit`);
  for (const text of before ? continuationNotes(before, executor) : []) note(text);
  return executor;
}

/** What a reader should know of a run that goes on elsewhere than it was begun. */
function continuationNotes({ executor: then }: RunFacts, now: Executor): readonly string[] {
  const cores = availableParallelism();
  const crowded =
    now.threads !== undefined && now.threads > cores
      ? [
          `${count(now.threads, "thread")} compute, and this machine has ${count(cores, "core")}: --threads says otherwise`,
        ]
      : [];
  if (then.backend === now.backend && then.device === now.device) return crowded;
  const name = ({ backend, device }: Pick<Executor, "backend" | "device">) => `${backend} (${device})`;
  const text = `the run was begun with ${name(then)} and goes on with ${name(now)}: sums are rounded otherwise, so that it will not equal an uninterrupted run to the bit`;
  return [...crowded, text];
}

/** Throws as `openBackend` does, and opens nothing. */
export async function requireBackend(name: string): Promise<void> {
  if (name === "auto") return;
  const { listExecutors, RunError } = await import("../../runtime/index.js");
  const executors = await listExecutors();
  const asked = executors.find((executor) => executor.backend === name);
  if (!asked) {
    const known = executors.map((executor) => executor.backend);
    throw usageFailure(`there is no backend "${name}"`, {
      help: didYouMean(name, known) ?? `there are auto, ${known.join(", ")}; mae doctor says which are here`,
    });
  }
  if (asked.present) return;
  throw new RunError("run/backend-missing", {
    what: `The backend ${name} is not available here`,
    ...(asked.why === undefined ? {} : { why: asked.why }),
    help: `${asked.remedy ?? ""} \`mae doctor\` lists the backends of this machine.`.trimStart(),
  });
}
