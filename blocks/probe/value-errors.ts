/** How far numbers that are said of places lie from those that are there, summed place by place. */

/** Ratios of what is said and what is there that count as near, to the powers 1, 2 and 3. */
const near = 1.25;

/** Sums over the places of a sample that have a value. */
export interface ValueErrors {
  readonly places: number;
  readonly squared: number;
  readonly absolute: number;
  /** Of places whose value is above zero: how many, and the sum of differences as shares of values. */
  readonly positive: number;
  readonly relative: number;
  /** Of these, how many are said within each power of 1.25. */
  readonly within: readonly [number, number, number];
}

/** `there`: of each place its value and whether it has one. */
export function valueErrorsOf(said: ArrayLike<number>, there: ArrayLike<number>): ValueErrors {
  let [places, squared, absolute, positive, relative] = [0, 0, 0, 0, 0];
  const within: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < said.length; i++) {
    if (there[2 * i + 1] !== 1) continue;
    const [own, value] = [said[i] as number, there[2 * i] as number];
    const error = Math.abs(own - value);
    places++;
    squared += error * error;
    absolute += error;
    if (value <= 0) continue;
    positive++;
    relative += error / value;
    const ratio = own > 0 ? Math.max(own / value, value / own) : Number.POSITIVE_INFINITY;
    for (const k of [0, 1, 2] as const) if (ratio < near ** (k + 1)) within[k]++;
  }
  return { places, squared, absolute, positive, relative, within };
}
