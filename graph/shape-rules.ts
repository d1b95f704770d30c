/**
 * The shape rules: what each operation accepts and what it makes, as one table over the closed set.
 * The builder applies them when it records, `verify` when it checks a finished graph.
 */

import { broadcastShapes, type Expect, type Form, float, onlyFloat, ShapeError } from "./form.js";
import type { Attributes, OperationName } from "./operations.js";
import { type DType, sameShape, showShape, sizeOf } from "./shape.js";
import { asInputs, type InputsOf } from "./signature.js";
import { windowRules } from "./windows.js";

type ShapeRule<O extends OperationName> = (
  inputs: InputsOf<O, Form>,
  attributes: Attributes[O],
  expect: Expect,
) => readonly Form[];

const last = (shape: readonly number[]): number => shape[shape.length - 1] ?? 1;

const wholeSizes = (expect: Expect, shape: readonly number[]): void =>
  expect(
    shape.every((n) => Number.isInteger(n) && n >= 0),
    `sizes that are whole numbers from 0, not ${showShape(shape)}`,
  );

const elementwise = ([x]: readonly [Form], _: unknown, expect: Expect): readonly Form[] => {
  onlyFloat(expect, x);
  return [float(x.shape)];
};

/** Two inputs of one of the element types, broadcast. */
const pairwise =
  (types: readonly DType[], result?: DType) =>
  ([a, b]: readonly [Form, Form], _: unknown, expect: Expect): readonly Form[] => {
    expect(a.dtype === b.dtype && types.includes(a.dtype), `two tensors of one type, ${types.join(" or ")}`);
    const shape = broadcastShapes(a.shape, b.shape);
    expect(shape !== undefined, "shapes that broadcast: equal sizes, or 1, from the last axis on");
    return [{ shape: shape ?? [], dtype: result ?? a.dtype }];
  };

const reduction = ([x]: readonly [Form], { axes, keep }: Attributes["sum"], expect: Expect): readonly Form[] => {
  onlyFloat(expect, x);
  expect(
    axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < x.shape.length),
    `axes from 0 to ${x.shape.length - 1}, not ${showShape(axes)}`,
  );
  expect(new Set(axes).size === axes.length, `each axis once, not ${showShape(axes)}`);
  const gone = new Set(axes);
  const shape = keep
    ? x.shape.map((n, axis) => (gone.has(axis) ? 1 : n))
    : x.shape.filter((_, axis) => !gone.has(axis));
  return [float(shape)];
};

/** The index tensor [B, K] of takeTokens and putTokens against rows [B, ...]. */
const tokenIndex = (expect: Expect, x: Form, index: Form): void =>
  expect(
    x.shape.length >= 2 && index.dtype === "int32" && index.shape.length === 2 && x.shape[0] === index.shape[0],
    "tokens [B, N, ...] and an int32 index [B, K]",
  );

function matmulShape(a: Form, b: Form, attributes: Attributes["matmul"], expect: Expect): readonly number[] {
  onlyFloat(expect, a, b);
  expect(a.shape.length >= 2 && b.shape.length >= 2, "matrices, two axes or more each");
  const [m = 0, k = 0] = matrix(a.shape, attributes.transposeA);
  const [l = 0, n = 0] = matrix(b.shape, attributes.transposeB);
  expect(k === l, `equal inner sizes, not ${k} and ${l}`);
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  expect(
    batchA.length === 0 || batchB.length === 0 || sameShape(batchA, batchB),
    `equal batch axes, or none in one of the two, not ${showShape(batchA)} and ${showShape(batchB)}`,
  );
  return [...(batchA.length === 0 ? batchB : batchA), m, n];
}

/** Rows and columns of the last two axes, as they stand in the product. */
const matrix = (shape: readonly number[], transposed: boolean): readonly number[] =>
  transposed ? shape.slice(-2).reverse() : shape.slice(-2);

