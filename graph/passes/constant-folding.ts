/** Computes what is known before any run. */

import type { Node } from "../graph.js";
import { compute } from "../kernels/index.js";
import type { Attributes, OperationName } from "../operations.js";
import { rewrite } from "../rewrite.js";
import { arrayTypes, type DType, sizeOf, type TypedArray } from "../shape.js";
import { makeNode } from "../trace.js";
import type { Pass } from "./pass.js";
import { elementwise, fillOf } from "./values.js";

/** Larger results are cheaper to compute at each run than to store. Elements. */
const limit = 65_536;

export const constantFolding: Pass = {
  name: "constant-folding",
  summary:
    "Nodes whose inputs are all constants become constants, up to 65,536 elements, or any size of one repeated value.",
  run: (graph) =>
    rewrite(graph, (node, make) => {
      const folded = foldFill(node) ?? foldSmall(node);
      return folded && make("constant", [], folded);
    }),
};

/** Operations whose elements are all elements of their input. */
const moving: ReadonlySet<OperationName> = new Set<OperationName>(["reshape", "transpose", "broadcast", "slice"]);

/** One value repeated stays one value repeated, whatever the size. */
function foldFill(node: Node): Attributes["constant"] | undefined {
  const [output] = node.outputs;
  const values = node.inputs.map((input) => fillOf(input.node));
  if (output === undefined || values.length === 0 || !values.every((value) => value !== undefined)) return undefined;
  const { shape, dtype } = output;
  if (moving.has(node.operation)) return { data: values[0] as TypedArray, shape, dtype };
  return elementwise.has(node.operation) ? { data: stored(dtype, onScalars(node, values)), shape, dtype } : undefined;
}

/** The operation applied to one value of each input. */
function onScalars<O extends OperationName>(node: Node<O>, values: readonly TypedArray[]): TypedArray {
  const scalars = node.inputs.map(
    ({ dtype }, i) => makeNode(i, "constant", [], { data: values[i] as TypedArray, shape: [], dtype }, "").outputs[0],
  );
  const inputs = scalars.filter((scalar) => scalar !== undefined);
  return compute(makeNode(values.length, node.operation, inputs, node.attributes, ""), values)[0] as TypedArray;
}

function foldSmall(node: Node): Attributes["constant"] | undefined {
  const [output] = node.outputs;
  if (output === undefined || node.outputs.length > 1 || node.inputs.length === 0) return undefined;
  if (!node.inputs.every((input) => input.node.operation === "constant")) return undefined;
  if ([output, ...node.inputs].some(({ shape }) => sizeOf(shape) > limit)) return undefined;
  const inputs = node.inputs.map((input) => contentOf(input.node));
  const { shape, dtype } = output;
  return { data: repeatedOnce(stored(dtype, compute(node, inputs)[0] as TypedArray)), shape, dtype };
}

/** A constant's elements, all of them. */
const contentOf = (node: Node): TypedArray => compute(node, [])[0] as TypedArray;

/** Constants keep the precision that executors have. */
const stored = (dtype: DType, data: TypedArray): TypedArray => arrayTypes[dtype].from(data);

const repeatedOnce = (data: TypedArray): TypedArray =>
  data.length > 1 && data.every((value) => Object.is(value, data[0])) ? data.slice(0, 1) : data;
