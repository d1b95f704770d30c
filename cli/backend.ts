/** Opening the executor that `--backend` names, and saying which one `auto` took. */

import type { Backend, Executor } from "../runtime/index.js";
import { usageFailure } from "./failure.js";
import { didYouMean } from "./nearest.js";

/**
 * `name`: `auto` or a backend. `note` hears which one `auto` took and why.
 *
 * Throws a usage failure for a name that no backend has, and what the runtime says of one that is not here.
 */
export async function openBackend(name: string, note: (text: string) => void): Promise<Executor> {
  const { listExecutors, openExecutor } = await import("../runtime/index.js");
  if (name === "auto") return openExecutor("auto", note);
  const known = [...new Set((await listExecutors()).map((executor) => executor.backend))];
  if (!known.includes(name)) {
    throw usageFailure(`there is no backend "${name}"`, {
      help: didYouMean(name, known) ?? `there are auto, ${known.join(", ")}; mae doctor says which are here`,
    });
  }
  return openExecutor(name as Backend);
}
