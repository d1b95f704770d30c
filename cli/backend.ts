/** Opening the executor that `--backend` names, and saying which one `auto` took. */

import type { Backend, Executor, ProcessorSettings } from "../runtime/index.js";
import { usageFailure } from "./failure.js";
import { didYouMean } from "./nearest.js";

/** What the command line says about where to compute. */
export interface BackendFlags extends ProcessorSettings {
  /** `auto` or a backend. */
  readonly backend: string;
}

/**
 * `note` hears which one `auto` took and why, and of settings that do not matter there.
 *
 * Throws a usage failure for a name that no backend has, and `run/backend-missing` for one that is not here.
 */
export async function openBackend(flags: BackendFlags, note: (text: string) => void): Promise<Executor> {
  const { openExecutor } = await import("../runtime/index.js");
  const { backend, threads, spin } = flags;
  await requireBackend(backend);
  const settings = { ...(threads === undefined ? {} : { threads }), ...(spin === undefined ? {} : { spin }) };
  const executor = await openExecutor(backend as "auto" | Backend, (reason) => note(`backend ${reason}`), settings);
  const given = threads !== undefined || spin !== undefined;
  if (given && executor.name !== "onnx") note(`backend ${executor.backend} has no use for --threads and --spin`);
  return executor;
}

/** Throws as `openBackend` does, and opens nothing. */
export async function requireBackend(name: string): Promise<void> {
  if (name === "auto") return;
  const { listExecutors, RunError } = await import("../runtime/index.js");
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
