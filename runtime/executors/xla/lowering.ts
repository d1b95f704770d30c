/** What each operation of a graph becomes in StableHLO; a whole graph is put together in `program.ts`. */

import type { Attributes, OperationName } from "../../../graph/index.js";
import { type Emitter, typeOf, type Value } from "./stablehlo.js";
import { conv, convInput, convWeight, maxPool, maxPoolGrad } from "./windows.js";

/** What an operation becomes: a value for each output, undefined for one that nobody reads. */
export type Lower<O extends OperationName> = (
  e: Emitter,
  inputs: readonly Value[],
  attributes: Attributes[O],
  outputs: readonly Wanted[],
) => readonly (Value | undefined)[];

export interface Wanted {
  readonly shape: readonly number[];
  readonly isRead: boolean;
}

type Given = readonly [Value, ...Value[]];

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const lastAxis = ({ shape }: Value): readonly number[] => [shape.length - 1];
const leading = ({ shape }: Value): readonly number[] => range(shape.length - 1);

const add = (e: Emitter, a: Value, b: Value): Value => e.elementwise("add", a, b);
const sub = (e: Emitter, a: Value, b: Value): Value => e.elementwise("subtract", a, b);
const mul = (e: Emitter, a: Value, b: Value): Value => e.elementwise("multiply", a, b);
const div = (e: Emitter, a: Value, b: Value): Value => e.elementwise("divide", a, b);
const times = (e: Emitter, x: Value, factor: number): Value => mul(e, x, e.scalar(factor));
const sumLast = (e: Emitter, x: Value): Value => e.fold("add", x, lastAxis(x), true);
const meanLast = (e: Emitter, x: Value): Value => times(e, sumLast(e, x), 1 / (x.shape.at(-1) as number));

function softmax(e: Emitter, x: Value): Value {
  const raised = e.plain("exponential", sub(e, x, e.fold("maximum", x, lastAxis(x), true)));
  return div(e, raised, sumLast(e, raised));
}

/** The gradient of what softmax was applied to. */
function softmaxGrad(e: Emitter, dy: Value, y: Value): Value {
  return mul(e, y, sub(e, dy, sumLast(e, mul(e, dy, y))));
}

/** Of the normal distribution: the share below x. */
const normalShare = (e: Emitter, x: Value): Value =>
  times(e, add(e, e.erf(times(e, x, Math.SQRT1_2)), e.scalar(1)), 0.5);

const counting = (e: Emitter, shape: readonly number[], axis: number): Value =>
  e.emit(`stablehlo.iota dim = ${axis} : ${typeOf({ shape, dtype: "int32" })}`, { shape, dtype: "int32" });

/** Products within each sample and head. */
const heads = (e: Emitter, a: Value, b: Value, contract: readonly [number, number]): Value =>
  e.dot(a, b, {
    batch: [
      [0, 1],
      [0, 1],
    ],
    contract: [[contract[0]], [contract[1]]],
  });

function matmul(e: Emitter, a: Value, b: Value, { transposeA, transposeB }: Attributes["matmul"]): Value {
  const [ranksA, ranksB] = [a.shape.length, b.shape.length];
  const contract = [[transposeA ? ranksA - 2 : ranksA - 1], [transposeB ? ranksB - 1 : ranksB - 2]] as const;
  if (ranksA > 2 && ranksB > 2) return e.dot(a, b, { batch: [range(ranksA - 2), range(ranksB - 2)], contract });
  const product = e.dot(a, b, { contract });
  if (ranksB === 2) return product;
  // [rows of a, ...batch, columns of b]
  const batch = ranksB - 2;
  return e.transpose(product, [...range(batch).map((axis) => axis + 1), 0, batch + 1]);
}

/** `update`: what stands at an index afterwards, of the old value and the new. */
function scatter(
  e: Emitter,
  [x, index]: readonly [Value, Value],
  shape: readonly number[],
  numbers: string,
  { update, isUnique }: { readonly update: "set" | "add"; readonly isUnique: boolean },
): Value {
  const zeros = e.filled(0, shape, x.dtype);
  const element = typeOf({ shape: [], dtype: x.dtype });
  const body =
    update === "set"
      ? `stablehlo.return %wb : ${element}`
      : `%wc = stablehlo.add %wa, %wb : ${element} stablehlo.return %wc : ${element}`;
  return e.emit(
    `"stablehlo.scatter"(${zeros.name}, ${index.name}, ${x.name}) ({ ^bb0(%wa: ${element}, %wb: ${element}): ${body} }) ` +
      `{scatter_dimension_numbers = #stablehlo.scatter<${numbers}>, indices_are_sorted = false, unique_indices = ${isUnique}} : ` +
      `(${typeOf(zeros)}, ${typeOf(index)}, ${typeOf(x)}) -> ${typeOf(zeros)}`,
    zeros,
  );
}

