/** The builder's operations: arguments as model code writes them, turned into inputs and attributes and recorded. */

import type { Builder } from "./builder.js";
import { invariant } from "./invariant.js";
import {
  type ArithmeticOperation,
  type Attributes,
  arithmeticOperations,
  type Comparison,
  comparisons,
  type OperationName,
  type UnaryOperation,
  unaryOperations,
} from "./operations.js";
import { arrayTypes, type Dims, type DType, rowsIn, sizeOf, type Tensor, type TypedArray } from "./shape.js";

/** Records one operation and gives its outputs. */
export type Recorder = <O extends OperationName>(
  operation: O,
  inputs: readonly Tensor[],
  attributes: Attributes[O],
) => readonly Tensor[];

/** What only records; declarations, scopes and `finish` are the trace's. */
type Operations = Omit<Builder, "batch" | "training" | "input" | "state" | "scope" | "move" | "moved" | "finish">;

/** Records an operation of one output; its type is what the method promises. */
type Single = <S extends Dims, T extends DType, O extends OperationName>(
  operation: O,
  inputs: readonly Tensor[],
  attributes: Attributes[O],
) => Tensor<S, T>;

/** Rows as their number. */
export const sizes = (shape: Dims, batch: number): readonly number[] =>
  shape.map((dim) => (typeof dim === "string" ? rowsIn(dim, batch) : dim));

export function operations(record: Recorder, batch: number): Operations {
  const one = (<O extends OperationName>(operation: O, inputs: readonly Tensor[], attributes: Attributes[O]) =>
    record(operation, inputs, attributes)[0]) as Single;
  const constant = (value: number | TypedArray, shape: Dims = [], dtype?: DType): Tensor =>
    one("constant", [], constantOf(value, sizes(shape, batch), dtype));
  const operand = (value: Tensor | number, like: Tensor): Tensor =>
    typeof value === "number" ? constant(value, [], like.dtype) : value;
  return {
    constant: constant as Builder["constant"],
    ...elementwise(one, operand),
    ...reductions(one, constant),
    ...movements(one, batch),
    ...products(one, record),
    ...windows(one),
    ...updates(record),
    again: (node, inputs) => record(node.operation, inputs, node.attributes),
  };
}

type Elementwise =
  | UnaryOperation
  | ArithmeticOperation
  | Comparison
  | "select"
  | "cast"
  | "stopGradient"
  | "barrier"
  | "softmax"
  | "softmaxGrad"
  | "gelu"
  | "geluGrad";

function elementwise(
  one: Single,
  operand: (value: Tensor | number, like: Tensor) => Tensor,
): Pick<Builder, Elementwise> {
  const unary = unaryOperations.map((name) => [name, (x: Tensor) => one(name, [x], {})]);
  const binary = [...arithmeticOperations, ...comparisons].map((name) => [
    name,
    (a: Tensor, b: Tensor | number) => one(name, [a, operand(b, a)], {}),
  ]);
  return {
    ...(Object.fromEntries([...unary, ...binary]) as Pick<Builder, UnaryOperation | ArithmeticOperation | Comparison>),
    select: (condition, a, b) => one("select", [condition, a, operand(b, a)], {}),
    cast: (x, dtype) => one("cast", [x], { dtype }),
    stopGradient: (x) => one("stopGradient", [x], {}),
    barrier: (x) => one("barrier", [x], {}),
    softmax: (x) => one("softmax", [x], {}),
    softmaxGrad: (dy, y) => one("softmaxGrad", [dy, y], {}),
    gelu: (x) => one("gelu", [x], {}),
    geluGrad: (dy, x) => one("geluGrad", [dy, x], {}),
  };
}

function reductions(
  one: Single,
  constant: (value: number) => Tensor,
): Pick<Builder, "sum" | "mean" | "reduceMax" | "argMax" | "argSort"> {
  const over = (x: Tensor, axes: readonly number[] | undefined, keep: "keep" | undefined): Attributes["sum"] => ({
    axes: (axes ?? x.shape.map((_, axis) => axis)).map((axis) => fromStart(axis, x)).toSorted((a, b) => a - b),
    keep: keep === "keep",
  });
  return {
    sum: (x, axes, keep) => one("sum", [x], over(x, axes, keep)),
    mean: (x, axes, keep) => {
      const attributes = over(x, axes, keep);
      const count = sizeOf(attributes.axes.map((axis) => x.shape[axis] ?? 1));
      return one("div", [one("sum", [x], attributes), constant(count)], {});
    },
    reduceMax: (x, axes, keep) => one("reduceMax", [x], over(x, axes, keep)),
    argMax: (x) => one("argMax", [x], {}),
    argSort: (x) => one("argSort", [x], {}),
  };
}

