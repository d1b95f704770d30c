/** Inputs: what one sample looks like to the model. */

import type { ArrayShape } from "../arrays.js";
import { type Definition, ofKind } from "../block.js";
import { int, type Param, type Params, type ValuesOf } from "../params.js";

export interface Input<P extends Params = Params> extends Definition<P> {
  /** Present where its numbers are ids of a vocabulary: `ids` of its array; of any other input they are amounts. */
  readonly ids?: true;
  /** The array of one sample. */
  shape(p: ValuesOf<P>): ArrayShape;
}

export const defineInput = <const P extends Params>(input: Input<P>): Input<P> => ofKind("input", input);

/** How many values there are at each place of an array. */
export const channels = (o: { readonly default: number; readonly doc: string }): Param<number> =>
  int({ min: 1, max: 4096, ...o });
