/** Cases that operations of one form share: one input of several shapes, two that broadcast, matrices, tokens. */

import type { Builder, Tensor } from "../../../graph/index.js";
import type { CaseSpec, Fill, InputSpec } from "./case.js";

export const float = (shape: readonly number[], fill: Fill = "signed"): InputSpec => ({
  shape,
  fill,
  dtype: "float32",
});
export const int = (shape: readonly number[], fill: Fill): InputSpec => ({ shape, fill, dtype: "int32" });
export const bool = (shape: readonly number[]): InputSpec => ({ shape, fill: "bool", dtype: "bool" });

/** One shape in one dimension, one ragged, one scalar. */
export const shapes: readonly (readonly number[])[] = [[], [7], [2, 3, 5]];

export const elementwise = (operation: ElementwiseName, fill: Fill = "signed"): CaseSpec[] =>
  shapes.map((shape) => ({ inputs: [float(shape, fill)], build: (g, x) => g[operation](x) }));

type ElementwiseName =
  | "neg"
  | "exp"
  | "log"
  | "sqrt"
  | "rsqrt"
  | "abs"
  | "sign"
  | "erf"
  | "tanh"
  | "sigmoid"
  | "softplus"
  | "sin"
  | "cos"
  | "floor"
  | "gelu"
  | "softmax"
  | "stopGradient"
  | "barrier";

const pairs: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [2, 3, 5],
    [2, 3, 5],
  ],
  [[2, 3, 5], [5]],
  [
    [2, 1, 5],
    [3, 1],
  ],
  [[], [4]],
];

type PairName = "add" | "sub" | "mul" | "div" | "maximum" | "minimum" | "less" | "lessEqual" | "equal";

/** `whole`: also of whole numbers. */
export const pairwise = (operation: PairName, fill: Fill = "signed", whole = true): CaseSpec[] => [
  ...pairs.map(
    ([a, b]): CaseSpec => ({
      inputs: [float(a, fill), float(b, fill)],
      build: (g, x, y) => g[operation](x, y),
    }),
  ),
  ...(whole
    ? [
        {
          inputs: [int([2, 6], { below: 9 }), int([6], { below: 7 })],
          build: (g: Builder, x: Tensor, y: Tensor) => g[operation](x, y),
        },
      ]
    : []),
];

/** Several uses of the same inputs. */
export const each = (inputs: readonly InputSpec[], ...builds: readonly CaseSpec["build"][]): CaseSpec[] =>
  builds.map((build) => ({ inputs, build }));

/** Products of matrices of many axes, transposed in every way. */
export const products: CaseSpec[] = (
  [
    [
      [4, 3],
      [3, 5],
    ],
    [
      [1, 1],
      [1, 1],
    ],
    [
      [17, 9],
      [9, 13],
    ],
    [
      [2, 3, 4, 3],
      [2, 3, 3, 5],
    ],
    [
      [2, 4, 3],
      [3, 5],
    ],
    [
      [4, 3],
      [2, 3, 5],
    ],
    // Large enough for the batch to be unrolled on wasm.
    [
      [3, 33, 34],
      [3, 34, 35],
    ],
    [
      [3, 33, 34],
      [34, 35],
    ],
    [
      [33, 34],
      [3, 34, 35],
    ],
  ] as const
).flatMap(([a, b]) =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB): CaseSpec => {
      const turned = (shape: readonly number[], turn: boolean): number[] =>
        turn ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : [...shape];
      const flags = { ...(transposeA ? { a: true as const } : {}), ...(transposeB ? { b: true as const } : {}) };
      return {
        inputs: [float(turned(a, transposeA)), float(turned(b, transposeB))],
        build: (g, x, y) => g.matmul(x, y, flags),
      };
    }),
  ),
);

/** Takes `k` of `n` tokens of each of `b` samples. */
export const tokens = (b: number, n: number, k: number, rest: readonly number[]): CaseSpec => ({
  inputs: [float([b, n, ...rest]), int([b, k], { below: n })],
  build: (g, x, index) => g.takeTokens(x as never, index as never),
});

