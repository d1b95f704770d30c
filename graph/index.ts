/** Tensor programs: operations, shapes, tracing, gradients, simplification, cost. Pure; imports nothing of ours. */
export type { Builder } from "./builder.js";
export { evaluate } from "./evaluate.js";
export { gradients } from "./gradients.js";
export type { Feed, Graph, Node, StateSlot, Values } from "./graph.js";
export { InvariantError, invariant } from "./invariant.js";
export type { Add, Mul } from "./literal.js";
export type { Attributes, OperationName } from "./operations.js";
export { randomStream } from "./philox.js";
export type { Purpose, Random } from "./random.js";
export type { Dim, Dims, DType, Tensor, TypedArray } from "./shape.js";
export { bytesOf, sameShape, showShape, sizeOf } from "./shape.js";
export { type Form, ShapeError, showForm } from "./shapes.js";
export { asInputs, type InputsOf, type OutputsOf } from "./signature.js";
export { createBuilder } from "./trace.js";
