/** How much memory a process may have, for what is planned into it and refused before it is taken. */

import { totalmem } from "node:os";

/** Bytes of the machine, or of the container that this process is kept in. */
export function machineMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
