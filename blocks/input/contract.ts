/** Inputs: what one sample looks like to the model. */

import { type Definition, ofKind } from "../block.js";
import type { ImageShape } from "../geometry.js";
import type { Params, ValuesOf } from "../params.js";

export interface Input<P extends Params = Params> extends Definition<P> {
  shape(p: ValuesOf<P>): ImageShape;
}

export const defineInput = <const P extends Params>(input: Input<P>): Input<P> => ofKind("input", input);