/** Puts `k` tokens among `n`. */
export const scattered = (b: number, n: number, k: number, rest: readonly number[]): CaseSpec => ({
  inputs: [float([b, k, ...rest]), int([b, k], { below: n })],
  build: (g, x, index) => g.putTokens(x, index, n),
});

/** Shapes of x, weight and y of a convolution: the kinds that models have, and what no kernel of a backend does alone. */
export const convolutions = [
  // A 3 x 3 of two steps, dense; one row of the padding is reached by no window.
  {
    x: [2, 6, 7, 3],
    weight: [5, 3, 3, 3],
    y: [2, 3, 4, 5],
    attributes: { strides: [2, 2], dilations: [1, 1], before: [1, 1], after: [1, 1], groups: 1 },
  },
  // Each channel alone, 7 x 7.
  {
    x: [2, 8, 8, 3],
    weight: [3, 1, 7, 7],
    y: [2, 8, 8, 3],
    attributes: { strides: [1, 1], dilations: [1, 1], before: [3, 3], after: [3, 3], groups: 3 },
  },
  // The same with gaps, in as many channels as are computed together.
  {
    x: [2, 5, 4, 16],
    weight: [16, 1, 3, 3],
    y: [2, 6, 3, 16],
    attributes: { strides: [1, 1], dilations: [1, 2], before: [1, 2], after: [2, 1], groups: 16 },
  },
  // All channels of whole blocks, and more of them than there are places.
  {
    x: [3, 4, 3, 16],
    weight: [32, 16, 3, 2],
    y: [3, 3, 2, 32],
    attributes: { strides: [1, 1], dilations: [1, 2], before: [1, 0], after: [0, 1], groups: 1 },
  },
  {
    x: [1, 3, 3, 16],
    weight: [17, 16, 3, 3],
    y: [1, 3, 3, 17],
    attributes: { strides: [1, 1], dilations: [1, 1], before: [1, 1], after: [1, 1], groups: 1 },
  },
  // Few channels that become a whole block.
  {
    x: [2, 5, 6, 3],
    weight: [16, 3, 3, 3],
    y: [2, 3, 3, 16],
    attributes: { strides: [2, 2], dilations: [1, 1], before: [1, 1], after: [1, 0], groups: 1 },
  },
  // A stride that skips numbers, and places behind the last window.
  {
    x: [2, 8, 7, 2],
    weight: [3, 2, 2, 3],
    y: [2, 3, 3, 3],
    attributes: { strides: [3, 2], dilations: [1, 1], before: [0, 0], after: [0, 0], groups: 1 },
  },
  // Windows side by side, rows left over; single numbers.
  {
    x: [1, 5, 4, 3],
    weight: [4, 3, 2, 2],
    y: [1, 2, 2, 4],
    attributes: { strides: [2, 2], dilations: [1, 1], before: [0, 0], after: [0, 0], groups: 1 },
  },
  {
    x: [2, 3, 3, 4],
    weight: [6, 4, 1, 1],
    y: [2, 2, 2, 6],
    attributes: { strides: [2, 2], dilations: [1, 1], before: [0, 0], after: [0, 0], groups: 1 },
  },
  {
    x: [2, 2, 3, 4],
    weight: [3, 4, 1, 1],
    y: [2, 2, 3, 3],
    attributes: { strides: [1, 1], dilations: [1, 1], before: [0, 0], after: [0, 0], groups: 1 },
  },
  // As many channels as make a product for each number of a window.
  {
    x: [1, 4, 3, 17],
    weight: [2, 17, 3, 2],
    y: [1, 2, 3, 2],
    attributes: { strides: [2, 1], dilations: [1, 2], before: [1, 1], after: [0, 1], groups: 1 },
  },
  // One axis, with gaps and groups; padding wider than the window.
  {
    x: [2, 9, 4],
    weight: [6, 2, 3],
    y: [2, 5, 6],
    attributes: { strides: [2], dilations: [2], before: [2], after: [2], groups: 2 },
  },
  {
    x: [1, 3, 2],
    weight: [2, 2, 2],
    y: [1, 7, 2],
    attributes: { strides: [1], dilations: [1], before: [3], after: [2], groups: 1 },
  },
  // Three axes: dense, and two outputs for each channel.
  {
    x: [1, 3, 4, 5, 2],
    weight: [3, 2, 2, 3, 3],
    y: [1, 2, 2, 5, 3],
    attributes: { strides: [1, 2, 1], dilations: [1, 1, 1], before: [0, 1, 1], after: [0, 1, 1], groups: 1 },
  },
  {
    x: [2, 2, 3, 3, 2],
    weight: [4, 1, 1, 2, 2],
    y: [2, 2, 2, 3, 4],
    attributes: { strides: [1, 1, 1], dilations: [1, 1, 1], before: [0, 0, 0], after: [0, 0, 1], groups: 2 },
  },
];

