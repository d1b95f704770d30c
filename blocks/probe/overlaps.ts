/** How the classes that are said of places lie over those that are there, counted place by place. */

/** Of one sample, for each class: places where both say it, where it is said, and where it is; of those that count. */
export interface Overlaps {
  readonly common: Float64Array;
  readonly said: Float64Array;
  readonly there: Float64Array;
}

/** A sample of whose places a head has said the classes. */
export interface JudgedPlaces {
  readonly overlaps: Overlaps;
  /** Of each class, how far both surfaces lie apart, where a probe measures them: see `surfaceDistances`. */
  readonly surfaces?: readonly number[];
  /** Where classes were moved by a head: how they lay before, and the share of places at which it folds. */
  readonly moved?: { readonly before: Overlaps; readonly folded: number };
  /** Of a cloud, its class, null where that makes no difference, and which of the classes of places are parts of it. */
  readonly parts?: { readonly class: number | null; readonly first: number; readonly count: number };
}

/** Places whose class is below zero do not count. */
export function overlapsOf(said: ArrayLike<number>, there: ArrayLike<number>, classes: number): Overlaps {
  const counts: Overlaps = {
    common: new Float64Array(classes),
    said: new Float64Array(classes),
    there: new Float64Array(classes),
  };
  const add = (to: Float64Array, k: number): void => {
    to[k] = (to[k] as number) + 1;
  };
  for (let i = 0; i < there.length; i++) {
    const [own, other] = [there[i] as number, said[i] as number];
    if (own < 0) continue;
    add(counts.there, own);
    add(counts.said, other);
    if (own === other) add(counts.common, own);
  }
  return counts;
}

/** Those of all samples together. */
export function together(all: readonly Overlaps[], classes: number): Overlaps {
  const sum = (of: (one: Overlaps) => Float64Array): Float64Array =>
    Float64Array.from({ length: classes }, (_, k) => all.reduce((total, one) => total + (of(one)[k] as number), 0));
  return { common: sum(({ common }) => common), said: sum(({ said }) => said), there: sum(({ there }) => there) };
}

/** Shares of classes, NaN of one that is neither said nor there. */
export interface ClassShares {
  /** Both over either. */
  readonly iou: readonly number[];
  /** Twice both over the sum. */
  readonly dice: readonly number[];
}

export function sharesOf({ common, said, there }: Overlaps): ClassShares {
  const own = (k: number) => [common[k], (said[k] as number) + (there[k] as number)] as [number, number];
  return {
    iou: Array.from(common, (_, k) => own(k)[0] / (own(k)[1] - own(k)[0])),
    dice: Array.from(common, (_, k) => (2 * own(k)[0]) / own(k)[1]),
  };
}

/** The mean of those that are numbers; NaN of none. */
export function meanOf(shares: readonly number[]): number {
  const known = shares.filter((share) => !Number.isNaN(share));
  return known.reduce((sum, share) => sum + share, 0) / known.length;
}
