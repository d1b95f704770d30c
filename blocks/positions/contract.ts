/** Positions: the table that tells a transformer where each token stands. One block serves encoder and decoder. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind, type Requirement } from "../block.js";
import type { Code } from "../code.js";
import type { Turning } from "../nn/index.js";
import type { ParameterTree } from "../parameters.js";
import { choice, optional, type Params, type ValuesOf } from "../params.js";
import type { Lattice } from "../sets.js";

export interface PositionsContext {
  readonly grid: Lattice;
  /** Rows for tokens in front of the patches. */
  readonly extra: number;
  readonly width: number;
}

export interface Positions<P extends Params = Params> extends Definition<P, ModelContext> {
  /** Whether a learned vector of the input is added too, which tells the tokens of several inputs apart; if absent, none is. */
  marksInput?(p: ValuesOf<P>): boolean;
  /**
   * Present where positions are made of where the tokens of a sample are, by the weights of `table`; if absent, that has places which are the
   * same in every sample.
   */
  readonly computed?: {
    /** When they are added: to tokens, or before each layer, and to nothing else. */
    added(p: ValuesOf<P>): "once" | "every_block";
    /** centres [B, N, 3] -> positions [B, N, D]. */
    positions(code: Code, p: ValuesOf<P>, w: unknown, centres: Tensor): Tensor;
  };
  /** Present where queries and keys are turned by the places of their tokens, and nothing is added: `table` is then not asked. */
  turned?(p: ValuesOf<P>): Turning;
  /** [1, extra + N, D]; or tables whose sum that is, as `separatePositions` declares them. */
  table(p: ValuesOf<P>, context: PositionsContext): ParameterTree;
}

export const definePositions = <const P extends Params>(positions: Positions<P>): Positions<P> =>
  ofKind("positions", positions);

/** What positions that tell inputs apart ask. */
export const severalInputs: Requirement<{ readonly and: typeof andInput } & Params, ModelContext> = {
  name: "several-inputs",
  at: "and",
  doc: "A vector of the input stands beside positions where a model reads several inputs, or one with a label.",
  holds: (p, { inputs, labelled }) => p.and === null || inputs > 1 || labelled === true,
  say: () => "the model reads one input, whose tokens need not be told from others",
  help: () => "remove `and: input`",
};

/** The parameter of positions that tell inputs apart. */
export const andInput = optional(
  choice({
    options: { input: "A learned vector of each input, the same for all its tokens." },
    doc: "What is added besides, of a model of several inputs; if absent, nothing.",
  }),
);
