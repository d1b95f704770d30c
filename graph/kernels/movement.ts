/** Reference kernels that move elements and compute nothing. */

import type { Form } from "../form.js";
import { invariant } from "../invariant.js";
import type { OperationName } from "../operations.js";
import { broadcastStrides, gather, type Kernels, places, scatter, strides, type Value, zeros } from "./kernel.js";

/** Where the first element of a part begins. */
const offset = (begin: readonly number[], steps: readonly number[]): number =>
  begin.reduce((sum, n, axis) => sum + n * (steps[axis] ?? 0), 0);

/** For each element of few [B, K, ...], its place in many [B, N, ...] under an index [B, K]. */
function tokenPlaces(few: readonly number[], many: readonly number[], index: Value): Int32Array {
  const [batch = 0, k = 0, ...rest] = few;
  const [, n = 0] = many;
  const width = rest.reduce((product, size) => product * size, 1);
  const at = new Int32Array(batch * k * width);
  for (const [i, row] of index.data.entries()) {
    const start = (Math.floor(i / k) * n + row) * width;
    for (let j = 0; j < width; j++) at[i * width + j] = start + j;
  }
  return at;
}

/** For each element of the rows of a table [N, ...] at these indices, its place in the table. */
function rowPlaces({ shape: [count = 0, ...rest] }: Form, index: Value): Int32Array {
  const width = rest.reduce((product, size) => product * size, 1);
  const at = new Int32Array(index.data.length * width);
  for (const [i, row] of index.data.entries()) {
    invariant(row >= 0 && row < count, `row ${row} of a table of ${count}`);
    for (let j = 0; j < width; j++) at[i * width + j] = row * width + j;
  }
  return at;
}

export const movement = {
  reshape: ([x]) => [x.data],
  transpose: ([x], { permutation }, [form]) => {
    const own = strides(x.shape);
    const steps = permutation.map((axis) => own[axis] ?? 0);
    return [gather(x.data, places(form.shape, steps), form)];
  },
  broadcast: ([x], _, [form]) => [gather(x.data, places(form.shape, broadcastStrides(x.shape, form.shape)), form)],
  concat: (parts, { axis }, [form]) => {
    const y = zeros(form);
    const steps = strides(form.shape);
    let from = 0;
    for (const part of parts) {
      const at = places(part.shape, steps, from * (steps[axis] ?? 0));
      for (const [i, place] of at.entries()) y[place] = part.data[i] as number;
      from += part.shape[axis] ?? 0;
    }
    return [y];
  },
  slice: ([x], { begin, size }, [form]) => {
    const steps = strides(x.shape);
    return [gather(x.data, places(size, steps, offset(begin, steps)), form)];
  },
  pad: ([x], { before }, [form]) => {
    const steps = strides(form.shape);
    return [scatter(x.data, places(x.shape, steps, offset(before, steps)), form)];
  },
  takeTokens: ([x, index], _, [form]) => [gather(x.data, tokenPlaces(form.shape, x.shape, index), form)],
  putTokens: ([x, index], _, [form]) => [scatter(x.data, tokenPlaces(x.shape, form.shape, index), form)],
  lookUp: ([table, index], _, [form]) => [gather(table.data, rowPlaces(table, index), form)],
  scatterAdd: ([x, index], _, [form]) => {
    const y = zeros(form);
    for (const [i, place] of rowPlaces(form, index).entries()) y[place] = (y[place] as number) + (x.data[i] as number);
    return [y];
  },
} satisfies Partial<Kernels<OperationName>>;
