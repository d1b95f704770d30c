/**
 * Each operation of our closed set as ONNX nodes. Names of tensors go in and out; shapes were checked when the graph was
 * built. Operators were chosen for what onnxruntime's processor provider does fast.
 */

import { type Attributes, fillOf, type Node, type OperationName, sizeOf, type Tensor } from "../../../graph/index.js";
import { dataTypes, int, ints, MICROSOFT, real, word } from "./fields.js";
import type { OnnxModel } from "./model.js";
import { inputShape, outputShape, reshaped, turned } from "./moves.js";
import { conv, convInput, convWeight, maxPool, maxPoolGrad } from "./windows.js";

export type Lowered = Exclude<OperationName, "input" | "constant">;

/** What a lowering works with: the model, the node, which outputs are read, names of what earlier nodes made. */
interface Site<O extends Lowered> {
  readonly m: OnnxModel;
  readonly node: Node<O>;
  readonly attributes: Attributes[O];
  readonly wanted: readonly boolean[];
  readonly nameOf: (tensor: Tensor) => string;
  readonly slopes: Slopes;
}

/** Derivatives of gelu by what it was applied to, for gradients that are computed later in the same model. */
export interface Slopes {
  /** Whether a gradient reads x, and whether the slope is computed at once or where the gradient is. */
  readonly wanted: ReadonlyMap<Tensor, "now" | "later">;
  readonly made: Map<Tensor, string>;
}

type Lowering<O extends Lowered> = (inputs: readonly string[], site: Site<O>) => readonly string[];

// -- small pieces

const scalar = (m: OnnxModel, value: number): string => m.constant("float32", Float32Array.of(value), []);
const lastOf = (shape: readonly number[]): number => shape.at(-1) as number;
/** [..., D] as [rows, D]. */
const rowsOf = (shape: readonly number[]): readonly [number, number] => [sizeOf(shape.slice(0, -1)), lastOf(shape)];

const sumOver = (m: OnnxModel, x: string, axes: readonly number[], keep: boolean): string =>
  axes.length === 0 ? x : m.op("ReduceSum", [x, m.sizes(axes)], { keepdims: int(keep ? 1 : 0) });
/** [rows, D] -> [1, D]. onnxruntime sums a few columns at a time over all rows; a product reads whole rows. */
const sumOfRows = (m: OnnxModel, x: string, rows: number): string =>
  m.block === null ? sumOver(m, x, [0], true) : m.op("MatMul", [m.ones(rows), x]);
const meanLast = (m: OnnxModel, x: string): string => m.op("ReduceMean", [x, m.sizes([-1])], { keepdims: int(1) });
const sumLast = (m: OnnxModel, x: string): string => sumOver(m, x, [-1], true);

interface Turned {
  /** Whether a side has its last two axes exchanged. */
  readonly a?: boolean;
  readonly b?: boolean;
  readonly scale?: number;
  /** Axes of both sides; 4 without it. */
  readonly ranks?: readonly [number, number];
}

/** a b, times `scale`. onnxruntime has one operator for it, which it also makes of the standard ones when it loads a model. */
function product(m: OnnxModel, a: string, b: string, o: Turned): string {
  const { a: turnA = false, b: turnB = false, scale = 1, ranks = [4, 4] } = o;
  if (!m.standard) {
    const attributes = { transA: int(turnA ? 1 : 0), transB: int(turnB ? 1 : 0), alpha: real(scale) };
    return m.op("FusedMatMul", [a, b], attributes, MICROSOFT);
  }
  const turned = (x: string, rank: number): string => {
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    return m.op("Transpose", [x], { perm: ints([...axes.slice(0, -2), rank - 1, rank - 2]) });
  };
  const y = m.op("MatMul", [turnA ? turned(a, ranks[0]) : a, turnB ? turned(b, ranks[1]) : b]);
  return scale === 1 ? y : m.op("Mul", [y, scalar(m, scale)]);
}

const direct =
  <O extends Lowered>(type: string): Lowering<O> =>
  (inputs, { m }) => [m.op(type, inputs)];

/** 0, step, 2 step ... as int32 in this shape. */
function steps(m: OnnxModel, shape: readonly number[], step: number): string {
  const count = sizeOf(shape);
  if (!m.isOpen(count)) {
    return m.constant(
      "int32",
      Int32Array.from({ length: count }, (_, i) => i * step),
      shape,
    );
  }
  const number = (value: number): string => m.op("Reshape", [m.sizes([value]), m.sizes([])]);
  const range = m.op("Range", [number(0), number(count * step), number(step)]);
  return reshaped(m, m.op("Cast", [range], { to: int(dataTypes.int32) }), shape);
}

