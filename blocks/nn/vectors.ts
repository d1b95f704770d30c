/** Perceptrons that bring what stands for a view to where views are compared, and prototypes with which it is compared there. */

import type { Builder, Dims, Tensor } from "../../graph/index.js";
import { fixed, type Parameter, parameter, type Weights } from "../parameters.js";
import {
  batchNormed,
  batchNormParameters,
  plainBatchNormParameters,
  unshiftedBatchNormParameters,
} from "./batch-norm.js";
import { claim, declarer, layer } from "./layer.js";
import { unitVectors } from "./sphere.js";

/** What ends a projector: nothing, or a batch norm without weights, with a scale, or with a scale and a shift. */
export type ProjectorEnd = "none" | keyof typeof ends;

const ends = {
  plain: plainBatchNormParameters,
  unshifted: unshiftedBatchNormParameters,
  scaled: batchNormParameters,
} as const;

interface ProjectorSizes<O extends number> {
  readonly width: number;
  readonly hidden: number;
  readonly out: O;
  readonly layers: number;
  readonly bias: boolean;
  /** Whether a batch norm stands behind each layer but the last. */
  readonly norms: boolean;
  readonly end: ProjectorEnd;
}

type Norm = ReturnType<(typeof ends)[keyof typeof ends]>;

type ProjectorLayer<O extends number> = {
  readonly weight: Parameter<[O, number]>;
  readonly bias?: Parameter<[O]>;
  readonly norm?: Norm;
};

export type ProjectorParameters<O extends number> = {
  readonly layers: readonly ProjectorLayer<number>[];
  readonly last: ProjectorLayer<O>;
};

/** As PyTorch starts a linear layer. */
const startOf = (inputs: number) => ({ kind: "uniform", bound: 1 / Math.sqrt(inputs) }) as const;

/** Linear layers with a ReLU behind each but the last, and a batch norm in front of that where there are norms. */
export const projectorParameters = declarer(
  "projectorParameters",
  ({ width, hidden, out, layers, bias, norms, end }: ProjectorSizes<number>): ProjectorParameters<number> => {
    const linear = (inputs: number, outputs: number) => ({
      weight: parameter([outputs, inputs], startOf(inputs)),
      ...(bias ? { bias: parameter([outputs], startOf(inputs)) } : {}),
    });
    return {
      layers: Array.from({ length: layers - 1 }, (_, i) => ({
        ...linear(i === 0 ? width : hidden, hidden),
        ...(norms ? { norm: batchNormParameters(hidden) } : {}),
      })),
      last: {
        ...linear(layers === 1 ? width : hidden, out),
        ...(end === "none" ? {} : { norm: ends[end](out) }),
      },
    };
  },
) as <const O extends number>(sizes: ProjectorSizes<O>) => ProjectorParameters<O>;

/** x [..., I] -> x weight^T + bias [..., O] */
function multiplied(g: Builder, x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const outputs = weight.shape[0] as number;
  return g.linear(claim<[number]>(x), claim(weight), claim(bias ?? g.constant(new Float32Array(outputs), [outputs])));
}

function projected(g: Builder, x: Tensor, { weight, bias, norm }: Weights<ProjectorLayer<number>>): Tensor {
  const product = multiplied(g, x, weight, bias);
  return norm ? batchNormed(g, product, norm) : product;
}

/** x [..., D] -> [..., O] */
export const projector = layer(
  "projector",
  <L extends Dims, O extends number>(
    g: Builder,
    x: Tensor<[...L, number]>,
    w: Weights<ProjectorParameters<O>>,
  ): Tensor<[...L, O]> => {
    const hidden = w.layers.reduce<Tensor>((values, one) => g.maximum(projected(g, values, one), 0), x);
    return claim(projected(g, hidden, w.last as Weights<ProjectorLayer<number>>));
  },
);

interface PrototypeSizes<O extends number> {
  readonly width: number;
  readonly hidden: number;
  readonly bottleneck: number;
  readonly out: O;
  readonly layers: number;
  /** Whether all prototypes have the length 1. */
  readonly unit: boolean;
}

export type PrototypeParameters<O extends number> = {
  readonly mlp: readonly { readonly weight: Parameter; readonly bias: Parameter }[];
  readonly last_layer: { readonly weight_g: Parameter<[O, 1]>; readonly weight_v: Parameter<[O, number]> };
};

/** Linear layers, normal with deviation 0.02, and prototypes with a length and a direction of their own. */
export const prototypeParameters = declarer(
  "prototypeParameters",
  ({ width, hidden, bottleneck, out, layers, unit }: PrototypeSizes<number>): PrototypeParameters<number> => ({
    mlp: Array.from({ length: layers }, (_, i) => {
      const [inputs, outputs] = [i === 0 ? width : hidden, i === layers - 1 ? bottleneck : hidden];
      return {
        weight: parameter([outputs, inputs], { kind: "truncated_normal", std: 0.02 }),
        bias: parameter([outputs], { kind: "zeros" }),
      };
    }),
    last_layer: {
      weight_g: unit ? fixed([out, 1], { kind: "ones" }) : { ...parameter([out, 1], { kind: "ones" }), last: true },
      weight_v: { ...parameter([out, bottleneck], startOf(bottleneck)), last: true },
    },
  }),
) as <const O extends number>(sizes: PrototypeSizes<O>) => PrototypeParameters<O>;

/** x [..., D] -> of each vector, by way of GELUs and length 1, the cosine with each prototype times that one's length, [..., O]. */
export const prototypes = layer(
  "prototypes",
  <L extends Dims, O extends number>(
    g: Builder,
    x: Tensor<[...L, number]>,
    w: Weights<PrototypeParameters<O>>,
  ): Tensor<[...L, O]> => {
    const narrow = w.mlp.reduce<Tensor>((values, { weight, bias }, i) => {
      const linear = multiplied(g, values, weight, bias);
      return i === w.mlp.length - 1 ? linear : g.gelu(linear);
    }, x);
    const { weight_g, weight_v } = w.last_layer as { readonly weight_g: Tensor; readonly weight_v: Tensor };
    return claim(multiplied(g, unitVectors(g, narrow), g.mul(unitVectors(g, weight_v), weight_g)));
  },
);
