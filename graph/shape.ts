/**
 * Shapes and element types. At run time a shape is a list of whole numbers; in types it is a tuple of literals,
 * with "B" for the batch, so that TypeScript finds a wrong shape at the line that made it.
 */

export type DType = "float32" | "int32" | "bool";

/** An axis that follows the batch: "B" has as many rows as there are samples, "8B" eight for each, sample by sample. */
export type Rows = "B" | `${number}B`;

/** `K` rows for each sample. */
export type RowsOf<K extends number> = number extends K ? Rows : K extends 1 ? "B" : `${K}B`;

/** The number of rows in a batch of so many samples. */
export const rowsIn = (rows: Rows, batch: number): number => Number(rows.slice(0, -1) || 1) * batch;

/** One axis in a type: a literal size, `number` when unknown, or rows. */
export type Dim = number | Rows;
export type Dims = Dim[];

declare const dims: unique symbol;

/**
 * A value of a graph: output number `index` of `node`. `S` exists only in types.
 * Tensors compute nothing; an executor gives them numbers.
 */
export interface Tensor<S extends Dims = Dims, T extends DType = DType> {
  readonly node: import("./graph.js").Node;
  readonly index: number;
  readonly shape: readonly number[];
  readonly dtype: T;
  readonly [dims]?: S;
}

export type TypedArray = Float32Array | Int32Array | Uint8Array | Float64Array;

/** Number of elements. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** The first axis that has so many equal parts, each of something; -1: none has. */
export const evenAxis = (shape: readonly number[], parts: number): number =>
  shape.findIndex((size) => size > 0 && size % parts === 0);

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** `[2, 16, 64]`, or `[]` for a scalar. */
export const showShape = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** Bytes of one element; bool is stored as one byte. */
export const bytesOf: { readonly [T in DType]: number } = { float32: 4, int32: 4, bool: 1 };

/** The array that holds a tensor's elements outside the reference. */
export const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
