/**
 * Transposes said with few axes. Backends are fast up to four axes and some stop at six; cutting an image into patches
 * needs six, of which only four move apart.
 */

export interface Transpose {
  readonly shape: readonly number[];
  readonly permutation: readonly number[];
}

/** The same transpose over as few axes as it can be said with: size-1 axes dropped, neighbours that stay so merged. */
export function mergeTranspose(shape: readonly number[], permutation: readonly number[]): Transpose {
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
    shape: sources.map((group) => product(group.map((axis) => shape[axis] as number))),
    permutation: groups.map((group) => sources.indexOf(group)),
  };
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/**
 * The transpose as steps of at most `most` axes each, four or more; none where nothing moves. Every step brings one axis
 * to its place: [done, passed over, axis, rest] -> [done, axis, passed over, rest].
 */
export function transposeSteps(shape: readonly number[], permutation: readonly number[], most: number): Transpose[] {
  const merged = mergeTranspose(shape, permutation);
  if (merged.permutation.length <= 1) return [];
  if (merged.permutation.length <= most) return [merged];
  const order = merged.shape.map((_, axis) => axis);
  const steps: Transpose[] = [];
  const sizes = (axes: readonly number[]): number => product(axes.map((axis) => merged.shape[axis] as number));
  merged.permutation.forEach((axis, to) => {
    const from = order.indexOf(axis);
    if (from === to) return;
    const parts = [order.slice(0, to), order.slice(to, from), [axis], order.slice(from + 1)];
    steps.push(mergeTranspose(parts.map(sizes), [0, 2, 1, 3]));
    order.splice(to, 0, ...order.splice(from, 1));
  });
  return steps;
}
