/**
 * Which nodes of a graph WebGPU computes at once: products with the elementwise nodes that follow them, and with the moves
 * before and after; gradients of norms with what is added to them; and the groups of `webgpu-flat.ts`.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { type Graph, isA, type Node, sizeOf, type Tensor } from "../../../graph/index.js";
import { mostBuffers } from "./flat-groups.js";
import { type Formula, filling, formulaOf, isElementwise } from "./formula.js";
import type { Fused } from "./kernel.js";
import { destinationOf, plainView, stretched, type View, viewOf } from "./views.js";
import { fuseFlat } from "./webgpu-flat.js";
import { backendInUse, layerNormGrad, layerNormSums, softmax, softmaxGrad } from "./webgpu-fused.js";
import { matrices, type Product, productShader, rowsOf } from "./webgpu-product.js";

/** What is known of a graph while its steps are chosen. */
interface Surroundings {
  readonly positionOf: (node: Node) => number;
  /** Null: a result of the graph, which is read by others than nodes too. */
  readonly readersOf: (tensor: Tensor) => readonly Node[] | null;
  readonly isRead: (tensor: Tensor) => boolean;
  /** What results are moved into. */
  readonly destinations: ReadonlyMap<Tensor, View>;
  /** Nodes that are part of a step already. */
  readonly taken: Set<Node>;
  readonly viewOf: (tensor: Tensor) => View;
}

function surroundings(graph: Graph, taken: Set<Node>): Surroundings {
  const positions = new Map(graph.nodes.map((node, i) => [node, i]));
  const results = new Set([...graph.outputs.values(), ...graph.updates.values()]);
  const readers = new Map<Tensor, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) {
      const known = readers.get(input) ?? [];
      known.push(node);
      readers.set(input, known);
    }
  }
  const readersOf = (tensor: Tensor): readonly Node[] | null =>
    results.has(tensor) ? null : (readers.get(tensor) ?? []);
  const moved = graph.nodes.flatMap((node) => movedResults(node, readersOf));
  const made = new Set(moved.map(([, { tensor }]) => tensor));
  return {
    positionOf: (node) => positions.get(node) ?? -1,
    readersOf,
    isRead: (tensor) => readersOf(tensor)?.length !== 0,
    destinations: new Map(moved),
    taken,
    viewOf: (tensor) => viewOf(tensor, (one) => made.has(one)),
  };
}

/** Where results of attention are moved: the three gradients may be joined. */
function movedResults(node: Node, readersOf: Surroundings["readersOf"]): (readonly [Tensor, View])[] {
  const count = isA(node, "attention") ? 1 : isA(node, "attentionGrad") ? 3 : 0;
  const isOwn = (tensor: Tensor): boolean =>
    tensor.node === node
      ? tensor.index < count
      : tensor.node.operation === "reshape" && isOwn(tensor.node.inputs[0] as Tensor);
  return node.outputs
    .slice(0, count)
    .map((output) => [output, destinationOf(output, readersOf, (joined) => joined.inputs.every(isOwn))] as const);
}

/** What follows from a result element by element: its tensors begin with the result, its results are `outputs`. */
interface Followed {
  readonly formula: Formula;
  readonly outputs: readonly Tensor[];
}

/**
 * Elementwise nodes that can be computed where the elements of a result are, with those of tensors made before.
 *
 * @param buffers those that the result itself is made of.
 */
