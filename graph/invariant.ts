/** Errors of our own making: a caller inside this program broke a rule that no user's text or data can break. */

export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws an `InvariantError` saying `what` unless the condition holds. */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new InvariantError(what);
}
