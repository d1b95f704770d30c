/** A file that no sample comes from: empty, cut off, damaged, too large, or of another kind than its name says. */

export class BrokenFile extends Error {
  override readonly name = "BrokenFile";
  constructor(
    readonly path: string,
    readonly why: string,
  ) {
    super(`${path}: ${why}`);
  }
}