/** x [..., I], weight [O, I]; O. */
function linearSizes(expect: Expect, x: Form, weight: Form): number {
  onlyFloat(expect, x, weight);
  const [o = 0, i = 0] = weight.shape;
  expect(weight.shape.length === 2, "a weight [O, I]");
  expect(x.shape.length >= 1 && last(x.shape) === i, `x [..., ${i}] for a weight ${showShape(weight.shape)}`);
  return o;
}

function attentionSizes(expect: Expect, q: Form, k: Form, v: Form): readonly number[] {
  onlyFloat(expect, q, k, v);
  const [b = 0, h = 0, n = 0, d = 0] = q.shape;
  const m = k.shape[2] ?? 0;
  const source = [b, h, m, d];
  expect(
    q.shape.length === 4 && sameShape(k.shape, source) && sameShape(v.shape, source),
    "q [B, h, N, d] and k, v [B, h, M, d]",
  );
  return [b, h, n, m];
}

/** The index [I] and the rows [I, ...] of scatterAdd. */
const rowIndex = (expect: Expect, x: Form, index: Form): void =>
  expect(
    index.dtype === "int32" && sameShape(x.shape.slice(0, index.shape.length), index.shape),
    "rows [I, ...] and an int32 index [I]",
  );

const statistics = (x: Form): Form => float([...x.shape.slice(0, -1), 1]);

function normalized(expect: Expect, x: Form, ...vectors: readonly Form[]): void {
  onlyFloat(expect, x, ...vectors);
  expect(
    x.shape.length >= 1 && vectors.every((vector) => sameShape(vector.shape, [last(x.shape)])),
    `x [..., D] and vectors [D]`,
  );
}

const same = (expect: Expect, ...forms: readonly Form[]): void => {
  onlyFloat(expect, ...forms);
  expect(
    forms.every((form) => sameShape(form.shape, forms[0]?.shape ?? [])),
    "tensors of one shape",
  );
};

const scalars = (expect: Expect, expected: string, ...forms: readonly Form[]): void =>
  expect(
    forms.every((form) => form.dtype === "float32" && form.shape.length === 0),
    expected,
  );

const numeric: readonly DType[] = ["float32", "int32"];

