/**
 * A process that tries for the lock of each of many folders at the same moments as others of its kind, and writes into the folder when it
 * has it and when it leaves it. Arguments: the folder of the folders, how many there are, the first moment, milliseconds between two.
 */

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { lockRun } from "../../cli/runs/run-lock.js";

const [root = "", rounds, first, apart] = process.argv.slice(2);

for (let round = 0; round < Number(rounds); round++) {
  const directory = join(root, String(round));
  const tell = (what: string) => appendFileSync(join(directory, "held"), `${what} ${process.pid}\n`);
  while (Date.now() < Number(first) + round * Number(apart));
  try {
    const leave = lockRun(directory);
    tell("in");
    const end = performance.now() + 2;
    while (performance.now() < end);
    tell("out");
    leave();
  } catch (error) {
    if (!(error instanceof Error && error.message.includes("is training in"))) throw error;
  }
}