function gather(
  e: Emitter,
  x: Value,
  index: Value,
  shape: readonly number[],
  numbers: string,
  sizes: readonly number[],
): Value {
  const form = { shape, dtype: x.dtype };
  return e.emit(
    `"stablehlo.gather"(${x.name}, ${index.name}) {dimension_numbers = #stablehlo.gather<${numbers}>, ` +
      `slice_sizes = array<i64: ${sizes.join(", ")}>, indices_are_sorted = false} : (${typeOf(x)}, ${typeOf(index)}) -> ${typeOf(form)}`,
    form,
  );
}

function argSort(e: Emitter, x: Value): Value {
  const places = counting(e, x.shape, x.shape.length - 1);
  const pair = `(${typeOf(x)}, ${typeOf(places)})`;
  const { name } = e.emit(
    `"stablehlo.sort"(${x.name}, ${places.name}) ({ ^bb0(%wa: tensor<f32>, %wb: tensor<f32>, %wc: tensor<i32>, %wd: tensor<i32>): ` +
      `%we = stablehlo.compare LT, %wa, %wb, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1> stablehlo.return %we : tensor<i1> }) ` +
      `{dimension = ${x.shape.length - 1} : i64, is_stable = true} : ${pair} -> ${pair}`,
    places,
    2,
  );
  return { name: `${name}#1`, shape: x.shape, dtype: "int32" };
}

const unary = (operation: string) => (e: Emitter, inputs: readonly Value[]) => [e.plain(operation, inputs[0] as Value)];
const binary = (operation: string) => (e: Emitter, inputs: readonly Value[]) => {
  const [a, b] = inputs as [Value, Value];
  return [e.elementwise(operation, a, b)];
};
const comparison = (direction: "LT" | "LE" | "EQ") => (e: Emitter, inputs: readonly Value[]) => {
  const [a, b] = inputs as [Value, Value];
  return [e.compare(direction, a, b)];
};

