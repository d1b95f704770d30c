/** What software devices run: they compile every shader on the processor, so not every case on every one. */

import type { OperationName } from "../../graph/index.js";

export const steps = 3;

/**
 * Every `stride`-th case of an operation, and always the first. Products come in many shapes and transposes, of which a
 * fifth is enough to meet each kernel.
 */
export const everyNth =
  (stride: number) =>
  (operation: OperationName, number: number): boolean =>
    (number - 1) % (operation === "matmul" ? 5 * stride : stride) === 0;
