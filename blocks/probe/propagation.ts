/** Labels carried along a sequence of frames: each place takes those of the most alike places near it in frames before, as DINO is judged by. */

/** How labels are carried. */
export interface Propagation {
  /** Frames before, besides the first. */
  readonly queue: number;
  /** Most alike places that count. */
  readonly top: number;
  /** How many rows and columns away they may lie. */
  readonly radius: number;
  readonly temperature: number;
}

export interface GridSize {
  readonly rows: number;
  readonly columns: number;
}

/** A frame of which labels are known: the features of its places, [N, D], each of length 1, and the share of each label, [N, K]. */
interface KnownFrame {
  readonly features: Float32Array;
  readonly labels: Float64Array;
}

/** Carries the labels of a first frame through the frames that it is given in their order. */
export class Carrier {
  readonly #grid: GridSize;
  readonly #how: Propagation;
  readonly #kinds: number;
  readonly #first: KnownFrame;
  readonly #queue: KnownFrame[] = [];

  /** features [N, D]; labels [N]: the label of each place, below `kinds` */
  constructor(features: Float32Array, labels: Int32Array, kinds: number, grid: GridSize, how: Propagation) {
    this.#grid = grid;
    this.#how = how;
    this.#kinds = kinds;
    const shares = new Float64Array(labels.length * kinds);
    for (const [at, label] of labels.entries()) shares[at * kinds + label] = 1;
    this.#first = { features: ofLengthOne(features, labels.length), labels: shares };
  }

  /** features [N, D] of the next frame -> shares of labels [N, K] */
  next(features: Float32Array): Float64Array {
    const { rows, columns } = this.#grid;
    const own = ofLengthOne(features, rows * columns);
    const known = [this.#first, ...this.#queue];
    const labels = new Float64Array(rows * columns * this.#kinds);
    for (let at = 0; at < rows * columns; at++) this.#take(own, at, known, labels);
    this.#queue.push({ features: own, labels });
    if (this.#queue.length > this.#how.queue) this.#queue.shift();
    return labels;
  }

  /** What one place takes of the most alike places of known frames. */
  #take(own: Float32Array, at: number, known: readonly KnownFrame[], labels: Float64Array): void {
    const { rows, columns } = this.#grid;
    const { top, radius, temperature } = this.#how;
    const width = own.length / (rows * columns);
    const [y, x] = [Math.floor(at / columns), at % columns];
    const near: { readonly frame: KnownFrame; readonly place: number; readonly weight: number }[] = [];
    for (const frame of known) {
      for (let row = Math.max(0, y - radius); row <= Math.min(rows - 1, y + radius); row++) {
        for (let column = Math.max(0, x - radius); column <= Math.min(columns - 1, x + radius); column++) {
          const place = row * columns + column;
          near.push({ frame, place, weight: Math.exp(dot(own, at, frame.features, place, width) / temperature) });
        }
      }
    }
    const weights = Float64Array.from(near, ({ weight }) => weight).sort();
    const least = weights[Math.max(0, weights.length - top)] as number;
    const chosen = near.filter(({ weight }) => weight >= least);
    const total = chosen.reduce((sum, { weight }) => sum + weight, 0);
    for (const { frame, place, weight } of chosen) {
      for (let k = 0; k < this.#kinds; k++) {
        const to = at * this.#kinds + k;
        labels[to] = (labels[to] as number) + (weight / total) * (frame.labels[place * this.#kinds + k] as number);
      }
    }
  }
}

function dot(a: Float32Array, i: number, b: Float32Array, j: number, width: number): number {
  let sum = 0;
  for (let d = 0; d < width; d++) sum += (a[i * width + d] as number) * (b[j * width + d] as number);
  return sum;
}

function ofLengthOne(features: Float32Array, count: number): Float32Array {
  const width = features.length / count;
  const result = new Float32Array(features.length);
  for (let i = 0; i < count; i++) {
    const length = Math.max(Math.sqrt(dot(features, i, features, i, width)), 1e-12);
    for (let d = 0; d < width; d++) result[i * width + d] = (features[i * width + d] as number) / length;
  }
  return result;
}

/**
 * The label of each place of a frame of another size: shares are linear between the centres of places, those of each label are brought to 0..1
 * over the frame, and the largest counts.
 */
export function labelsAt(shares: Float64Array, kinds: number, grid: GridSize, size: GridSize): Int32Array {
  const [rows, columns] = [between(grid.rows, size.rows), between(grid.columns, size.columns)];
  const places = size.rows * size.columns;
  const best = new Float64Array(places).fill(Number.NEGATIVE_INFINITY);
  const labels = new Int32Array(places);
  const map = new Float64Array(places);
  for (let k = 0; k < kinds; k++) {
    const value = (row: number, column: number): number => shares[(row * grid.columns + column) * kinds + k] as number;
    for (const [y, row] of rows.entries()) {
      for (const [x, column] of columns.entries()) {
        const along = (r: number): number =>
          (1 - column.share) * value(r, column.first) + column.share * value(r, column.second);
        map[y * size.columns + x] = (1 - row.share) * along(row.first) + row.share * along(row.second);
      }
    }
    const [least, most] = rangeOf(map);
    for (const [at, share] of map.entries()) {
      const level = most > 0 && most > least ? (share - least) / (most - least) : share;
      if (level <= (best[at] as number)) continue;
      best[at] = level;
      labels[at] = k;
    }
  }
  return labels;
}

function rangeOf(values: Float64Array): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return [least, most];
}

/** The two places between which each of `size` lies along an axis of `length`, and what of the second. */
const between = (length: number, size: number) =>
  Array.from({ length: size }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * length) / size - 0.5);
    const first = Math.min(length - 1, Math.floor(at));
    return { first, second: Math.min(length - 1, first + 1), share: at - first };
  });

/** Labels of places at another size, each of the place in whose middle it lies. */
export function labelsResized(labels: ArrayLike<number>, from: GridSize, to: GridSize): Int32Array {
  const source = (i: number, length: number, size: number): number => Math.floor(((i + 0.5) * length) / size);
  return Int32Array.from({ length: to.rows * to.columns }, (_, at) => {
    const row = source(Math.floor(at / to.columns), from.rows, to.rows);
    return labels[row * from.columns + source(at % to.columns, from.columns, to.columns)] as number;
  });
}