/** One whole number, repeated: int32 [count]. */
function repeated(m: OnnxModel, value: number, count: number): string {
  if (!m.isOpen(count)) return m.constant("int32", new Int32Array(count).fill(value), [count]);
  return m.op("Expand", [m.op("Cast", [m.sizes([value])], { to: int(dataTypes.int32) }), m.sizes([count])]);
}

/** Row numbers b * N + index[b, k], flat, for gathers over [B * N, ...]. */
function flatRows(m: OnnxModel, index: string, [batch, taken]: readonly number[], rows: number): string {
  const starts = steps(m, [batch as number, 1], rows);
  return reshaped(m, m.op("Add", [index, starts]), [(batch as number) * (taken as number)]);
}

/** The model's input that holds a shape. */
export const shapeInput = (shape: readonly number[]): string => `shape:${shape.join("x")}`;

// -- the table

/**
 * x Phi(x) with its derivative Phi(x) + x phi(x), of s = x / sqrt 2: Phi(x) = (1 + erf s) / 2 and phi(x) = exp(-s^2) / sqrt(2 pi).
 * The first ends in a clipping that never clips, in one pass; dividing by exp(s^2) saves the one that negates.
 */
export function geluWithSlope(m: OnnxModel, x: string): { readonly y: string; readonly slope: string } {
  const scaled = m.op("Mul", [x, scalar(m, Math.SQRT1_2)]);
  const cumulative = m.op("HardSigmoid", [m.op("Erf", [scaled])], { alpha: real(0.5), beta: real(0.5) });
  const share = m.op("Div", [scaled, m.op("Exp", [m.op("Mul", [scaled, scaled])])]);
  const slope = m.op("Add", [cumulative, m.op("Mul", [share, scalar(m, 1 / Math.sqrt(Math.PI))])]);
  return { y: m.op("Mul", [x, cumulative]), slope };
}

const isZero = ({ node }: Tensor): boolean => fillOf(node)?.[0] === 0;

/** Whether x is selected where 0 is less than it, and otherwise 0. */
function isRelu({ inputs }: Node<"select">): boolean {
  const [condition, x, other] = inputs as readonly [Tensor, Tensor, Tensor];
  const [zero, compared] = condition.node.inputs;
  return condition.node.operation === "less" && isZero(zero as Tensor) && compared === x && isZero(other);
}

/** Sums over the keys of p (dy v^T) [B, h, N, 1], which are those over the features of dy y: the shorter are taken. */
function rowSums({ m, node, nameOf }: Site<"attentionGrad">, dy: string, inner: string, p: string): string {
  const probabilities = node.inputs[4] as Tensor;
  const [y] = probabilities.node.outputs;
  const known = probabilities.node.operation === "attention" && y !== undefined;
  const shorter = lastOf(inputShape(node, 0)) < lastOf(probabilities.shape);
  return sumLast(m, known && shorter ? m.op("Mul", [dy, nameOf(y)]) : m.op("Mul", [inner, p]));
}

/**
 * dy^T x from [rows, O] and [rows, I]. A product with a transposed left side turns it anew for every 128 columns of the
 * right one; where dy is the narrower it is turned once before.
 */
function weightGradient(m: OnnxModel, dy: string, x: string, node: Node<"linearGrad">): string {
  const [rows, outputs] = rowsOf(inputShape(node, 0));
  if (outputs > lastOf(inputShape(node, 1))) return m.op("Gemm", [dy, x], { transA: int(1) });
  return m.op("Gemm", [turned(m, dy, [rows, outputs]), x]);
}

/**
 * With c = x - mean: dx = (dy gamma - mean(dy gamma) - c rstd^2 mean(dy gamma c)) rstd, and dgamma is the sum over rows of dy c rstd. Both
 * sums are products of dy c, with gamma and with rstd, so that no pass over the tensor divides by the deviation or multiplies by gamma again.
 */
