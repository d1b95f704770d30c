/** A file that no sample comes from: empty, cut off, damaged, too large, or of another kind than its name says. */

import { readPlainFile } from "../plain-file.js";
import { RunError } from "../run-error.js";

export class BrokenFile extends Error {
  override readonly name = "BrokenFile";
  constructor(
    readonly path: string,
    readonly why: string,
  ) {
    super(`${path}: ${why}`);
  }
}

/** The bytes of a sample's file. Throws `BrokenFile` for one larger than `most` or no plain file, else what the system says. */
export const bytesOfSample = (path: string, most: number): Promise<Uint8Array> =>
  readPlainFile(path, most, "it").catch((error: unknown) => {
    throw error instanceof RunError ? new BrokenFile(path, error.what) : error;
  });
