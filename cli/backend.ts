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
 * Throws a usage failure for a name that no backend has, and what the runtime says of one that is not here.
 */
export async function openBackend(flags: BackendFlags, note: (text: string) => void): Promise<Executor> {
  const { listExecutors, openExecutor } = await import("../runtime/index.js");
  const { backend: name, threads, spin } = flags;
  const settings = { ...(threads === undefined ? {} : { threads }), ...(spin === undefined ? {} : { spin }) };
  const open = async (choice: "auto" | Backend): Promise<Executor> => {
    const executor = await openExecutor(choice, note, settings);
    const given = threads !== undefined || spin !== undefined;
    if (given && executor.name !== "onnx") note(`${executor.backend} has no use for --threads and --spin`);
    return executor;
  };
  if (name === "auto") return open("auto");
  const known = [...new Set((await listExecutors()).map((executor) => executor.backend))];
  if (!known.includes(name)) {
    throw usageFailure(`there is no backend "${name}"`, {
      help: didYouMean(name, known) ?? `there are auto, ${known.join(", ")}; mae doctor says which are here`,
    });
  }
  return open(name as Backend);
}
