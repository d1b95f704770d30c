/** Samples of a batch mixed in pairs, the first with the second, the third with the fourth: their arrays and their labels. */

import { type ArrayShape, arrayLength, type ImageShape, type Mixing, planesOf } from "../../blocks/index.js";

/** Mixes the numbers of the pairs of a batch where they lie, `length` of each sample. */
export function mixNumbers(values: Float32Array, length: number, share: number): void {
  for (let first = 0; first < values.length; first += 2 * length) {
    for (let i = first; i < first + length; i++) {
      const [a, b] = [values[i] as number, values[i + length] as number];
      values[i] = share * a + (1 - share) * b;
      values[i + length] = share * b + (1 - share) * a;
    }
  }
}

/** Mixes the arrays of the pairs of a batch where they lie. */
export function mixArrays(values: Float32Array, shape: ArrayShape, { share, box }: Mixing): void {
  const length = arrayLength(shape);
  if (box === null) {
    mixNumbers(values, length, share);
    return;
  }
  const planes = planesOf(shape);
  const rows = rowsIn(planes.shape, box);
  for (let first = 0; first < values.length; first += 2 * length) {
    for (let plane = 0; plane < planes.count; plane++) {
      const start = first + (plane * length) / planes.count;
      for (const { from, to } of rows) swap(values, start + from, start + to, length);
    }
  }
}

/** Where the rows of a box lie in a picture. */
const rowsIn = ({ width, channels }: ImageShape, box: NonNullable<Mixing["box"]>) =>
  Array.from({ length: box.height }, (_, y) => {
    const from = ((box.top + y) * width + box.left) * channels;
    return { from, to: from + box.width * channels };
  });

/** Exchanges numbers with those that lie so far behind them. */
function swap(values: Float32Array, from: number, to: number, distance: number): void {
  const kept = values.slice(from, to);
  values.copyWithin(from, from + distance, to + distance);
  values.set(kept, from + distance);
}
