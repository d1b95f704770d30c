/** The two-layer perceptron of transformer blocks. A part of layers, not a layer. */

import type { Builder, Dims, Tensor } from "../../graph/index.js";
import type { Weights } from "../parameters.js";
import { type LinearParameters, linear, linearParameters } from "./linear.js";

export type PerceptronParameters<D extends number, H extends number> = {
  readonly fc1: LinearParameters<D, H>;
  readonly fc2: LinearParameters<H, D>;
};

export const perceptronParameters = (width: number, hidden: number): PerceptronParameters<number, number> => ({
  fc1: linearParameters(width, hidden),
  fc2: linearParameters(hidden, width),
});

/** x [..., D] -> [..., D], by way of H features and exact GELU. */
export const perceptron = <L extends Dims, D extends number, H extends number>(
  g: Builder,
  x: Tensor<[...L, D]>,
  w: Weights<PerceptronParameters<D, H>>,
): Tensor<[...L, D]> => linear(g, g.gelu(linear(g, x, w.fc1)), w.fc2);
