/** Teachers: a copy of the encoder that follows the trained one and gives targets. */

import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Params, ValuesOf } from "../params.js";
import type { Progress } from "../progress.js";

export interface Teacher<P extends Params = Params> extends Definition<P, ModelContext> {
  /** Share of its old value that each weight keeps at a step, in [0, 1]. */
  momentum(p: ValuesOf<P>, progress: Progress): number;
}

export const defineTeacher = <const P extends Params>(teacher: Teacher<P>): Teacher<P> => ofKind("teacher", teacher);
