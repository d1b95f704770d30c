/**
 * How block code is written so that it can be both traced and printed. A block builds its part of a model by calling
 * *layers* through `Code`; each call computes abstract tensors at once and may be kept as a statement of the program.
 * The emitter prints the statements; nothing else describes the model, so what is planned, printed and trained is one thing.
 */

import type { Builder, Tensor } from "../graph/index.js";

/** A function of `blocks/nn`, called as `layer(g, ...args)`. Its arguments are typed where it is printed, in the emitted module. */
export interface Layer {
  (g: Builder, ...args: never[]): unknown;
  /** Its exported name. */
  readonly layer: string;
}

export interface Code {
  /**
   * `const name = layer(g, ...args)`. Arguments are tensors, branches of the weights, lists and records of them, or plain
   * data. Names are made distinct within a function.
   */
  let(name: string, layer: Layer, ...args: readonly unknown[]): Tensor;
  /** `for (const w of list) name = layer(g, name, w, ...args)`, starting from `start`: the layers of a network. */
  fold(name: string, list: readonly unknown[], start: Tensor, layer: Layer, ...args: readonly unknown[]): Tensor;
}
