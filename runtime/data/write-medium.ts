/** Files that people look at or listen to, written with their folders. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { RunError, reasonOf } from "../run-error.js";

/** Throws `run/unwritable`. */
export async function writeMedium(path: string, kind: "picture" | "sound", bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  } catch (error) {
    throw new RunError(
      "run/unwritable",
      {
        what: `The ${kind} ${path} cannot be written`,
        why: reasonOf(error),
        help: "Name another file, or check that you may write there.",
      },
      { cause: error },
    );
  }
}
