/**
 * The weights of encoders of maps as others keep them: dense and sparse kernels, layers of one place as kernels, vectors with axes of one
 * in front, and pixels in the order in which PyTorch shuffles them. Which weight is which follows from its name here.
 */

import { sizeOf } from "../../graph/index.js";

/** How the numbers of a weight lie in its file: as here; as a sparse kernel, the window in front; as pixels of several cells, the channel slowest. */
export type Kernel = "same" | { readonly sparse: readonly number[] } | { readonly shuffled: Shuffle };

/** What a weight of a file is here. */
export interface WeightHere {
  readonly shape: readonly number[];
  /** Of a convolution over the input: how many channels it reads; null: it is none. */
  readonly channels: number | null;
  /** How its numbers lie there; absent of a model of tokens, whose convolutions lie over patches. */
  readonly kernel?: Kernel;
}

/** Pixels that are drawn at a place of the deepest map. */
export interface Shuffle {
  readonly channels: number;
  /** Pixels of the place along each axis, and of a cell. */
  readonly stride: number;
  readonly cell: number;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Linear layers here, which others write as convolutions of one place. */
const linears = /^(proj|pred|decoder_pred)\.weight$|\.pwconv[12]\.weight$/;
const vectors = /\.(gamma|beta|bias)$/;
const tokens = /^(mask|hidden)_token$/;
/** What reads the input. */
const stems = /^(downsample_layers\.0\.0|patch_embed\.proj|conv1)\.weight$/;

/**
 * What a weight of a file is here.
 * @param name ours
 * @param there its name in the file
 */
export function kernelHere(name: string, there: string, shapes: Shapes): WeightHere {
  const shape = shapes.get(there) as readonly number[];
  const channels = stems.test(name) ? (shape[1] ?? null) : null;
  const size = sizeOf(shape);
  const shuffled = /(^|\.)decoder\.0\.(weight|bias)$/.test(there) ? shuffleOf(shape[0] ?? 0, shapes) : null;
  const kernel: Kernel = shuffled ? { shuffled } : "same";
  if (there.endsWith(".kernel")) return { ...sparseHere(shape), channels };
  if (linears.test(name)) return { shape: shape.slice(0, 1).concat(size / (shape[0] ?? 1)), channels, kernel };
  if (vectors.test(name)) return { shape: [size], channels, kernel };
  if (tokens.test(name)) return { shape: [1, 1, size], channels, kernel };
  return { shape, channels, kernel };
}

/** [window, inputs, outputs], or of each channel [window, channels] -> [outputs, inputs, side, side] */
function sparseHere(shape: readonly number[]): Pick<WeightHere, "shape" | "kernel"> {
  const [window = 0, inputs = 0, outputs] = shape;
  const side = Math.round(Math.sqrt(window));
  if (side * side !== window) return { shape, kernel: "same" };
  const here = outputs === undefined ? [inputs, 1, side, side] : [outputs, inputs, side, side];
  return { shape: here, kernel: { sparse: here } };
}

/** How `rows` pixels lie that are drawn at a place, by the convolution that cuts the input into cells; null: they fill no square of them. */
function shuffleOf(rows: number, shapes: Shapes): Shuffle | null {
  const [, stem] = [...shapes].find(([name]) => /\b(patch_embed\.proj|projection)\.weight$/.test(name)) ?? [];
  const [, channels = 0, cell = 0] = stem ?? [];
  const stride = Math.round(Math.sqrt(rows / channels));
  return cell > 0 && stride % cell === 0 && stride * stride * channels === rows ? { channels, stride, cell } : null;
}

/** The numbers of a weight in our order. */
export function kernelValues(kernel: Kernel, values: Float32Array): Float32Array {
  if (kernel === "same") return values;
  return "sparse" in kernel ? denseKernel(values, kernel.sparse) : rowsTaken(values, shuffledRows(kernel.shuffled));
}

/** The columns of a sparse window follow each other, and rows are within one. */
function denseKernel(values: Float32Array, shape: readonly number[]): Float32Array {
  const [outputs = 0, inputs = 0, side = 0] = shape;
  const result = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const [o, i] = [at % outputs, Math.floor(at / outputs) % inputs];
    const place = Math.floor(at / (outputs * inputs));
    const [column, row] = [Math.floor(place / side), place % side];
    result[((o * inputs + i) * side + row) * side + column] = values[at] as number;
  }
  return result;
}

/** The inverse: [outputs, inputs, side, side], or of each channel [channels, 1, side, side], as a sparse kernel. */
export function sparseKernel({ shape, values }: { readonly shape: readonly number[]; readonly values: Float32Array }) {
  const [outputs = 0, inputs = 0, side = 0] = shape;
  const result = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const [o, i] = [at % outputs, Math.floor(at / outputs) % inputs];
    const place = Math.floor(at / (outputs * inputs));
    const [column, row] = [Math.floor(place / side), place % side];
    result[at] = values[((o * inputs + i) * side + row) * side + column] as number;
  }
  return { shape: inputs === 1 ? [side * side, outputs] : [side * side, inputs, outputs], values: result };
}

/** Of each of our rows, cell by cell and the channel fastest, the one that PyTorch's shuffle of pixels has for it. */
export function shuffledRows({ channels, stride, cell }: Shuffle): Int32Array {
  const rows = new Int32Array(channels * stride * stride);
  const across = stride / cell;
  for (let row = 0; row < stride; row++) {
    for (let column = 0; column < stride; column++) {
      const inCell = (row % cell) * cell + (column % cell);
      const ofCell = Math.floor(row / cell) * across + Math.floor(column / cell);
      for (let c = 0; c < channels; c++) {
        rows[(ofCell * cell * cell + inCell) * channels + c] = (c * stride + row) * stride + column;
      }
    }
  }
  return rows;
}

/** Rows of a matrix in another order. */
function rowsTaken(values: Float32Array, rows: Int32Array): Float32Array {
  const width = values.length / rows.length;
  const result = new Float32Array(values.length);
  for (const [to, from] of rows.entries()) result.set(values.subarray(from * width, (from + 1) * width), to * width);
  return result;
}