/** Typed over the closed set: a forgotten operation does not compile. */
export const lowerings: { readonly [O in Exclude<OperationName, "input" | "constant" | "barrier">]: Lower<O> } = {
  neg: unary("negate"),
  exp: unary("exponential"),
  log: unary("log"),
  sqrt: unary("sqrt"),
  rsqrt: unary("rsqrt"),
  abs: unary("abs"),
  sign: unary("sign"),
  erf: (e, [x]) => [e.erf(x as Value)],
  tanh: unary("tanh"),
  sigmoid: unary("logistic"),
  softplus(e, [x]) {
    const small = e.plain("exponential", e.plain("negate", e.plain("abs", x as Value)));
    return [add(e, e.elementwise("maximum", x as Value, e.scalar(0)), e.plain("log_plus_one", small))];
  },
  sin: unary("sine"),
  cos: unary("cosine"),
  floor: unary("floor"),
  add: binary("add"),
  sub: binary("subtract"),
  mul: binary("multiply"),
  div: binary("divide"),
  maximum: binary("maximum"),
  minimum: binary("minimum"),
  less: comparison("LT"),
  lessEqual: comparison("LE"),
  equal: comparison("EQ"),
  select(e, inputs) {
    const [condition, a, b] = inputs as [Value, Value, Value];
    return [e.select(condition, a, b)];
  },
  cast(e, [x], { dtype }) {
    const value = x as Value;
    return [
      dtype === "bool" && value.dtype !== "bool"
        ? e.compare("NE", value, e.scalar(0, value.dtype))
        : e.convert(value, dtype),
    ];
  },
  stopGradient: (_, [x]) => [x],
  sum: (e, [x], { axes, keep }) => [e.fold("add", x as Value, axes, keep)],
  reduceMax: (e, [x], { axes, keep }) => [e.fold("maximum", x as Value, axes, keep)],
  argMax(e, inputs) {
    const [x] = inputs as Given;
    const largest = e.fold("maximum", x, lastAxis(x), true);
    const places = counting(e, x.shape, x.shape.length - 1);
    const first = e.select(e.compare("EQ", x, largest), places, e.filled(2 ** 31 - 1, x.shape, "int32"));
    return [e.fold("minimum", first, lastAxis(x))];
  },
  argSort: (e, [x]) => [argSort(e, x as Value)],
  reshape: (e, [x], { shape }) => [e.reshape(x as Value, shape)],
  transpose: (e, [x], { permutation }) => [e.transpose(x as Value, permutation)],
  broadcast: (e, [x], { shape }) => [e.broadcast(x as Value, shape)],
  concat(e, parts, { axis }, [wanted]) {
    const [first] = parts as Given;
    if (parts.length === 1) return [first];
    const form = { shape: (wanted as Wanted).shape, dtype: first.dtype };
    const [names, types] = [parts.map(({ name }) => name).join(", "), parts.map(typeOf).join(", ")];
    return [e.emit(`stablehlo.concatenate ${names}, dim = ${axis} : (${types}) -> ${typeOf(form)}`, form)];
  },
  slice: (e, [x], { begin, size }) => [e.slice(x as Value, begin, size)],
  pad(e, inputs, { before, after }, [wanted]) {
    const [x] = inputs as Given;
    const zero = e.scalar(0, x.dtype);
    const form = { shape: (wanted as Wanted).shape, dtype: x.dtype };
    const around = `low = [${before.join(", ")}], high = [${after.join(", ")}], interior = [${before.map(() => 0).join(", ")}]`;
    return [
      e.emit(
        `stablehlo.pad ${x.name}, ${zero.name}, ${around} : (${typeOf(x)}, ${typeOf(zero)}) -> ${typeOf(form)}`,
        form,
      ),
    ];
  },
  takeTokens(e, inputs, _, [wanted]) {
    const [x, index] = inputs as [Value, Value];
    const rest = x.shape.slice(2);
    const numbers =
      `offset_dims = [${rest.map((_, axis) => axis + 2).join(", ")}], collapsed_slice_dims = [1], operand_batching_dims = [0], ` +
      "start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2";
    return [gather(e, x, index, (wanted as Wanted).shape, numbers, [1, 1, ...rest])];
  },
  putTokens(e, inputs, _, [wanted]) {
    const [x, index] = inputs as [Value, Value];
    const numbers =
      `update_window_dims = [${x.shape
        .slice(2)
        .map((_, axis) => axis + 2)
        .join(", ")}], inserted_window_dims = [1], input_batching_dims = [0], ` +
      "scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 2";
    return [scatter(e, [x, index], (wanted as Wanted).shape, numbers, { update: "set", isUnique: true })];
  },
  lookUp(e, inputs, _, [wanted]) {
    const [table, index] = inputs as [Value, Value];
    const rest = table.shape.slice(1);
    const numbers = `offset_dims = [${rest.map((_, axis) => axis + index.shape.length).join(", ")}], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = ${index.shape.length}`;
    return [gather(e, table, index, (wanted as Wanted).shape, numbers, [1, ...rest])];
  },
  scatterAdd(e, inputs, _, [wanted]) {
    const [x, index] = inputs as [Value, Value];
    const rank = index.shape.length;
    const numbers = `update_window_dims = [${x.shape
      .slice(rank)
      .map((_, axis) => axis + rank)
      .join(", ")}], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = ${rank}`;
    return [scatter(e, [x, index], (wanted as Wanted).shape, numbers, { update: "add", isUnique: false })];
  },
  matmul(e, inputs, attributes) {
    const [a, b] = inputs as [Value, Value];
    return [matmul(e, a, b, attributes)];
  },
  linear(e, inputs) {
    const [x, weight, bias] = inputs as [Value, Value, Value];
    return [add(e, e.dot(x, weight, { contract: [lastAxis(x), [1]] }), bias)];
  },
  linearGrad(e, inputs, _, [dx, dweight, dbias]) {
    const [dy, x, weight] = inputs as [Value, Value, Value];
    return [
      dx?.isRead ? e.dot(dy, weight, { contract: [lastAxis(dy), [0]] }) : undefined,
      dweight?.isRead ? e.dot(dy, x, { contract: [leading(dy), leading(x)] }) : undefined,
      dbias?.isRead ? e.fold("add", dy, leading(dy)) : undefined,
    ];
  },
  layerNorm(e, inputs, { epsilon }) {
    const [x, gamma, beta] = inputs as [Value, Value, Value];
    const mean = meanLast(e, x);
    const centred = sub(e, x, mean);
    const rstd = e.plain("rsqrt", add(e, meanLast(e, mul(e, centred, centred)), e.scalar(epsilon)));
    return [add(e, mul(e, mul(e, centred, rstd), gamma), beta), mean, rstd];
  },
  layerNormGrad(e, inputs, _, [dx, dgamma, dbeta]) {
    const [dy, x, gamma, mean, rstd] = inputs as [Value, Value, Value, Value, Value];
    const scaled = mul(e, sub(e, x, mean), rstd);
    const inward = (): Value => {
      const d = mul(e, dy, gamma);
      const along = mul(e, scaled, meanLast(e, mul(e, d, scaled)));
      return mul(e, sub(e, sub(e, d, meanLast(e, d)), along), rstd);
    };
    return [
      dx?.isRead ? inward() : undefined,
      dgamma?.isRead ? e.fold("add", mul(e, dy, scaled), leading(dy)) : undefined,
      dbeta?.isRead ? e.fold("add", dy, leading(dy)) : undefined,
    ];
  },
  softmax: (e, [x]) => [softmax(e, x as Value)],
  softmaxGrad(e, inputs) {
    const [dy, y] = inputs as [Value, Value];
    return [softmaxGrad(e, dy, y)];
  },
  gelu: (e, [x]) => [mul(e, x as Value, normalShare(e, x as Value))],
  geluGrad(e, inputs) {
    const [dy, x] = inputs as [Value, Value];
    const density = times(e, e.plain("exponential", times(e, mul(e, x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [mul(e, dy, add(e, normalShare(e, x), mul(e, x, density)))];
  },
  attention(e, inputs, { scale }) {
    const [q, k, v, bias] = inputs as [Value, Value, Value, Value?];
    const scores = times(e, heads(e, q, k, [3, 3]), scale);
    const probabilities = softmax(e, bias ? add(e, scores, bias) : scores);
    return [heads(e, probabilities, v, [3, 2]), probabilities];
  },
  attentionGrad(e, inputs, { scale }, [dq, dk, dv]) {
    const [dy, q, k, v, probabilities] = inputs as [Value, Value, Value, Value, Value];
    const scores = softmaxGrad(e, heads(e, dy, v, [3, 3]), probabilities);
    const scaled = times(e, scores, scale);
    return [
      dq?.isRead ? heads(e, scaled, k, [3, 2]) : undefined,
      dk?.isRead ? heads(e, scaled, q, [2, 2]) : undefined,
      dv?.isRead ? heads(e, probabilities, dy, [2, 2]) : undefined,
      scores,
    ];
  },
  conv: (e, [x, weight], attributes, [y]) => [conv(e, x as Value, weight as Value, (y as Wanted).shape, attributes)],
  convInput: (e, [y, weight], attributes, [x]) => [
    convInput(e, y as Value, weight as Value, (x as Wanted).shape, attributes),
  ],
  convWeight: (e, [x, y], attributes, [weight]) => [
    convWeight(e, x as Value, y as Value, (weight as Wanted).shape, attributes),
  ],
  maxPool: (e, [x], attributes, [y]) => [maxPool(e, x as Value, (y as Wanted).shape, attributes)],
  maxPoolGrad: (e, [dy, x], attributes) => [maxPoolGrad(e, dy as Value, x as Value, attributes)],
  adamw(e, inputs, { beta1, beta2, epsilon, decay }) {
    const [p, gradient, m, v, lr, step] = inputs as [Value, Value, Value, Value, Value, Value];
    const mean = add(e, times(e, m, beta1), times(e, gradient, 1 - beta1));
    const square = add(e, times(e, v, beta2), times(e, mul(e, gradient, gradient), 1 - beta2));
    const correction = (beta: number): Value => sub(e, e.scalar(1), e.plain("power", e.scalar(beta), step));
    const size = add(e, e.plain("sqrt", div(e, square, correction(beta2))), e.scalar(epsilon));
    const direction = div(e, div(e, mean, correction(beta1)), size);
    return [sub(e, p, mul(e, add(e, direction, times(e, p, decay)), lr)), mean, square];
  },
  sgd(e, inputs, { momentum, decay, nesterov }) {
    const [p, gradient, m, lr] = inputs as [Value, Value, Value, Value];
    const full = add(e, gradient, times(e, p, decay));
    const moved = add(e, times(e, m, momentum), full);
    const direction = nesterov ? add(e, full, times(e, moved, momentum)) : moved;
    return [sub(e, p, mul(e, direction, lr)), moved];
  },
  accumulate(e, inputs, { share }) {
    const [sum, x, keep] = inputs as [Value, Value, Value];
    return [add(e, mul(e, sum, keep), times(e, x, share))];
  },
};
