/** What a function of a model is, before it is run: `functions.ts` and its neighbours write them. */

import type { Batch, Code, Losses } from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import type { FunctionInput } from "../program.js";
import type { WeightTree } from "./weights.js";

/** What a function of the model may do besides calling layers. */
export interface FunctionCode extends Code {
  /** `const name = f(g, w, ...args)` */
  call(name: string, f: ModelFunction, ...args: readonly unknown[]): Tensor;
}

/** What a function gives: a tensor, or for a loss its parts. */
export type Result = Tensor | Losses;

export interface ModelFunction {
  readonly name: string;
  /** One sentence with shapes. */
  readonly doc: string;
  /** Arguments after `g` and `w`. */
  readonly inputs: readonly FunctionInput[];
  readonly body: (code: FunctionCode, w: WeightTree, inputs: FunctionInputs) => Result;
}

export interface FunctionInputs {
  readonly batch: Batch;
  /** What the model reads, alone. */
  readonly array: Tensor;
  readonly latent: Tensor;
  readonly prediction: Tensor;
}