const fromStart = (axis: number, x: Tensor): number => (axis < 0 ? axis + x.shape.length : axis);

type Movement =
  | "reshape"
  | "transpose"
  | "broadcast"
  | "concat"
  | "slice"
  | "pad"
  | "takeTokens"
  | "putTokens"
  | "lookUp"
  | "scatterAdd";

function movements(one: Single, batch: number): Pick<Builder, Movement> {
  return {
    reshape: (x, shape) => one("reshape", [x], { shape: sizes(shape, batch) }),
    transpose: (x, permutation) =>
      one("transpose", [x], { permutation: permutation.map((axis) => fromStart(axis, x)) }),
    broadcast: (x, shape) => one("broadcast", [x], { shape: sizes(shape, batch) }),
    concat: (parts, axis) => {
      const [first] = parts;
      invariant(first, "concat: no parts");
      return one("concat", parts, { axis: fromStart(axis, first) });
    },
    slice: (x, begin, size) => one("slice", [x], { begin, size }),
    pad: (x, before, after) => one("pad", [x], { before, after }),
    takeTokens: (x, index) => one("takeTokens", [x, index], {}),
    putTokens: (x, index, count) => one("putTokens", [x, index], { count }),
    lookUp: (table, index) => one("lookUp", [table, index], {}),
    scatterAdd: (x, index, count) => one("scatterAdd", [x, index], { count }),
  };
}

type Product = "matmul" | "linear" | "linearGrad" | "layerNorm" | "layerNormGrad" | "attention" | "attentionGrad";

function products(one: Single, record: Recorder): Pick<Builder, Product> {
  return {
    matmul: (a, b, transpose) =>
      one("matmul", [a, b], { transposeA: transpose?.a ?? false, transposeB: transpose?.b ?? false }),
    linear: (x, weight, bias) => one("linear", [x, weight, bias], {}),
    linearGrad: (...inputs) => record("linearGrad", inputs, {}) as ReturnType<Builder["linearGrad"]>,
    layerNorm: <S extends Dims>(x: Tensor<S>, gamma: Tensor, beta: Tensor, epsilon: number) =>
      record("layerNorm", [x, gamma, beta], { epsilon }) as unknown as readonly [Tensor<S>, Tensor, Tensor],
    layerNormGrad: (...inputs) => record("layerNormGrad", inputs, {}) as ReturnType<Builder["layerNormGrad"]>,
    attention: <S extends Dims>(q: Tensor<S>, k: Tensor, v: Tensor, scale: number, bias?: Tensor) =>
      record("attention", bias ? [q, k, v, bias] : [q, k, v], { scale }) as unknown as readonly [Tensor<S>, Tensor],
    attentionGrad: (dy, q, k, v, probabilities, scale) =>
      record("attentionGrad", [dy, q, k, v, probabilities], { scale }) as ReturnType<Builder["attentionGrad"]>,
  };
}

function windows(one: Single): Pick<Builder, "conv" | "convInput" | "convWeight" | "maxPool" | "maxPoolGrad"> {
  return {
    conv: (x, weight, attributes) => one("conv", [x, weight], attributes),
    convInput: (y, weight, attributes) => one("convInput", [y, weight], attributes),
    convWeight: (x, y, attributes) => one("convWeight", [x, y], attributes),
    maxPool: (x, attributes) => one("maxPool", [x], attributes),
    maxPoolGrad: (dy, x, attributes) => one("maxPoolGrad", [dy, x], attributes),
  };
}

function updates(record: Recorder): Pick<Builder, "adamw" | "sgd" | "accumulate"> {
  return {
    adamw: (p, gradient, m, v, lr, step, settings) =>
      record("adamw", [p, gradient, m, v, lr, step], settings) as ReturnType<Builder["adamw"]>,
    sgd: (p, gradient, m, lr, settings) => record("sgd", [p, gradient, m, lr], settings) as ReturnType<Builder["sgd"]>,
    accumulate: (sum, x, keep, share) => record("accumulate", [sum, x, keep], { share })[0] as Tensor,
  };
}

/** Attributes of a constant: values in the array of its element type, one element where they fill the shape. */
function constantOf(value: number | TypedArray, shape: readonly number[], dtype?: DType): Attributes["constant"] {
  if (typeof value === "number") {
    const type = dtype ?? "float32";
    return { data: arrayTypes[type].of(value), shape, dtype: type };
  }
  const type = dtype ?? (value instanceof Int32Array ? "int32" : value instanceof Uint8Array ? "bool" : "float32");
  const data = value instanceof arrayTypes[type] ? value : arrayTypes[type].from(value);
  return { data, shape, dtype: type };
}