const rules: { readonly [O in OperationName]: ShapeRule<O> } = {
  input: (_, { shape, dtype }, expect) => {
    wholeSizes(expect, shape);
    return [{ shape, dtype }];
  },
  constant: (_, { data, shape, dtype }, expect) => {
    wholeSizes(expect, shape);
    expect(
      data.length === 1 || data.length === sizeOf(shape),
      `1 or ${sizeOf(shape)} values for ${showShape(shape)}, not ${data.length}`,
    );
    return [{ shape, dtype }];
  },

  neg: elementwise,
  exp: elementwise,
  log: elementwise,
  sqrt: elementwise,
  rsqrt: elementwise,
  abs: elementwise,
  sign: elementwise,
  erf: elementwise,
  tanh: elementwise,
  sigmoid: elementwise,
  softplus: elementwise,
  sin: elementwise,
  cos: elementwise,
  floor: elementwise,

  add: pairwise(numeric),
  sub: pairwise(numeric),
  mul: pairwise(numeric),
  div: pairwise(["float32"]),
  maximum: pairwise(numeric),
  minimum: pairwise(numeric),
  less: pairwise(numeric, "bool"),
  lessEqual: pairwise(numeric, "bool"),
  equal: pairwise(["float32", "int32", "bool"], "bool"),

  select: ([condition, a, b], _, expect) => {
    expect(condition.dtype === "bool" && a.dtype === b.dtype, "a bool condition and two tensors of one type");
    const choice = broadcastShapes(a.shape, b.shape);
    const shape = choice && broadcastShapes(condition.shape, choice);
    expect(shape !== undefined, "shapes that broadcast: equal sizes, or 1, from the last axis on");
    return [{ shape: shape ?? [], dtype: a.dtype }];
  },
  cast: ([x], { dtype }) => [{ shape: x.shape, dtype }],
  stopGradient: ([x]) => [x],
  barrier: ([x]) => [x],

  sum: reduction,
  reduceMax: ([x], attributes, expect) => {
    expect(
      attributes.axes.every((axis) => x.shape[axis] !== 0),
      "something to take the largest of",
    );
    return reduction([x], attributes, expect);
  },
  argMax: ([x], _, expect) => {
    onlyFloat(expect, x);
    expect(x.shape.length >= 1 && last(x.shape) > 0, "a last axis that is not empty");
    return [{ shape: x.shape.slice(0, -1), dtype: "int32" }];
  },
  argSort: ([x], _, expect) => {
    onlyFloat(expect, x);
    expect(x.shape.length >= 1, "an axis to sort");
    return [{ shape: x.shape, dtype: "int32" }];
  },

  reshape: ([x], { shape }, expect) => {
    wholeSizes(expect, shape);
    expect(
      sizeOf(shape) === sizeOf(x.shape),
      `${sizeOf(x.shape)} elements, not ${sizeOf(shape)} of ${showShape(shape)}`,
    );
    return [{ shape, dtype: x.dtype }];
  },
  transpose: ([x], { permutation }, expect) => {
    const sorted = permutation.toSorted((a, b) => a - b);
    expect(
      sorted.length === x.shape.length && sorted.every((axis, i) => axis === i),
      `a permutation of ${x.shape.length} axes, not ${showShape(permutation)}`,
    );
    return [{ shape: permutation.map((axis) => x.shape[axis] ?? 0), dtype: x.dtype }];
  },
  broadcast: ([x], { shape }, expect) => {
    wholeSizes(expect, shape);
    const result = broadcastShapes(x.shape, shape);
    expect(result !== undefined && sameShape(result, shape), `a shape that broadcasts to ${showShape(shape)}`);
    return [{ shape, dtype: x.dtype }];
  },
  concat: (parts, { axis }, expect) => {
    const first = parts[0] as Form;
    expect(Number.isInteger(axis) && axis >= 0 && axis < first.shape.length, `an axis of the parts, not ${axis}`);
    const others = (form: Form): readonly number[] => form.shape.with(axis, 0);
    expect(
      parts.every(
        (part) =>
          part.dtype === first.dtype &&
          part.shape.length === first.shape.length &&
          sameShape(others(part), others(first)),
      ),
      `parts of one type that differ in axis ${axis} only`,
    );
    const size = parts.reduce((total, part) => total + (part.shape[axis] ?? 0), 0);
    return [{ shape: first.shape.with(axis, size), dtype: first.dtype }];
  },
  slice: ([x], { begin, size }, expect) => {
    wholeSizes(expect, size);
    expect(
      begin.length === x.shape.length &&
        size.length === x.shape.length &&
        x.shape.every((n, axis) => (begin[axis] ?? -1) >= 0 && (begin[axis] ?? 0) + (size[axis] ?? 0) <= n),
      `a part inside the tensor, not ${showShape(size)} from ${showShape(begin)}`,
    );
    return [{ shape: size, dtype: x.dtype }];
  },
  pad: ([x], { before, after }, expect) => {
    wholeSizes(expect, [...before, ...after]);
    expect(before.length === x.shape.length && after.length === x.shape.length, "one pair of widths an axis");
    return [{ shape: x.shape.map((n, axis) => n + (before[axis] ?? 0) + (after[axis] ?? 0)), dtype: x.dtype }];
  },
  takeTokens: ([x, index], _, expect) => {
    tokenIndex(expect, x, index);
    const [b = 0, n = 0, ...rest] = x.shape;
    const k = index.shape[1] ?? 0;
    expect(k <= n, `at most ${n} distinct tokens, not ${k}`);
    return [{ shape: [b, k, ...rest], dtype: x.dtype }];
  },
  putTokens: ([x, index], { count }, expect) => {
    tokenIndex(expect, x, index);
    const [b = 0, k = 0, ...rest] = x.shape;
    expect(index.shape[1] === k, `one index for each of the ${k} tokens`);
    expect(Number.isInteger(count) && count >= k, `room for ${k} tokens, not ${count}`);
    return [{ shape: [b, count, ...rest], dtype: x.dtype }];
  },
  lookUp: ([table, index], _, expect) => {
    onlyFloat(expect, table);
    expect(table.shape.length >= 1 && index.dtype === "int32", "a table [N, ...] and an int32 index");
    expect((table.shape[0] ?? 0) > 0 || sizeOf(index.shape) === 0, "a table that has rows");
    return [float([...index.shape, ...table.shape.slice(1)])];
  },
  scatterAdd: ([x, index], { count }, expect) => {
    onlyFloat(expect, x);
    rowIndex(expect, x, index);
    wholeSizes(expect, [count]);
    return [float([count, ...x.shape.slice(index.shape.length)])];
  },

  matmul: ([a, b], attributes, expect) => [float(matmulShape(a, b, attributes, expect))],

  linear: ([x, weight, bias], _, expect) => {
    const o = linearSizes(expect, x, weight);
    onlyFloat(expect, bias);
    expect(sameShape(bias.shape, [o]), `a bias [${o}] for a weight ${showShape(weight.shape)}`);
    return [float([...x.shape.slice(0, -1), o])];
  },
  linearGrad: ([dy, x, weight], _, expect) => {
    const o = linearSizes(expect, x, weight);
    onlyFloat(expect, dy);
    expect(sameShape(dy.shape, [...x.shape.slice(0, -1), o]), `dy ${showShape([...x.shape.slice(0, -1), o])}`);
    return [float(x.shape), float(weight.shape), float([o])];
  },
  layerNorm: ([x, gamma, beta], _, expect) => {
    normalized(expect, x, gamma, beta);
    return [float(x.shape), statistics(x), statistics(x)];
  },
  layerNormGrad: ([dy, x, gamma, mean, rstd], _, expect) => {
    normalized(expect, x, gamma);
    same(expect, dy, x);
    same(expect, mean, rstd, statistics(x));
    return [float(x.shape), float(gamma.shape), float(gamma.shape)];
  },
  softmax: ([x], _, expect) => {
    onlyFloat(expect, x);
    expect(x.shape.length >= 1, "a last axis");
    return [float(x.shape)];
  },
  softmaxGrad: ([dy, y], _, expect) => {
    same(expect, dy, y);
    return [float(y.shape)];
  },
  gelu: elementwise,
  geluGrad: ([dy, x], _, expect) => {
    same(expect, dy, x);
    return [float(x.shape)];
  },
  attention: ([q, k, v, bias], _, expect) => {
    const probabilities = attentionSizes(expect, q, k, v);
    if (bias) {
      onlyFloat(expect, bias);
      const scores = broadcastShapes(bias.shape, probabilities);
      expect(
        scores !== undefined && sameShape(scores, probabilities),
        `a bias that broadcasts to ${showShape(probabilities)}`,
      );
    }
    return [float(q.shape), float(probabilities)];
  },
  attentionGrad: ([dy, q, k, v, probabilities], _, expect) => {
    const shape = attentionSizes(expect, q, k, v);
    same(expect, dy, q);
    same(expect, probabilities, float(shape));
    return [float(q.shape), float(k.shape), float(v.shape), float(shape)];
  },

  ...windowRules,

  adamw: ([p, gradient, m, v, lr, step], _, expect) => {
    same(expect, p, gradient, m, v);
    scalars(expect, "scalar learning rate and step", lr, step);
    return [p, m, v];
  },
  sgd: ([p, gradient, m, lr], _, expect) => {
    same(expect, p, gradient, m);
    scalars(expect, "a scalar learning rate", lr);
    return [p, m];
  },
  accumulate: ([sum, x, keep], _, expect) => {
    same(expect, sum, x);
    scalars(expect, "a scalar keep", keep);
    return [sum];
  },
};

/**
 * What the operation makes of such inputs.
 * @throws ShapeError naming the operation, what was given and what was expected.
 */
export function inferForms<O extends OperationName>(
  operation: O,
  inputs: readonly Form[],
  attributes: Attributes[O],
): readonly Form[] {
  const expect: Expect = (condition, expected) => {
    if (!condition) throw new ShapeError(operation, inputs, expected);
  };
  return rules[operation](asInputs(operation, inputs), attributes, expect);
}
