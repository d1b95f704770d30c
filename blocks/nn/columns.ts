/** Of tables: tokens of columns, and how far what is predicted of columns is from what they hold. */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import { type ArrayShape, tableChannels } from "../arrays.js";
import { type Parameter, parameter, type Weights } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";

/** A table [B, N, 2], see `TableShape`. */
type Table<B extends Rows, N extends number> = Tensor<[B, N, 2]>;

/** Of each column how many categories it has; 0: it holds a number. */
export type Categories = readonly number[];

export const categoriesOf = ({ table }: ArrayShape): Categories =>
  (table?.columns ?? []).map((column) => (column.kind === "category" ? column.categories.length : 0));

/** Where the numbers of each column begin, of so many for each. */
function startsOf(counts: readonly number[]): readonly number[] {
  let start = 0;
  return counts.map((count) => {
    start += count;
    return start - count;
  });
}

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Rows of the table of vectors that each column has, without that of what is missing. */
const rowsOf = (categories: Categories): readonly number[] => categories.map((count) => Math.max(1, count));

/** What is predicted of a column: a number that all columns of numbers share, and behind it a logit for each category of each column. */
export const columnOutputs = (categories: Categories): number => (categories.includes(0) ? 1 : 0) + sumOf(categories);

/** Where the logits of each column begin. */
const logitsOf = (categories: Categories): readonly number[] =>
  startsOf(categories).map((start) => start + (categories.includes(0) ? 1 : 0));

export type ColumnParameters<D extends number> = {
  readonly weight: Parameter<[number, D]>;
  readonly bias: Parameter<[number, D]>;
};

/**
 * A vector for each column of numbers and for each category, then one for each column where its value is missing, normal with deviation
 * 0.02, cut at twice that; and one that is added for each column, zero at first.
 */
export const columnParameters = declarer(
  "columnParameters",
  <D extends number>(categories: Categories, width: D): ColumnParameters<D> => ({
    weight: parameter([sumOf(rowsOf(categories)) + categories.length, width], { kind: "truncated_normal", std: 0.02 }),
    bias: parameter([categories.length, width], { kind: "zeros" }),
  }),
) as <D extends number>(categories: Categories, width: D) => ColumnParameters<D>;

/** One channel of a table [B, N, 2] -> [B, N]. */
function channel(g: Builder, table: Tensor, name: keyof typeof tableChannels): Tensor {
  const [batch, columns] = table.shape as [number, number, number];
  return g.reshape(g.slice(table, [0, 0, tableChannels[name]], [batch, columns, 1]), [batch, columns]);
}

/** A number for each column, [N]. */
const each = (g: Builder, numbers: readonly number[]): Tensor =>
  g.constant(Float32Array.from(numbers), [numbers.length]);

const isNumber = (categories: Categories): readonly number[] => categories.map((count) => (count === 0 ? 1 : 0));

/** table [B, N, 2] -> tokens [B, N, D]: the vector of a column times its number, or that of its category, or of what is missing. */
export const embedColumns = layer(
  "embedColumns",
  <B extends Rows, N extends number, D extends number>(
    g: Builder,
    table: Table<B, N>,
    w: Weights<ColumnParameters<D>>,
    o: { readonly categories: Categories },
  ): Tensor<[B, N, D]> => {
    const rows = rowsOf(o.categories);
    const [value, known] = [channel(g, table, "value"), channel(g, table, "known")];
    const missing = each(
      g,
      rows.map((_, column) => sumOf(rows) + column),
    );
    const numbers = each(g, isNumber(o.categories));
    const isCategory = each(
      g,
      o.categories.map((count) => (count === 0 ? 0 : 1)),
    );
    const ofValue = g.add(g.mul(value, isCategory), each(g, startsOf(rows)));
    const row = g.add(missing, g.mul(known, g.sub(ofValue, missing))); // [B, N]
    const isScaled = g.mul(known, numbers);
    const factor = g.add(g.mul(isScaled, g.sub(value, 1)), 1);
    const [batch, columns] = row.shape as [number, number];
    const vectors = g.lookUp(claim<[number, D]>(w.weight), g.cast(row, "int32"));
    return claim(g.add(g.mul(vectors, g.reshape(factor, [batch, columns, 1])), w.bias));
  },
);

