/** How much a shape that is said has in common with the one that is there, place by place and between their surfaces. */

import { surfaceWays } from "./surfaces.js";

/** Of one sample. */
export interface ShapeErrors {
  /** Filled places of both, as a share of those that either has; 1 where neither has any. */
  readonly iou: number;
  /** The mean distance from one surface to the other, and back, halved, in places; NaN where one of them has no place. */
  readonly chamfer: number;
  /** Harmonic mean of the shares of both surfaces that lie near the other; 0 where one of them has no place. */
  readonly fScore: number;
  /** Whether only one of them has places. */
  readonly missed: boolean;
  /** The class of the sample; -1 where there is none. */
  readonly class: number;
}

/** `said`, `there`: 1 where a place is filled. `near`: the distance within which a place of a surface counts as found. */
export function shapeErrors(
  said: Uint8Array,
  there: Uint8Array,
  sizes: readonly number[],
  near: number,
): Omit<ShapeErrors, "class"> {
  let [both, either] = [0, 0];
  for (const [at, own] of said.entries()) {
    if (own === 1 && there[at] === 1) both++;
    if (own === 1 || there[at] === 1) either++;
  }
  const ways = surfaceWays(
    (at) => said[at] === 1,
    (at) => there[at] === 1,
    sizes,
  );
  if (ways === null) {
    const none = either === 0;
    return { iou: none ? 1 : 0, chamfer: Number.NaN, fScore: none ? 1 : 0, missed: !none };
  }
  const means = ways.map((way) => way.reduce((sum, distance) => sum + distance, 0) / way.length);
  const [precision, recall] = ways.map((way) => way.filter((distance) => distance <= near).length / way.length) as [
    number,
    number,
  ];
  return {
    iou: both / either,
    chamfer: ((means[0] as number) + (means[1] as number)) / 2,
    fScore: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    missed: false,
  };
}

/**
 * Of places that are filled so often, those that overlap most with all samples together, 1 where they are: as many of the most frequent as
 * make the sum of what is in both, as a share of the sum of what is in either, the largest.
 */
export function likeliestShape(often: Float64Array): Uint8Array {
  const order = Array.from(often.keys()).sort((a, b) => (often[b] as number) - (often[a] as number));
  const filled = often.reduce((sum, share) => sum + share, 0);
  let [common, best, count] = [0, 0, 0];
  for (const [i, at] of order.entries()) {
    common += often[at] as number;
    const share = common / (i + 1 + filled - common);
    if (share > best) [best, count] = [share, i + 1];
  }
  const shape = new Uint8Array(often.length);
  for (const at of order.slice(0, count)) shape[at] = 1;
  return shape;
}
