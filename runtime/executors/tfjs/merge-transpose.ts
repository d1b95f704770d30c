/**
 * Transposing with neighbouring axes merged. Backends are fast up to four axes and some stop at five or six; cutting an
 * image into patches needs six, of which only four move apart.
 */

export interface MergedTranspose {
  readonly shape: readonly number[];
  readonly permutation: readonly number[];
}

/** The same transpose over as few axes as it can be said with: size-1 axes dropped, neighbours that stay so merged. */
export function mergeTranspose(shape: readonly number[], permutation: readonly number[]): MergedTranspose {
  const order = permutation.filter((axis) => shape[axis] !== 1);
  const present = order.toSorted((a, b) => a - b);
  const follows = (axis: number, previous: number | undefined): boolean =>
    previous !== undefined && present.indexOf(axis) === present.indexOf(previous) + 1;

  const groups: number[][] = [];
  order.forEach((axis, i) => {
    if (follows(axis, order[i - 1])) groups.at(-1)?.push(axis);
    else groups.push([axis]);
  });
  const sources = groups.toSorted((a, b) => (a[0] as number) - (b[0] as number));
  return {
    shape: sources.map((group) => group.reduce((size, axis) => size * (shape[axis] as number), 1)),
    permutation: groups.map((group) => sources.indexOf(group)),
  };
}
