/** What a function of a model is, before it is run: `functions.ts` and its neighbours write them. */

import type { Arrays, Batch, Code, Losses } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import type { WeightTree } from "./branches.js";

/** What a function of the model may do besides calling layers. */
export interface FunctionCode extends Code {
  /** `const name = f(g, w, ...args)` */
  call<R extends Result = Tensor>(name: string, f: ModelFunction, ...args: readonly unknown[]): R;
  /** `const name = f(g, constantWeights(g, w), ...args)`: gradients pass through it to its arguments, and stop at the weights. */
  callConstant(name: string, f: ModelFunction, ...args: readonly unknown[]): Tensor;
}

/** What a function gives: a tensor, the maps of an encoder, or for a loss its parts. */
export type Result = Tensor | readonly Tensor[] | Losses;

/** An argument that another function gives. */
export interface Given {
  readonly name: string;
  readonly from: ModelFunction;
}

/** `layers`: how many layers of the network are passed, where not all. */
export type FunctionInput = "batch" | "arrays" | "layers" | Given;

export interface ModelFunction {
  readonly name: string;
  /** One sentence with shapes. */
  readonly doc: string;
  /** Arguments after `g` and `w`. */
  readonly inputs: readonly FunctionInput[];
  /** Whether it predicts a target from a batch. */
  readonly predicts?: true;
  /** Whether it predicts what the model's own decoder does. */
  readonly imitates?: true;
  /** Of what one encoder makes of whole arrays: by which name it can be asked for. */
  readonly encoding?: { readonly name: string; readonly extraTokens: number };
  readonly body: (code: FunctionCode, w: WeightTree, inputs: FunctionInputs) => Result;
}

export interface FunctionInputs {
  /** Also of a function that is given arrays alone. */
  readonly batch: Batch;
  /** What other functions gave, by name. */
  readonly given: Readonly<Record<string, Tensor | readonly Tensor[]>>;
}

export const inputName = (input: FunctionInput): string => (typeof input === "string" ? input : input.name);

/** The inputs of a function's body, from its arguments in their order. `layers` is no argument of a body. */
export function inputsFrom(f: ModelFunction, args: readonly unknown[]): FunctionInputs {
  const given: Record<string, Tensor | readonly Tensor[]> = {};
  let batch: Batch | Arrays = {};
  for (const [i, input] of f.inputs.entries()) {
    if (typeof input !== "string") given[input.name] = args[i] as Tensor | readonly Tensor[];
    else if (input !== "layers") batch = args[i] as Batch;
  }
  return { batch: batch as Batch, given };
}

/** Calls functions that give tensors, each once, with what they are given by others. */
export type Calling = (name: string, f: ModelFunction) => Tensor;

/** `call`: calls a function with arguments that are known. */
export function callingWith(
  batch: Batch,
  call: (name: string, f: ModelFunction, args: readonly unknown[]) => Tensor,
): Calling {
  const known = new Map<ModelFunction, Tensor>();
  const calling: Calling = (name, f) => {
    const before = known.get(f);
    if (before) return before;
    const args = f.inputs.map((input) => {
      invariant(input !== "layers", "a function of layers is called from outside");
      return typeof input === "string" ? batch : calling(input.name, input.from);
    });
    const result = call(name, f, args);
    known.set(f, result);
    return result;
  };
  return calling;
}

/** Calls as statements of the function whose code it is. */
export const callingIn = (code: FunctionCode, batch: Batch): Calling =>
  callingWith(batch, (name, f, args) => code.call(name, f, ...args));
