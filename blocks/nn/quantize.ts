/**
 * Numbers that take few values, and the codes that they make: finite scalar quantisation. A place has so many numbers, each one of so many
 * levels from -1 to 1; its code is the number that its levels are the digits of, the first of which counts for one.
 */

import {
  type Builder,
  type Dims,
  type DType,
  type Mul,
  type Product,
  type Rows,
  type RowsOf,
  sizeOf,
  type Tensor,
} from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import { claim, layer } from "./layer.js";
import type { EmbeddingParameters } from "./text.js";

/** How many levels each number of a place has. */
interface Levels {
  readonly levels: readonly number[];
}

/** How far the outermost levels are from the ends of what tanh gives, so that they are reached. */
const margin = 1e-3;

const row = (g: Builder, values: readonly number[]): Tensor => g.constant(Float32Array.from(values), [values.length]);

/** Levels on each side of the middle one; of an even number, below it. */
const half = (levels: number): number => Math.floor(levels / 2);

/** What a level of each number counts in a code. */
const placesOf = (levels: readonly number[]): readonly number[] => levels.map((_, i) => sizeOf(levels.slice(0, i)));

/** x [B, ...S, L] -> the nearest level of each number, in -1..1. The gradient is that of the bounded number, as if it were not rounded. */
export const nearestLevels = layer(
  "nearestLevels",
  <B extends Rows, S extends number[], L extends number>(
    g: Builder,
    x: Tensor<[B, ...S, L]>,
    { levels }: Levels,
  ): Tensor<[B, ...S, L]> => {
    const reach = levels.map((n) => ((n - 1) * (1 - margin)) / 2);
    const offset = levels.map((n) => (n % 2 === 1 ? 0 : 0.5));
    const shift = offset.map((by, i) => Math.tan(by / (reach[i] as number)));
    const moved = g.tanh(g.add(x as Tensor, row(g, shift)));
    const bounded = g.sub(g.mul(moved, row(g, reach)), row(g, offset));
    const rounded = g.floor(g.add(bounded, 0.5));
    const passed = g.add(bounded, g.stopGradient(g.sub(rounded, bounded)));
    return claim(g.div(passed, row(g, levels.map(half))));
  },
);

/** Levels [B, ...S, L], see `nearestLevels` -> the code of each place, int32 [B, N] in raster order. */
export const codesOfLevels = layer(
  "codesOfLevels",
  <B extends Rows, S extends number[], L extends number>(
    g: Builder,
    values: Tensor<[B, ...S, L]>,
    { levels }: Levels,
  ): Tensor<[B, Product<S>], "int32"> => {
    const digits = g.mul(g.add(values as Tensor, 1), row(g, levels.map(half)));
    const counted = g.sum(g.mul(digits, row(g, placesOf(levels))), [-1]);
    const [batch, ...places] = counted.shape as readonly [number, ...number[]];
    // The nearest whole number, of what a level is by a division.
    return claim(g.cast(g.floor(g.add(g.reshape(counted, [batch, sizeOf(places)]), 0.5)), "int32"));
  },
);

/** Codes int32 [B, N] of places in raster order, so many along each axis -> their levels [B, ...S, L]: what `codesOfLevels` was given. */
export const levelsOfCodes = layer(
  "levelsOfCodes",
  <B extends Rows, const S extends Dims, L extends number>(
    g: Builder,
    codes: Tensor<[B, number], "int32">,
    { levels, counts }: Levels & { readonly counts: S },
  ): Tensor<[B, ...S, L]> => {
    const batch = codes.shape[0] as number;
    const numbers = g.reshape(g.cast(codes, "float32"), [batch, ...counts.map(Number), 1]) as Tensor;
    const upTo = placesOf(levels);
    // Shares whose ends lie between whole numbers are rounded down alike, however they are computed.
    const share = (of: readonly number[]): Tensor =>
      g.floor(
        g.mul(
          g.add(numbers, 0.5),
          row(
            g,
            of.map((n) => 1 / n),
          ),
        ),
      );
    const above = upTo.map((n, i) => n * (levels[i] as number));
    const digits = g.sub(share(upTo), g.mul(share(above), row(g, levels)));
    return claim(g.sub(g.div(digits, row(g, levels.map(half))), 1));
  },
);

/** array [B, T, ...S, C] -> its frames as rows, [TB, ...S, C], those of a sample one after the other. */
export const framesInRows = layer(
  "framesInRows",
  <T extends number, R extends number[]>(g: Builder, array: Tensor<["B", T, ...R]>): Tensor<[RowsOf<T>, ...R]> => {
    const [batch, frames, ...rest] = array.shape as readonly [number, number, ...number[]];
    return claim(g.reshape(array, [batch * frames, ...rest]));
  },
);

/** What is of frames in rows, [TB, N, ...R] -> [B, T N, ...R]. */
export const framesTogether = layer(
  "framesTogether",
  <const T extends number, N extends number, R extends number[], K extends DType>(
    g: Builder,
    x: Tensor<[Rows, N, ...R], K>,
    o: { readonly frames: T },
  ): Tensor<["B", Mul<T, N>, ...R], K> => {
    const [rows, count, ...rest] = x.shape as readonly [number, number, ...number[]];
    return claim(g.reshape(x as Tensor, [rows / o.frames, o.frames * count, ...rest]));
  },
);

/** The inverse: x [B, T N, ...R] -> [TB, N, ...R]. */
export const framesApart = layer(
  "framesApart",
  <const T extends number, const N extends number, R extends number[], K extends DType>(
    g: Builder,
    x: Tensor<["B", number, ...R], K>,
    o: { readonly frames: T; readonly count: N },
  ): Tensor<[RowsOf<T>, N, ...R], K> => {
    const [batch, , ...rest] = x.shape as readonly [number, number, ...number[]];
    return claim(g.reshape(x as Tensor, [batch * o.frames, o.count, ...rest]));
  },
);

/** map [B, ...S, D] -> [B, ...S, 1]: 1 at every place, of which none is hidden. */
export const everyPlace = layer(
  "everyPlace",
  <B extends Rows, S extends number[]>(g: Builder, map: Tensor<[B, ...S, number]>): Tensor<[B, ...S, 1]> =>
    claim(g.constant(1, [...(map.shape as readonly number[]).slice(0, -1), 1])),
);

/** codes int32 [B, N] -> their rows of a table [B, N, D]. */
export const embedCodes = layer(
  "embedCodes",
  <B extends Rows, N extends number, V extends number, D extends number>(
    g: Builder,
    codes: Tensor<[B, N], "int32">,
    w: Weights<EmbeddingParameters<V, D>>,
  ): Tensor<[B, N, D]> => claim(g.lookUp(w.weight, codes)),
);

/** The codes of arrays [B, N], or those that are fed in their place where some are being generated. */
export const knownCodes = layer(
  "knownCodes",
  <B extends Rows, N extends number>(
    _: Builder,
    codes: Tensor<[B, N], "int32">,
    fed: Tensor<[NoInfer<B>, NoInfer<N>], "int32"> | undefined,
  ): Tensor<[B, N], "int32"> => fed ?? codes,
);

/** codes int32 [B, N] as a target, [B, N, 1]. */
export const codesWanted = layer(
  "codesWanted",
  <B extends Rows, N extends number>(g: Builder, codes: Tensor<[B, N], "int32">): Tensor<[B, N, 1]> => {
    const [batch, count] = codes.shape as readonly [number, number];
    return claim(g.reshape(g.cast(codes, "float32"), [batch, count, 1]));
  },
);
