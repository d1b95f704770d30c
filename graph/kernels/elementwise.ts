/** Reference kernels that work element by element. */

import type { Form } from "../form.js";
import type { OperationName } from "../operations.js";
import { sizeOf, type TypedArray } from "../shape.js";
import { broadcastStrides, gather, held, type Kernels, places, type Value, zeros } from "./kernel.js";
import { erf, gelu, geluSlope, sigmoid, softplus } from "./special.js";

type Output = readonly [Form];

const map =
  (f: (x: number) => number) =>
  ([x]: readonly [Value], _: unknown, [form]: Output) => {
    const y = zeros(form);
    for (let i = 0; i < y.length; i++) y[i] = f(x.data[i] as number);
    return [y];
  };

/** The input as if it had the shape of `result`. */
const repeated = (x: Value, result: Form): TypedArray =>
  sizeOf(x.shape) === sizeOf(result.shape)
    ? x.data
    : gather(x.data, places(result.shape, broadcastStrides(x.shape, result.shape)), { ...x, shape: result.shape });

const zip =
  (f: (a: number, b: number) => number) =>
  ([a, b]: readonly [Value, Value], _: unknown, [form]: Output) => {
    const y = zeros(form);
    const [left, right] = [repeated(a, form), repeated(b, form)];
    for (let i = 0; i < y.length; i++) y[i] = f(left[i] as number, right[i] as number);
    return [y];
  };

export const elementwise = {
  neg: map((x) => -x),
  exp: map(Math.exp),
  log: map(Math.log),
  sqrt: map(Math.sqrt),
  rsqrt: map((x) => 1 / Math.sqrt(x)),
  abs: map(Math.abs),
  sign: map(Math.sign),
  erf: map(erf),
  tanh: map(Math.tanh),
  sigmoid: map(sigmoid),
  softplus: map(softplus),
  sin: map(Math.sin),
  cos: map(Math.cos),
  floor: map(Math.floor),
  gelu: map(gelu),

  add: zip((a, b) => a + b),
  sub: zip((a, b) => a - b),
  // Whole numbers wrap as 32-bit arithmetic does: a product of two can pass 2^53.
  mul: ([a, b], none, outputs) =>
    zip(outputs[0].dtype === "int32" ? Math.imul : (x, y) => x * y)([a, b], none, outputs),
  div: zip((a, b) => a / b),
  maximum: zip(Math.max),
  minimum: zip(Math.min),
  less: zip((a, b) => Number(a < b)),
  lessEqual: zip((a, b) => Number(a <= b)),
  equal: zip((a, b) => Number(a === b)),
  geluGrad: zip((dy, x) => dy * geluSlope(x)),

  select: ([condition, a, b], _, [form]) => {
    const y = zeros(form);
    const left = repeated(a, form);
    const right = repeated(b, form);
    const yes = repeated(condition, form);
    for (let i = 0; i < y.length; i++) y[i] = (yes[i] ? left[i] : right[i]) as number;
    return [y];
  },
  // To int32 the fraction is cut off, to bool all but 0 is true.
  cast: ([x], { dtype }) => [
    dtype === "bool"
      ? held(
          dtype,
          x.data.map((value) => Number(value !== 0)),
        )
      : held(dtype, x.data),
  ],
  stopGradient: ([x]) => [x.data],
  barrier: ([x]) => [x.data],
  constant: (_, { data, dtype }, [form]) => {
    const values = held(dtype, data);
    return [values.length === 1 ? zeros(form).fill(values[0] as number) : values];
  },
} satisfies Partial<Kernels<OperationName>>;
