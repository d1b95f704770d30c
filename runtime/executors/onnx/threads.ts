/** How many threads compute when nobody says. */

import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** Cores as Linux tells them: hyperthreads of one core share the units that multiply, so that two are no faster than one. */
function physicalCores(): number {
  const folder = "/sys/devices/system/cpu";
  try {
    const siblings = readdirSync(folder)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readFileSync(join(folder, name, "topology", "thread_siblings_list"), "utf8"));
    return new Set(siblings).size || Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** One for each core that this process may use. */
export const defaultThreads = (): number => Math.max(1, Math.min(availableParallelism(), physicalCores()));