function followed(result: Tensor, buffers: number, around: Surroundings): Followed {
  const { positionOf, readersOf, taken } = around;
  const inside = new Set<Node>();
  const known = new Set([result]);
  const size = sizeOf(result.shape);
  const isAtHand = (input: Tensor): boolean =>
    known.has(input) ||
    filling(input) !== undefined ||
    (input.dtype === "float32" && sizeOf(input.shape) === size && positionOf(input.node) < positionOf(result.node));
  const outputsOf = (): Tensor[] =>
    [...known].filter((tensor) => readersOf(tensor)?.every((reader) => inside.has(reader)) !== true);
  const describe = (): Followed => {
    const outputs = outputsOf();
    const formula = formulaOf([result, ...outputs], (node) => inside.has(node));
    return { formula: { ...formula, results: formula.results.slice(1) }, outputs };
  };
  let best = describe();
  // Grows while it is walked; each node comes after what it reads.
  const waiting = [...(readersOf(result) ?? [])];
  for (const node of waiting) {
    const [output] = node.outputs;
    const isFit =
      !inside.has(node) &&
      !taken.has(node) &&
      isElementwise(node) &&
      node.outputs.length === 1 &&
      node.inputs.every(isAtHand);
    if (!output || !isFit || output.dtype !== "float32" || sizeOf(output.shape) !== size) continue;
    inside.add(node);
    known.add(output);
    const next = describe();
    if (
      next.formula.scalars.length > 0 ||
      buffers + next.formula.tensors.length - 1 + next.outputs.length > mostBuffers
    ) {
      inside.delete(node);
      known.delete(output);
      continue;
    }
    best = next;
    waiting.push(...(readersOf(output) ?? []));
  }
  for (const node of inside) taken.add(node);
  return best;
}

/** Few elements that are long sums leave most of a GPU idle; TensorFlow.js splits such sums. */
const isLong = (rows: number, columns: number, inner: number): boolean => rows * columns < 64 * 64 && inner > 2048;

/** As many rows as its leading axes have. */
const countOf = ({ shape }: Tensor): number => sizeOf(shape.slice(0, -1));
const widthOf = ({ shape }: Tensor): number => shape.at(-1) as number;

/** A product as a step of its own; it is stored as its results lie. */
function productStep(
  name: string,
  { formula, outputs }: Followed,
  product: Omit<Product, "formula" | "into">,
  sums?: Tensor | undefined,
): Fused {
  const result = formula.tensors[0] as Tensor;
  const into = outputs.map(() => rowsOf(plainView(result)));
  const shader = productShader(name, { ...product, formula, into, sumsRows: sums !== undefined });
  const { a, b, added } = product;
  const others = formula.tensors.slice(1);
  return {
    name,
    inputs: [a.tensor, b.tensor, ...(added ? [added.tensor] : []), ...others],
    outputs: [...outputs, ...(sums ? [sums] : [])],
    tables: [],
    changesState: false,
    run: ([left, right, ...more]) => {
      const buffers = {
        a: left as tf.Tensor,
        b: right as tf.Tensor,
        ...(added ? { added: more.shift() as tf.Tensor } : {}),
      };
      const rest = Object.fromEntries(more.map((tensor, j) => [`x${j + 1}s`, tensor]));
      const made = Object.fromEntries(outputs.map(({ shape }, j) => [`made${j}`, shape] as const));
      return backendInUse().run({
        ...shader,
        inputs: { ...buffers, ...rest },
        outputs: { ...made, ...(sums ? { sums: sums.shape } : {}) },
      });
    },
  };
}

function linearSteps(node: Node<"linear">, around: Surroundings): Fused[] {
  const [x, weight, bias] = node.inputs as readonly [Tensor, Tensor, Tensor];
  const y = node.outputs[0] as Tensor;
  if (isLong(countOf(x), widthOf(y), widthOf(x))) return [];
  const product = {
    a: rowsOf(around.viewOf(x)),
    b: rowsOf(around.viewOf(weight), true),
    added: rowsOf(around.viewOf(bias)),
  };
  return [productStep("linear", followed(y, 3, around), product)];
}

