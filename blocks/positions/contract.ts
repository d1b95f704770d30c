/** Positions: the table that tells a transformer where each token stands. One block serves encoder and decoder. */

import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Parameter } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";
import type { Lattice } from "../sets.js";

export interface PositionsContext {
  readonly grid: Lattice;
  /** Rows for tokens in front of the patches. */
  readonly extra: number;
  readonly width: number;
}

export interface Positions<P extends Params = Params> extends Definition<P, ModelContext> {
  /** [1, extra + N, D] */
  table(p: ValuesOf<P>, context: PositionsContext): Parameter;
}

export const definePositions = <const P extends Params>(positions: Positions<P>): Positions<P> =>
  ofKind("positions", positions);
