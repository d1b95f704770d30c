/** Inputs: what one sample looks like to the model. */

import type { ArrayShape } from "../arrays.js";
import { type Definition, ofKind } from "../block.js";
import type { Params, ValuesOf } from "../params.js";

export interface Input<P extends Params = Params> extends Definition<P> {
  /** The array of one sample. */
  shape(p: ValuesOf<P>): ArrayShape;
}

export const defineInput = <const P extends Params>(input: Input<P>): Input<P> => ofKind("input", input);
