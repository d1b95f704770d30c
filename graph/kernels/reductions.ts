/** Reference kernels that reduce or order. */

import type { Form } from "../form.js";
import type { Attributes, OperationName } from "../operations.js";
import { type Kernels, largest, places, rows, strides, type Value, zeros } from "./kernel.js";

/** Folds each element into the place that its kept axes have in the result. */
const reduce =
  (start: number, fold: (total: number, x: number) => number) =>
  ([x]: readonly [Value], { axes }: Attributes["sum"], [form]: readonly [Form]) => {
    const kept = strides(x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)));
    const target = places(
      x.shape,
      kept.map((step, axis) => (axes.includes(axis) ? 0 : step)),
    );
    const y = zeros(form).fill(start);
    for (let i = 0; i < target.length; i++) {
      const place = target[i] as number;
      y[place] = fold(y[place] as number, x.data[i] as number);
    }
    return [y];
  };

export const reductions = {
  sum: reduce(0, (total, x) => total + x),
  reduceMax: reduce(-Infinity, Math.max),
  argMax: ([x], _, [form]) => {
    const { count, width } = rows(x);
    const y = zeros(form);
    for (let r = 0; r < count; r++) {
      const row = x.data.subarray(r * width, (r + 1) * width);
      y[r] = row.indexOf(largest(row));
    }
    return [y];
  },
  argSort: ([x], _, [form]) => {
    const { count, width } = rows(x);
    const y = zeros(form);
    for (let r = 0; r < count; r++) {
      const row = x.data.subarray(r * width, (r + 1) * width);
      const order = Array.from(row, (value, i) => ({ value, i })).sort((a, b) => a.value - b.value);
      for (const [place, { i }] of order.entries()) y[r * width + place] = i;
    }
    return [y];
  },
} satisfies Partial<Kernels<OperationName>>;