/** table [B, N, 2] -> what is to be predicted of each column: its value, and whether it is known, [B, N, 2]. */
export const columnTargets = layer(
  "columnTargets",
  <B extends Rows, N extends number>(_: Builder, table: Table<B, N>): Table<B, N> => table,
);

/** wanted [B, N, 2] -> 1 where a value is known, 0 where it is missing, [B, N]. */
export const knownColumns = layer(
  "knownColumns",
  <B extends Rows, N extends number>(g: Builder, wanted: Table<B, N>): Tensor<[B, N]> =>
    claim(channel(g, wanted, "known")),
);

/** What a logit that does not belong to a column becomes: exp of it is 0. */
const never = -1e9;

/**
 * prediction [B, N, P], wanted [B, N, 2] -> of columns of numbers the squared error, of others the cross-entropy of the softmax of their
 * own logits, [B, N]; of what is missing any number.
 */
export const columnErrors = layer(
  "columnErrors",
  <B extends Rows, N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<[B, N, P]>,
    wanted: Table<NoInfer<B>, NoInfer<N>>,
    o: { readonly categories: Categories },
  ): Tensor<[B, N]> => {
    const { categories } = o;
    const [batch, columns, outputs] = prediction.shape as [number, number, number];
    const value = channel(g, wanted, "value");
    const numbers = each(g, isNumber(categories));
    const error = g.sub(g.reshape(g.slice(prediction, [0, 0, 0], [batch, columns, 1]), [batch, columns]), value);
    const squares = g.mul(g.mul(error, error), numbers);
    if (!categories.some((count) => count > 0)) return claim(squares);
    const first = logitsOf(categories);
    const own = categories.flatMap((count, column) =>
      Array.from({ length: outputs }, (_, at) => {
        const start = first[column] as number;
        return at >= start && at < start + count ? 1 : 0;
      }),
    );
    const isOwn = g.constant(Float32Array.from(own), [columns, outputs]);
    const others = g.constant(
      Float32Array.from(own, (one) => (1 - one) * never),
      [columns, outputs],
    );
    const logits = g.add(g.mul(prediction, isOwn), others);
    // The largest logit leaves the result as it is and keeps exp finite; so it has no gradient.
    const shifted = g.sub(logits, g.stopGradient(g.reduceMax(logits, [2], "keep")));
    const all = g.log(g.sum(g.exp(shifted), [2])); // [B, N]
    const place = g.reshape(g.add(value, each(g, first)), [batch, columns, 1]);
    const places = each(
      g,
      Array.from({ length: outputs }, (_, at) => at),
    );
    const isWanted = g.mul(g.cast(g.equal(place, places), "float32"), isOwn);
    const said = g.sum(g.mul(isWanted, shifted), [2]);
    const entropies = g.mul(g.sub(all, said), g.sub(g.constant(1), numbers));
    return claim(g.add(squares, entropies));
  },
);

/** What a prediction [P] of a column says it holds: a number, or the category with the largest logit. On the host. */
export function columnGuess(array: ArrayShape, column: number, prediction: Float32Array): number {
  const categories = categoriesOf(array);
  const count = categories[column] as number;
  if (count === 0) return prediction[0] as number;
  const start = logitsOf(categories)[column] as number;
  const own = prediction.subarray(start, start + count);
  return own.indexOf(Math.max(...own));
}

/**
 * errors and known [B, N] -> the mean of the errors of what is known, []; 0 where nothing is. `flags` [B, N]: 1 where a column is hidden;
 * `of`: which ones count.
 */
export const meanOfKnown = layer(
  "meanOfKnown",
  <B extends Rows, N extends number>(
    g: Builder,
    errors: Tensor<[B, N]>,
    known: Tensor<[NoInfer<B>, NoInfer<N>]>,
    o: { readonly flags?: Tensor<[NoInfer<B>, NoInfer<N>]>; readonly of?: "hidden" | "visible" } = {},
  ): Tensor<[]> => {
    const chosen = o.flags && (o.of === "visible" ? g.sub(g.constant(1), o.flags) : o.flags);
    const counted: Tensor = chosen ? g.mul(known, chosen) : known;
    return claim(g.div(g.sum(g.mul(errors, counted)), g.maximum(g.sum(counted), 1)));
  },
);