function linearGradSteps(node: Node<"linearGrad">, around: Surroundings): Fused[] {
  const [dy, x, weight] = node.inputs.map(around.viewOf) as [View, View, View];
  const [dx, dweight, dbias] = node.outputs as readonly [Tensor, Tensor, Tensor];
  const [rows, inner, columns] = [countOf(dx), widthOf(node.inputs[0] as Tensor), widthOf(dx)];
  const isBiasAlone = around.isRead(dbias) && !around.isRead(dweight);
  if (isBiasAlone || isLong(inner, columns, rows) || isLong(rows, columns, inner)) return [];
  const steps: Fused[] = [];
  if (around.isRead(dx)) {
    steps.push(productStep("linearGrad", followed(dx, 2, around), { a: rowsOf(dy), b: rowsOf(weight) }));
  }
  if (around.isRead(dweight)) {
    const plain = { formula: formulaOf([dweight], () => false), outputs: [dweight] };
    const product = { a: rowsOf(dy, true), b: rowsOf(x) };
    steps.push(productStep("weightGrad", plain, product, around.isRead(dbias) ? dbias : undefined));
  }
  return steps;
}

/** Attention's products, each of a batch of matrices, and the softmax between. */
function attentionSteps(node: Node<"attention">, around: Surroundings): Fused[] {
  const [q, k, v, bias] = node.inputs.map(around.viewOf) as [View, View, View, View?];
  const [y, probabilities] = node.outputs as readonly [Tensor, Tensor];
  const scores = productShader("scores", {
    ...{ a: matrices(q), b: matrices(k, true), scale: node.attributes.scale },
    added: bias && matrices(stretched(bias, probabilities.shape)),
    into: [matrices(plainView(probabilities))],
  });
  const into = around.destinations.get(y) as View;
  const values = productShader("values", {
    ...{ a: matrices(plainView(probabilities)), b: matrices(v) },
    into: [matrices(into)],
  });
  const isProbabilityRead = around.isRead(probabilities);
  return [
    {
      name: "attention",
      inputs: [q.tensor, k.tensor, v.tensor, ...(bias ? [bias.tensor] : [])],
      outputs: [into.tensor, ...(isProbabilityRead ? [probabilities] : [])],
      tables: [],
      changesState: false,
      run: ([a, b, c, added]) => {
        const backend = backendInUse();
        const operands = { a: a as tf.Tensor, b: b as tf.Tensor, ...(added ? { added } : {}) };
        const [products] = backend.run({ ...scores, inputs: operands, outputs: { made0: probabilities.shape } });
        const p = softmax(products as tf.Tensor);
        products?.dispose();
        const inputs = { a: p, b: c as tf.Tensor };
        return [
          ...backend.run({ ...values, inputs, outputs: { made0: into.tensor.shape } }),
          ...(isProbabilityRead ? [p] : []),
        ];
      },
    },
  ];
}

type GradientInputs = readonly [dy: tf.Tensor, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, probabilities: tf.Tensor];

/** Operands of the products that give the gradients of queries, keys and values. */
type GradientOperand = "dscores" | "probabilities" | "dy" | "q" | "k";

/** The products for those of the three gradients that something reads. */
function gradientProducts(node: Node<"attentionGrad">, around: Surroundings) {
  const [dy, q, k, , probabilities] = node.inputs.map(around.viewOf) as [View, View, View, View, View];
  const [dq, dk, dv, dscores] = node.outputs as readonly [Tensor, Tensor, Tensor, Tensor];
  const { scale } = node.attributes;
  const scores = plainView(dscores);
  const products: readonly (Pick<Product, "a" | "b" | "scale"> & {
    readonly gradient: Tensor;
    readonly operands: readonly [GradientOperand, GradientOperand];
  })[] = [
    { gradient: dq, operands: ["dscores", "k"], a: matrices(scores), b: matrices(k), scale },
    { gradient: dk, operands: ["dscores", "q"], a: matrices(scores, true), b: matrices(q), scale },
    { gradient: dv, operands: ["probabilities", "dy"], a: matrices(probabilities, true), b: matrices(dy) },
  ];
  return products
    .filter(({ gradient }) => around.isRead(gradient))
    .map(({ gradient, operands, ...product }) => {
      const into = around.destinations.get(gradient) as View;
      const shader = productShader("attentionGrad", { ...product, into: [matrices(into)] });
      return { operands, into: into.tensor, shader };
    });
}