/** Shapes of x and y of a pooling, with ties. */
export const poolings = [
  { x: [2, 7, 6, 3], y: [2, 4, 3, 3], attributes: { kernel: [3, 3], strides: [2, 2], before: [1, 1], after: [1, 1] } },
  { x: [1, 5, 2], y: [1, 2, 2], attributes: { kernel: [2], strides: [2], before: [0], after: [0] } },
  {
    x: [1, 2, 4, 3, 2],
    y: [1, 1, 2, 3, 2],
    attributes: { kernel: [2, 2, 3], strides: [2, 2, 1], before: [0, 0, 1], after: [0, 0, 1] },
  },
];

/** In numbers that fill no square of a shader. */
const [samples, places, features, heads] = [3, 13, 24, 3] as const;
const hidden = 2 * features + 3;

type BlockInputs = readonly [
  x: Tensor,
  qkvWeight: Tensor,
  outWeight: Tensor,
  upWeight: Tensor,
  downWeight: Tensor,
  qkvBias: Tensor,
  outBias: Tensor,
  gamma: Tensor,
  beta: Tensor,
  upBias: Tensor,
];

/** Attention by heads and a perceptron, both with residuals, and a linear layer of some of the tokens. */
function block(g: Builder, inputs: BlockInputs): Tensor {
  const [x, qkvWeight, outWeight, upWeight, downWeight, qkvBias, outBias, gamma, beta, upBias] = inputs;
  const d = features / heads;
  const linear = (of: Tensor, weight: Tensor, bias: Tensor): Tensor =>
    g.linear(of as Tensor<[number, number, number]>, weight as Tensor<[number, number]>, bias as Tensor<[number]>);
  const parts = g.transpose(g.reshape(linear(x, qkvWeight, qkvBias), [samples, places, 3, heads, d]), [2, 0, 3, 1, 4]);
  const part = (i: number): Tensor =>
    g.reshape(g.slice(parts, [i, 0, 0, 0, 0], [1, samples, heads, places, d]), [samples, heads, places, d]);
  const [y] = g.attention(part(0), part(1), part(2), 1 / Math.sqrt(d));
  const joined = g.reshape(g.transpose(y, [0, 2, 1, 3]), [samples, places, features]);
  const attended = g.add(x, linear(joined, outWeight, outBias));
  const [normal] = g.layerNorm(attended, gamma, beta, 1e-6);
  const made = g.add(attended, linear(g.gelu(linear(normal, upWeight, upBias)), downWeight, outBias));
  return linear(g.slice(made, [0, 1, 0], [samples, places - 1, features]), upWeight, upBias);
}

export const transformerBlock: CaseSpec = {
  inputs: [
    float([samples, places, features]),
    ...[
      [3 * features, features],
      [features, features],
      [hidden, features],
      [features, hidden],
    ].map((shape) => float(shape)),
    ...[3 * features, features, features, features, hidden].map((size) => float([size])),
  ],
  build: (g, ...inputs) => block(g, inputs as BlockInputs),
};
