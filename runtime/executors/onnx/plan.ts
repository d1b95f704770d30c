/**
 * A graph split into what onnxruntime runs and what is done in place: one ONNX model for everything but the optimizer's
 * updates of state, and a list of those updates. Plain data, so that it can be sent to a worker thread.
 */

import {
  type Attributes,
  arrayTypes,
  type DType,
  type Graph,
  invariant,
  type Node,
  sizeOf,
  type Tensor,
} from "../../../graph/index.js";
import { firstScalar, inPlaceNodes, stateInputs, type Update } from "../in-place.js";
import { type Blocks, blockedProducts, type Least } from "./blocked.js";
import { type Lowered, lower, type Slopes, shapeInput } from "./lowering.js";
import { createModel, type OnnxModel } from "./model.js";

export interface Named {
  /** Name in the graph. */
  readonly name: string;
  /** Name in the ONNX model. */
  readonly onnx: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** One parameter's update: names of state, and of the model's outputs that it reads. */
export interface InPlace {
  readonly rule:
    | { readonly kind: "adamw"; readonly settings: Attributes["adamw"] }
    | { readonly kind: "sgd"; readonly settings: Attributes["sgd"] }
    | { readonly kind: "accumulate"; readonly settings: Attributes["accumulate"] };
  /** Parameter, then moments, or a sum; all change. */
  readonly state: readonly string[];
  /** Number of elements. */
  readonly size: number;
  readonly gradient: string;
  /** Learning rate, then for adamw the step; for a sum how much of it is kept: scalar outputs. */
  readonly scalars: readonly string[];
}

export interface Plan {
  readonly model: Uint8Array;
  /** Everything that the caller must hand over, also what the model does not read. */
  readonly feeds: readonly (Named & { readonly read: boolean })[];
  readonly state: readonly Named[];
  /** Shapes that are fed, as int64, so that the model does not know them. */
  readonly shapes: readonly Pick<Named, "onnx" | "shape">[];
  readonly outputs: readonly Named[];
  readonly inPlace: readonly InPlace[];
  /** State replaced by an output of the model. */
  readonly replaced: readonly Named[];
}

/** Names of tensors in the model under construction, and its outputs. */
interface Naming {
  readonly names: Map<Tensor, string>;
  /** Makes a tensor an output of the model; each output has a node of its own. */
  readonly expose: (tensor: Tensor) => string;
  /** The same for a gradient, which is written where its parameter lies: two parameters with one gradient have an output each. */
  readonly gradient: (tensor: Tensor) => string;
}

function naming(m: OnnxModel, sources: ReadonlySet<Tensor>): Naming {
  const names = new Map<Tensor, string>();
  const exposed = new Map<Tensor, string>();
  const taken = new Set<string>();
  const gradients = new Set<Tensor>();
  /** As an output that nothing else reads. */
  const exposeAnew = (tensor: Tensor): string => {
    const inner = names.get(tensor);
    invariant(inner !== undefined, "an output of the graph was made by one of its nodes");
    const name = sources.has(tensor) || taken.has(inner) ? m.op("Identity", [inner]) : inner;
    taken.add(name);
    m.output(name, tensor.dtype, tensor.shape);
    return name;
  };
  const expose = (tensor: Tensor): string => {
    const name = exposed.get(tensor) ?? exposeAnew(tensor);
    exposed.set(tensor, name);
    return name;
  };
  return {
    names,
    expose,
    gradient(tensor) {
      const name = gradients.has(tensor) ? exposeAnew(tensor) : expose(tensor);
      gradients.add(tensor);
      return name;
    },
  };
}

/** A constant of the graph; one that fills its shape is spread out by onnxruntime when it loads the model. */
function constantName(m: OnnxModel, { attributes: { data, shape, dtype } }: Node<"constant">): string {
  const values = arrayTypes[dtype].from(data);
  if (data.length === sizeOf(shape)) return m.constant(dtype, values, shape);
  return m.op("Expand", [m.constant(dtype, values, []), m.sizes(shape)]);
}

/**
 * Adds all nodes but those `skipped`; a node's outputs that nothing reads are not computed.
 * @param names of inputs; those of what the nodes make are added.
 * @param least from what size on products are computed in blocks; null: never.
 */
export function lowerNodes(
  graph: Graph,
  m: OnnxModel,
  names: Map<Tensor, string>,
  skipped: ReadonlyMap<Node, unknown> = new Map(),
  least: Least | null = null,
): void {
  const read = new Set<Tensor>([
    ...graph.outputs.values(),
    ...graph.updates.values(),
    ...graph.nodes.flatMap((n) => n.inputs),
  ]);
  const slopes: Slopes = { wanted: slopesWanted(graph), made: new Map() };
  const blocked = least && m.block !== null ? blockedProducts(m, names, m.block, least, slopes) : null;
  const nameOf = blocked?.rowsOf ?? ((tensor: Tensor) => names.get(tensor) as string);
  for (const node of graph.nodes) {
    if (node.operation === "input" || skipped.has(node)) continue;
    if (node.operation === "constant") {
      names.set(node.outputs[0] as Tensor, constantName(m, node as Node<"constant">));
      continue;
    }
    m.within(node.scope === "" ? node.operation : `${node.scope}/${node.operation}`);
    const wanted = node.outputs.map((output) => read.has(output));
    if (blocked?.lower(node, wanted)) continue;
    const made = lower(m, node as Node<Lowered>, wanted, nameOf, slopes);
    node.outputs.forEach((output, i) => void names.set(output, made[i] as string));
  }
  if (blocked === null) return;
  const leaving = [
    ...graph.outputs.values(),
    ...graph.updates.values(),
    ...[...skipped.keys()].flatMap((n) => n.inputs),
  ];
  for (const tensor of leaving) {
    if (tensor.node.operation !== "input" && !skipped.has(tensor.node)) blocked.rowsOf(tensor);
  }
}

/** What gelu's gradients read. Where it is computed again for its gradient, behind a barrier, nothing is to be held before. */
function slopesWanted(graph: Graph): Slopes["wanted"] {
  const again = new Set<Node>();
  for (const node of graph.nodes) {
    if (node.operation === "barrier" || node.inputs.some((input) => again.has(input.node))) again.add(node);
  }
  const read = graph.nodes.flatMap((node) => (node.operation === "geluGrad" ? [node.inputs[1] as Tensor] : []));
  return new Map(read.map((x) => [x, again.has(x.node) ? "later" : "now"]));
}

/** Each shape of what stands behind a barrier, once. */
function shapesFed(graph: Graph): Plan["shapes"] {
  const shapes = graph.nodes.flatMap(({ operation, outputs }) =>
    operation === "barrier" ? [(outputs[0] as Tensor).shape] : [],
  );
  return [...new Map(shapes.map((shape) => [shapeInput(shape), shape]))].map(([onnx, shape]) => ({ onnx, shape }));
}

/** What the model reads and gives: all but the parameters and moments of in-place updates. */
export function tensorsRead(graph: Graph, inPlace: ReadonlyMap<Node, unknown> = new Map()): ReadonlySet<Tensor> {
  const inputsOf = (node: Node): readonly Tensor[] => {
    if (!inPlace.has(node)) return node.inputs;
    const own: readonly number[] = stateInputs[(node as Update).operation];
    return node.inputs.filter((_, at) => !own.includes(at));
  };
  return new Set([...graph.outputs.values(), ...graph.updates.values(), ...graph.nodes.flatMap(inputsOf)]);
}

/** Builds the model of a graph and the list of what is done beside it. `blocks`: of the library; null: it has none. */
export function planOf(graph: Graph, blocks: Blocks | null): Plan {
  const m = createModel({ block: blocks?.size ?? null });
  const inPlace = inPlaceNodes(graph);
  const used = tensorsRead(graph, inPlace);
  const { names, expose, gradient } = naming(m, new Set([...graph.feeds.values(), ...graph.state.values()]));
  const declare = (prefix: string, [name, tensor]: readonly [string, Tensor]): Named => {
    const onnx = `${prefix}${name}`;
    names.set(tensor, onnx);
    return { name, onnx, shape: tensor.shape, dtype: tensor.dtype };
  };
  const feeds = [...graph.feeds].map((entry) => ({ ...declare("feed:", entry), read: used.has(entry[1]) }));
  const state = [...graph.state].filter(([, tensor]) => used.has(tensor)).map((entry) => declare("state:", entry));
  for (const { onnx, dtype, shape } of [...feeds.filter(({ read }) => read), ...state]) m.input(onnx, dtype, shape);
  const shapes = shapesFed(graph);
  for (const { onnx, shape } of shapes) m.input(onnx, "int64", [shape.length]);
  lowerNodes(graph, m, names, inPlace, blocks?.least);
  const exposedAs = ([name, tensor]: readonly [string, Tensor]): Named => ({
    name,
    onnx: expose(tensor),
    shape: tensor.shape,
    dtype: tensor.dtype,
  });
  const done = new Set([...inPlace.values()].flat());
  return {
    feeds,
    state,
    shapes,
    outputs: [...graph.outputs].map(exposedAs),
    inPlace: [...inPlace].map(([node, slots]) => inPlaceOf(node, slots, { expose, gradient })),
    replaced: [...graph.updates].filter(([name]) => !done.has(name)).map(exposedAs),
    model: m.encode(),
  };
}

function inPlaceOf(
  node: Update,
  state: readonly string[],
  { expose, gradient }: Pick<Naming, "expose" | "gradient">,
): InPlace {
  const { operation, inputs, attributes } = node;
  return {
    rule: { kind: operation, settings: attributes } as InPlace["rule"],
    state,
    size: sizeOf((inputs[0] as Tensor).shape),
    gradient: gradient(inputs[1] as Tensor),
    scalars: inputs.slice(firstScalar[operation]).map(expose),
  };
}