function layerNormGradient(inputs: readonly string[], { m, node, wanted }: Site<"layerNormGrad">): readonly string[] {
  const [dy, x, gamma, mean, rstd] = inputs as readonly [string, string, string, string, string];
  const [rows, width] = rowsOf(inputShape(node, 0));
  const centred = m.op("Sub", [x, mean]);
  const product = m.op("Mul", [dy, centred]);
  const inward = (): string => {
    const shares = reshaped(m, m.op("Mul", [gamma, scalar(m, 1 / width)]), [width, 1]);
    const along = m.op("Mul", [m.op("MatMul", [product, shares]), m.op("Mul", [rstd, rstd])]);
    const scaled = m.op("Mul", [dy, gamma]);
    const level = m.op("Sub", [scaled, meanLast(m, scaled)]);
    return m.op("Mul", [m.op("Sub", [level, m.op("Mul", [centred, along])]), rstd]);
  };
  const overRows = (): string => m.op("MatMul", [reshaped(m, rstd, [rows]), reshaped(m, product, [rows, width])]);
  return [
    wanted[0] ? inward() : "",
    wanted[1] ? overRows() : "",
    wanted[2] ? sumOver(m, reshaped(m, dy, [rows, width]), [0], false) : "",
  ];
}

const lowerings: { readonly [O in Lowered]: Lowering<O> } = {
  neg: direct("Neg"),
  exp: direct("Exp"),
  log: direct("Log"),
  sqrt: direct("Sqrt"),
  rsqrt: ([x], { m }) => [m.op("Reciprocal", [m.op("Sqrt", [x as string])])],
  abs: direct("Abs"),
  sign: direct("Sign"),
  erf: direct("Erf"),
  tanh: direct("Tanh"),
  sigmoid: direct("Sigmoid"),
  softplus: direct("Softplus"),
  sin: direct("Sin"),
  cos: direct("Cos"),
  floor: direct("Floor"),
  add: direct("Add"),
  sub: direct("Sub"),
  mul: direct("Mul"),
  div: direct("Div"),
  maximum: direct("Max"),
  minimum: direct("Min"),
  less: direct("Less"),
  lessEqual: direct("LessOrEqual"),
  equal: direct("Equal"),
  // Unlike Where, Relu is computed by several threads.
  select: (inputs, { m, node }) => [isRelu(node) ? m.op("Relu", [inputs[1] as string]) : m.op("Where", inputs)],
  cast: (inputs, { m, attributes }) => [m.op("Cast", inputs, { to: int(dataTypes[attributes.dtype]) })],
  stopGradient: direct("Identity"),
  // Gives x a shape that onnxruntime learns only when it runs: it can neither drop this nor take the result for x.
  barrier: ([x], { m, node }) => [
    m.standard ? m.op("Identity", [x as string]) : m.op("Reshape", [x as string, shapeInput(inputShape(node, 0))]),
  ],
  sum([x], { m, node, attributes: { axes, keep } }) {
    const shape = inputShape(node, 0);
    const isOfRows = axes.length === shape.length - 1 && axes.every((axis, i) => axis === i);
    if (!isOfRows || m.block === null) return [sumOver(m, x as string, axes, keep)];
    const [rows, width] = rowsOf(shape);
    return [reshaped(m, sumOfRows(m, reshaped(m, x as string, [rows, width]), rows), outputShape(node))];
  },
  reduceMax: ([x], { m, attributes: { axes, keep } }) => [
    axes.length === 0
      ? (x as string)
      : m.op("ReduceMax", [x as string, m.sizes(axes)], { keepdims: int(keep ? 1 : 0) }),
  ],
  argMax: (inputs, { m }) => [
    m.op("Cast", [m.op("ArgMax", inputs, { axis: int(-1), keepdims: int(0) })], { to: int(dataTypes.int32) }),
  ],
  argSort([x], { m, node }) {
    const count = m.sizes([lastOf(inputShape(node, 0))]);
    const [, order] = m.ops("TopK", [x as string, count], [true, true], {
      axis: int(-1),
      largest: int(0),
      sorted: int(1),
    });
    return [m.op("Cast", [order as string], { to: int(dataTypes.int32) })];
  },
  reshape: ([x], { m, attributes }) => [reshaped(m, x as string, attributes.shape)],
  transpose: (inputs, { m, attributes }) => [m.op("Transpose", inputs, { perm: ints(attributes.permutation) })],
  broadcast: ([x], { m, attributes }) => [m.op("Expand", [x as string, m.sizes(attributes.shape)])],
  concat: (inputs, { m, attributes }) => [m.op("Concat", inputs, { axis: int(attributes.axis) })],
  slice([x], { m, attributes: { begin, size }, node }) {
    const shape = inputShape(node, 0);
    const axes = begin.map((_, axis) => axis).filter((axis) => size[axis] !== shape[axis]);
    if (axes.length === 0) return [m.op("Identity", [x as string])];
    const starts = axes.map((axis) => begin[axis] as number);
    const ends = axes.map((axis) => (begin[axis] as number) + (size[axis] as number));
    return [m.op("Slice", [x as string, m.sizes(starts), m.sizes(ends), m.sizes(axes)])];
  },
  pad: ([x], { m, attributes: { before, after } }) => [m.op("Pad", [x as string, m.sizes([...before, ...after])])],
  takeTokens([x, index], { m, node }) {
    const [batch, tokens, ...rest] = inputShape(node, 0) as [number, number, ...number[]];
    const rows = flatRows(m, index as string, inputShape(node, 1), tokens);
    const taken = m.op("Gather", [reshaped(m, x as string, [batch * tokens, ...rest]), rows], { axis: int(0) });
    return [reshaped(m, taken, outputShape(node))];
  },
  /** Gathers rows by the inverse of the index, from x with one row of zeros after its end. */
  putTokens([x, index], { m, node, attributes: { count } }) {
    const [batch, taken, ...rest] = inputShape(node, 0) as [number, number, ...number[]];
    const nothing = repeated(m, batch * taken, batch * count);
    const sources = steps(m, [batch * taken], 1);
    const places = flatRows(m, index as string, [batch, taken], count);
    const inverse = m.op("ScatterElements", [nothing, places, sources], { axis: int(0) });
    const zeros = m.constant("float32", new Float32Array(sizeOf(rest)), [1, ...rest]);
    const padded = m.op("Concat", [reshaped(m, x as string, [batch * taken, ...rest]), zeros], { axis: int(0) });
    return [reshaped(m, m.op("Gather", [padded, inverse], { axis: int(0) }), outputShape(node))];
  },
  lookUp: ([table, index], { m }) => [m.op("Gather", [table as string, index as string], { axis: int(0) })],
  /** Rows one after the other, so that sums have one order; onnxruntime's ScatterND adds from several threads at once. */
  scatterAdd([x, index], { m, node, attributes: { count } }) {
    const indices = sizeOf(inputShape(node, 1));
    const row = sizeOf(outputShape(node).slice(1));
    const rows = reshaped(m, x as string, [indices, row]);
    const places = m.op("Expand", [reshaped(m, index as string, [indices, 1]), m.sizes([indices, row])]);
    const zeros = m.op("Expand", [scalar(m, 0), m.sizes([count, row])]);
    const attributes = { axis: int(0), reduction: word("add") };
    return [reshaped(m, m.op("ScatterElements", [zeros, places, rows], attributes), outputShape(node))];
  },
  matmul: ([a, b], { m, node, attributes: { transposeA, transposeB } }) => [
    product(m, a as string, b as string, {
      a: transposeA,
      b: transposeB,
      ranks: [inputShape(node, 0).length, inputShape(node, 1).length],
    }),
  ],
  linear([x, weight, bias], { m, node }) {
    const flat = reshaped(m, x as string, rowsOf(inputShape(node, 0)));
    return [reshaped(m, m.op("Gemm", [flat, weight as string, bias as string], { transB: int(1) }), outputShape(node))];
  },
  linearGrad([dy, x, weight], { m, node, wanted }) {
    const [rows, outputs] = rowsOf(inputShape(node, 0));
    const flat = reshaped(m, dy as string, [rows, outputs]);
    return [
      wanted[0] ? reshaped(m, m.op("Gemm", [flat, weight as string]), outputShape(node, 0)) : "",
      wanted[1] ? weightGradient(m, flat, reshaped(m, x as string, rowsOf(inputShape(node, 1))), node) : "",
      wanted[2] ? reshaped(m, sumOfRows(m, flat, rows), [outputs]) : "",
    ];
  },
  layerNorm: (inputs, { m, attributes, wanted }) =>
    m.ops("LayerNormalization", inputs, [true, wanted[1] ?? false, wanted[2] ?? false], {
      axis: int(-1),
      epsilon: real(attributes.epsilon),
    }),
  layerNormGrad: layerNormGradient,
  softmax: (inputs, { m }) => [m.op("Softmax", inputs, { axis: int(-1) })],
  softmaxGrad: ([dy, y], { m }) => {
    const product = m.op("Mul", [dy as string, y as string]);
    return [m.op("Sub", [product, m.op("Mul", [y as string, sumLast(m, product)])])];
  },
  gelu([x], { m, node, slopes }) {
    const input = node.inputs[0] as Tensor;
    const when = slopes.wanted.get(input);
    if (when === undefined) return [m.op("Gelu", [x as string])];
    const { y, slope } = geluWithSlope(m, x as string);
    slopes.made.set(input, slope);
    if (when === "now") m.early(slope, outputShape(node));
    return [y];
  },
  geluGrad([dy, x], { m, node, slopes }) {
    const slope = slopes.made.get(node.inputs[1] as Tensor) ?? geluWithSlope(m, x as string).slope;
    return [m.op("Mul", [dy as string, slope])];
  },
  attention([q, k, v, bias], { m, attributes: { scale } }) {
    const products = product(m, q as string, k as string, { b: true, scale });
    const scores = bias === undefined ? products : m.op("Add", [products, bias]);
    const probabilities = m.op("Softmax", [scores], { axis: int(-1) });
    return [m.op("MatMul", [probabilities, v as string]), probabilities];
  },
  attentionGrad([dy, q, k, v, p], site) {
    const { m, wanted } = site;
    const { scale } = site.attributes;
    const inner = product(m, dy as string, v as string, { b: true });
    const scores = m.op("Mul", [p as string, m.op("Sub", [inner, rowSums(site, dy as string, inner, p as string)])]);
    return [
      wanted[0] ? product(m, scores, k as string, { scale }) : "",
      wanted[1] ? product(m, scores, q as string, { a: true, scale }) : "",
      wanted[2] ? product(m, p as string, dy as string, { a: true }) : "",
      wanted[3] ? scores : "",
    ];
  },
  conv: (inputs, { m, node }) => [conv(m, inputs, node)],
  convInput: (inputs, { m, node }) => [convInput(m, inputs, node)],
  convWeight: (inputs, { m, node }) => [convWeight(m, inputs, node)],
  maxPool: (inputs, { m, node }) => [maxPool(m, inputs, node)],
  maxPoolGrad: (inputs, { m, node }) => [maxPoolGrad(m, inputs, node)],
  /** Only where the update is not done in place: see `updates.ts`. */
  adamw([p, gradient, first, second, lr, step], { m, attributes: { beta1, beta2, epsilon, decay } }) {
    const blend = (old: string, fresh: string, beta: number): string =>
      m.op("Add", [m.op("Mul", [old, scalar(m, beta)]), m.op("Mul", [fresh, scalar(m, 1 - beta)])]);
    const correct = (beta: number): string =>
      m.op("Sub", [scalar(m, 1), m.op("Pow", [scalar(m, beta), step as string])]);
    const mean = blend(first as string, gradient as string, beta1);
    const square = blend(second as string, m.op("Mul", [gradient as string, gradient as string]), beta2);
    const size = m.op("Add", [m.op("Sqrt", [m.op("Div", [square, correct(beta2)])]), scalar(m, epsilon)]);
    const direction = m.op("Div", [m.op("Div", [mean, correct(beta1)]), size]);
    const whole = m.op("Add", [direction, m.op("Mul", [p as string, scalar(m, decay)])]);
    return [m.op("Sub", [p as string, m.op("Mul", [whole, lr as string])]), mean, square];
  },
  sgd([p, gradient, velocity, lr], { m, attributes: { momentum, decay, nesterov } }) {
    const full = m.op("Add", [gradient as string, m.op("Mul", [p as string, scalar(m, decay)])]);
    const next = m.op("Add", [m.op("Mul", [velocity as string, scalar(m, momentum)]), full]);
    const direction = nesterov ? m.op("Add", [full, m.op("Mul", [next, scalar(m, momentum)])]) : next;
    return [m.op("Sub", [p as string, m.op("Mul", [direction, lr as string])]), next];
  },
  accumulate: ([sum, x, keep], { m, attributes: { share } }) => [
    m.op("Add", [m.op("Mul", [sum as string, keep as string]), m.op("Mul", [x as string, scalar(m, share)])]),
  ],
};

/** Adds a node to the model; gives its outputs' names, "" for those that nothing reads. */
export function lower<O extends Lowered>(
  m: OnnxModel,
  node: Node<O>,
  wanted: readonly boolean[],
  nameOf: (tensor: Tensor) => string,
  slopes: Slopes,
): readonly string[] {
  const lowering: Lowering<O> = lowerings[node.operation];
  return lowering(node.inputs.map(nameOf), { m, node, attributes: node.attributes, wanted, nameOf, slopes });
}
