/** What software devices run: they compile every shader on the processor, so not every case on every one. */

import type { OperationName } from "../../graph/index.js";

export const steps = 3;

/** Of products in many shapes and transposes, and of attention with many biases, so many make one that meets another kernel. */
const alike: { readonly [O in OperationName]?: number } = { matmul: 5, attention: 3, linearGrad: 2 };

/** Every `stride`-th case of an operation, and always the first; fewer where several are alike. */
export const everyNth =
  (stride: number) =>
  (operation: OperationName, number: number): boolean =>
    (number - 1) % ((alike[operation] ?? 1) * stride) === 0;
