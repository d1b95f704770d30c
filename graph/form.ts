/**
 * Forms: the shape and element type of a tensor, how two of them broadcast, and the error of those that do not fit. Which
 * forms an operation takes and makes is said by `shape-rules.ts`.
 */

import type { OperationName } from "./operations.js";
import { type DType, showShape } from "./shape.js";

/** What is known of a tensor before it has numbers. */
export interface Form {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Shapes or element types that do not fit an operation. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
  constructor(
    readonly operation: OperationName,
    /** What was given. */
    readonly given: readonly Form[],
    /** What would have been right. */
    readonly expected: string,
  ) {
    super(
      `${operation}: expected ${expected}; given ${given.length === 0 ? "no inputs" : given.map(showForm).join(", ")}`,
    );
  }
}

/** Throws a `ShapeError` that says what was expected, unless the condition holds. */
export type Expect = (condition: boolean, expected: string) => void;

export const float = (shape: readonly number[]): Form => ({ shape, dtype: "float32" });

export const onlyFloat = (expect: Expect, ...forms: readonly Form[]): void =>
  expect(
    forms.every((form) => form.dtype === "float32"),
    forms.length === 1 ? "a float32 tensor" : "float32 tensors",
  );

/** `float32 [2, 16]` */
export const showForm = (form: Form): string => `${form.dtype} ${showShape(form.shape)}`;

/** NumPy's broadcasting: sizes aligned at the end, equal or 1. Undefined where they do not fit. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const m = a[a.length - rank + axis] ?? 1;
    const n = b[b.length - rank + axis] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return undefined;
    shape.push(m === 1 ? n : m);
  }
  return shape;
}