function attentionGradSteps(node: Node<"attentionGrad">, around: Surroundings): Fused[] {
  const [dy, q, k, v, probabilities] = node.inputs.map(around.viewOf) as [View, View, View, View, View];
  const dscores = node.outputs[3] as Tensor;
  const first = productShader("valuesGrad", {
    ...{ a: matrices(dy), b: matrices(v, true) },
    into: [matrices(plainView(dscores))],
  });
  const last = gradientProducts(node, around);
  const targets = [...new Set(last.map(({ into }) => into))];
  const isScoreGradientRead = around.isRead(dscores);
  return [
    {
      name: "attentionGrad",
      inputs: [dy, q, k, v, probabilities].map(({ tensor }) => tensor),
      outputs: [...targets, ...(isScoreGradientRead ? [dscores] : [])],
      tables: [],
      changesState: false,
      run: (given) => {
        const backend = backendInUse();
        const [dyGiven, qGiven, kGiven, vGiven, pGiven] = given as GradientInputs;
        const inputs = { a: dyGiven, b: vGiven };
        const [dp] = backend.run({ ...first, inputs, outputs: { made0: dscores.shape } }) as [tf.Tensor];
        const ds = softmaxGrad(dp, pGiven);
        dp.dispose();
        const operand = { dscores: ds, probabilities: pGiven, dy: dyGiven, q: qGiven, k: kGiven };
        const made = targets.map(({ shape }) => backend.make(shape));
        for (const { operands, into, shader } of last) {
          const [a, b] = [operand[operands[0]], operand[operands[1]]];
          const made0 = made[targets.indexOf(into)] as tf.Tensor;
          backend.run({ ...shader, inputs: { a, b }, outputs: {}, changed: { made0 } });
        }
        return [...made, ...(isScoreGradientRead ? [ds] : [])];
      },
    },
  ];
}

function layerNormGradSteps(node: Node<"layerNormGrad">, around: Surroundings): Fused[] {
  const [dx, dgamma, dbeta] = node.outputs as readonly [Tensor, Tensor, Tensor];
  const steps: Fused[] = [];
  const plain = { tables: [], changesState: false } as const;
  if (around.isRead(dx)) {
    const { formula, outputs } = followed(dx, 5, around);
    const inputs = [...node.inputs, ...formula.tensors.slice(1)];
    const run: Fused["run"] = (given) => layerNormGrad(given, formula, outputs);
    steps.push({ ...plain, name: "layerNormGrad", inputs, outputs, run });
  }
  if (around.isRead(dgamma) || around.isRead(dbeta)) {
    const inputs = node.inputs.filter((_, i) => i !== 2);
    steps.push({ ...plain, name: "layerNormSums", inputs, outputs: [dgamma, dbeta], run: layerNormSums });
  }
  return steps;
}

function stepsOf(node: Node, around: Surroundings): Fused[] {
  if ([...node.inputs, ...node.outputs].some(({ shape }) => sizeOf(shape) === 0)) return [];
  if (isA(node, "linear")) return linearSteps(node, around);
  if (isA(node, "linearGrad")) return linearGradSteps(node, around);
  if (isA(node, "attention")) return attentionSteps(node, around);
  if (isA(node, "attentionGrad")) return attentionGradSteps(node, around);
  if (isA(node, "layerNormGrad")) return layerNormGradSteps(node, around);
  return [];
}

export function fuse(graph: Graph): readonly Fused[] {
  const flat = fuseFlat(graph);
  const around = surroundings(graph, new Set(flat.nodes));
  return [...graph.nodes.flatMap((node) => stepsOf(node, around)), ...flat.fused];
}
