/** Inputs: what one sample looks like to the model. */

import type { ArrayShape, NumberKind } from "../arrays.js";
import { type Definition, ofKind } from "../block.js";
import { int, type Param, type Params, type ValuesOf } from "../params.js";

export interface Input<P extends Params = Params> extends Definition<P> {
  /** What its numbers are; if absent, amounts. */
  readonly numbers?: NumberKind;
  /** The array of one sample. */
  shape(p: ValuesOf<P>): ArrayShape;
}

export const defineInput = <const P extends Params>(input: Input<P>): Input<P> => ofKind("input", input);

/** How many values there are at each place of an array. */
export const channels = (o: { readonly default: number; readonly doc: string }): Param<number> =>
  int({ min: 1, max: 4096, ...o });
