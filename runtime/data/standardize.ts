/** Numbers of one sample less their mean, divided by their standard deviation: all together, or channel by channel. */

/** What is standardised as one. */
export type Together = "sample" | "channel";

type Floats = Float64Array | Float32Array;

/** `parts`: the channels of one sample. What never varies becomes 0. `only`: of which numbers the statistics are; the others stay. */
export function standardized<T extends Floats>(
  parts: readonly T[],
  over: Together,
  only: (value: number) => boolean = () => true,
): readonly T[] {
  const shared = over === "sample" ? statisticsOf(parts, only) : null;
  return parts.map((values) => {
    const { mean, deviation } = shared ?? statisticsOf([values], only);
    return values.map((value) => (only(value) ? (value - mean) / deviation : value)) as T;
  });
}

function statisticsOf(parts: readonly Floats[], only: (value: number) => boolean) {
  let [count, sum, squares] = [0, 0, 0];
  for (const values of parts) for (const value of values) if (only(value)) [count, sum] = [count + 1, sum + value];
  const mean = count === 0 ? 0 : sum / count;
  for (const values of parts) for (const value of values) if (only(value)) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / Math.max(1, count));
  return { mean, deviation: deviation > 0 ? deviation : 1 };
}

/** In place, of an array whose channels come last. */
export function standardizeArray(
  numbers: Float32Array,
  channels: number,
  { over, nonzero }: { readonly over: Together; readonly nonzero: boolean },
): void {
  const length = numbers.length / channels;
  const parts = Array.from({ length: channels }, (_, c) =>
    Float32Array.from({ length }, (_, i) => numbers[i * channels + c] as number),
  );
  const done = standardized(parts, over, nonzero ? (value) => value !== 0 : undefined);
  for (const [c, values] of done.entries())
    for (let i = 0; i < length; i++) numbers[i * channels + c] = values[i] as number;
}
