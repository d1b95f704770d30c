/**
 * How block code is written so that it can be both traced and printed. A block builds its part of a model by calling
 * *layers* through `Code`; each call computes abstract tensors at once and is kept as a statement of the program.
 * The emitter prints the statements; nothing else describes the model, so what is planned, printed and trained is one thing.
 */

import type { Builder } from "../graph/index.js";

/** A function of `blocks/nn` that emitted programs call by name: `name(g, ...args)`. */
export interface Layer<A extends readonly unknown[] = readonly never[], R = unknown> {
  (g: Builder, ...args: A): R;
  /** Its exported name. */
  readonly layer: string;
}

/** A function that declares weights and that emitted programs call by name: `name(...args)`. */
export interface Declarer<A extends readonly unknown[] = readonly never[], R = unknown> {
  (...args: A): R;
  readonly layer: string;
}

export interface Code {
  /** Keeps `const name = layer(g, ...args)`. Names are made distinct within a function. */
  let<A extends readonly unknown[], R>(name: string, layer: Layer<A, R>, ...args: A): R;
  /** Keeps `for (const w of list) name = layer(g, name, w, ...rest)`, starting from `start`. */
  fold<X, W, A extends readonly unknown[]>(
    name: string,
    list: readonly W[],
    start: X,
    layer: Layer<readonly [X, W, ...A], X>,
    ...rest: A
  ): X;
}
