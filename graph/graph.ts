/**
 * The graph: nodes in an order in which every input is made before it is used, with explicit inputs, outputs and state.
 * A value, never changed after it is built; passes make new ones.
 */

import type { Attributes, OperationName } from "./operations.js";
import type { DType, Tensor, TypedArray } from "./shape.js";

/** One operation applied; `outputs[i].node` is this node. */
export interface Node<O extends OperationName = OperationName> {
  readonly id: number;
  readonly operation: O;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes[O];
  readonly outputs: readonly Tensor[];
  /** Where it was made, for profiles and errors: `encode/blocks.3`. Empty outside any scope. */
  readonly scope: string;
}

/** What a caller hands over at each run. */
export interface Feed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A tensor that lives in the executor from run to run: a parameter, a moment, a counter. */
export interface StateSlot extends Feed {
  /** The slot that this one is updated together with: of a moment, its parameter. Executors may keep them close. */
  readonly beside?: string;
}

export interface Graph {
  readonly nodes: readonly Node[];
  /** `input` nodes fed at each run, by name. */
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** `input` nodes whose values the executor keeps, by name. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** What a run returns, by name. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** State replaced after a run, by the state's name. State not named here is only read. */
  readonly updates: ReadonlyMap<string, Tensor>;
}

export type Values = Readonly<Record<string, TypedArray>>;
