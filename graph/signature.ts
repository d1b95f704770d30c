/** How many tensors each operation takes and makes. Phases read their inputs as tuples of these lengths. */

import type { Node } from "./graph.js";
import { invariant } from "./invariant.js";
import { arithmeticOperations, comparisons, type OperationName, unaryOperations } from "./operations.js";
import type { Tensor } from "./shape.js";

interface Signature {
  /** "any": one or more; "3 or 4": the last may be absent. */
  readonly inputs: 0 | 1 | 2 | 3 | 4 | 5 | 6 | "3 or 4" | "any";
  readonly outputs: 1 | 2 | 3 | 4;
}

const source = { inputs: 0, outputs: 1 } as const;
const unary = { inputs: 1, outputs: 1 } as const;
const binary = { inputs: 2, outputs: 1 } as const;
const ternary = { inputs: 3, outputs: 1 } as const;

/** The same for each of some names. */
const each = <N extends string, V>(names: readonly N[], value: V): { readonly [K in N]: V } =>
  Object.fromEntries(names.map((name) => [name, value])) as { readonly [K in N]: V };

const signatures = {
  input: source,
  constant: source,
  ...each(unaryOperations, unary),
  ...each([...arithmeticOperations, ...comparisons], binary),
  select: ternary,
  cast: unary,
  stopGradient: unary,
  barrier: unary,
  sum: unary,
  reduceMax: unary,
  argMax: unary,
  argSort: unary,
  reshape: unary,
  transpose: unary,
  broadcast: unary,
  concat: { inputs: "any", outputs: 1 },
  slice: unary,
  pad: unary,
  takeTokens: binary,
  putTokens: binary,
  lookUp: binary,
  scatterAdd: binary,
  matmul: binary,
  linear: ternary,
  linearGrad: { inputs: 3, outputs: 3 },
  layerNorm: { inputs: 3, outputs: 3 },
  layerNormGrad: { inputs: 5, outputs: 3 },
  softmax: unary,
  softmaxGrad: binary,
  gelu: unary,
  geluGrad: binary,
  attention: { inputs: "3 or 4", outputs: 2 },
  attentionGrad: { inputs: 5, outputs: 4 },
  conv: binary,
  convInput: binary,
  convWeight: binary,
  maxPool: unary,
  maxPoolGrad: binary,
  adamw: { inputs: 6, outputs: 3 },
  sgd: { inputs: 4, outputs: 2 },
  accumulate: ternary,
} as const satisfies { readonly [O in OperationName]: Signature };

interface TuplesOf<X> {
  readonly 0: readonly [];
  readonly 1: readonly [X];
  readonly 2: readonly [X, X];
  readonly 3: readonly [X, X, X];
  readonly 4: readonly [X, X, X, X];
  readonly 5: readonly [X, X, X, X, X];
  readonly 6: readonly [X, X, X, X, X, X];
  readonly "3 or 4": readonly [X, X, X, X?];
  readonly any: readonly X[];
}

/** One `X` for each input of an operation. */
export type InputsOf<O extends OperationName, X> = TuplesOf<X>[(typeof signatures)[O]["inputs"]];
/** One `X` for each output of an operation. */
export type OutputsOf<O extends OperationName, X> = TuplesOf<X>[(typeof signatures)[O]["outputs"]];

/** `values`, one for each input of the operation, as a tuple of the right length. */
export function asInputs<O extends OperationName, X>(operation: O, values: readonly X[]): InputsOf<O, X> {
  const { inputs } = signatures[operation] as Signature;
  invariant(takes(inputs, values.length), `${operation} takes ${inputs} inputs, was given ${values.length}`);
  return values as InputsOf<O, X>;
}

function takes(inputs: Signature["inputs"], count: number): boolean {
  if (inputs === "any") return count > 0;
  return inputs === "3 or 4" ? count === 3 || count === 4 : count === inputs;
}

/** A node's inputs as a tuple of the operation's length. */
export const inputsOf = <O extends OperationName>(node: Node<O>): InputsOf<O, Tensor> =>
  asInputs<O, Tensor>(node.operation, node.inputs);

/** A node's outputs as a tuple of the operation's length. */
export const outputsOf = <O extends OperationName>(node: Node<O>): OutputsOf<O, Tensor> =>
  node.outputs as OutputsOf<O, Tensor>;
