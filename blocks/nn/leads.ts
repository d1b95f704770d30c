/** The leads of a signal told apart in one sequence: a vector for each, two separators around each, and each in rows of its own. */

import type { Add, Builder, Mul, Rows, RowsOf, Tensor } from "../../graph/index.js";
import { claim, claimAs, layer } from "./layer.js";
import type { Sequence } from "./tokens.js";

/** tokens [B, L T, D] of L leads + the vector of its lead, of [1, L, D]. */
export const addLeads = layer(
  "addLeads",
  <B extends Rows, N extends number, D extends number, L extends number>(
    g: Builder,
    tokens: Tensor<[B, N, D]>,
    leads: Tensor<[1, L, NoInfer<D>]>,
  ): Tensor<[B, N, D]> => {
    const [, count, width] = tokens.shape as [number, number, number];
    const lead = leads.shape[1] as number;
    const each = g.broadcast(g.reshape(leads, [lead, 1, width]), [lead, count / lead, width]);
    return claim(g.add(tokens, g.reshape(each, [1, count, width])));
  },
);

/**
 * Puts two separators for each lead in front of tokens [B, V, D]: the token [1, 1, D] with the vector of each of L leads, one after the other,
 * and all of them again -> [B, 2 L + V, D].
 */
export const prependSeparators = layer(
  "prependSeparators",
  <B extends Rows, V extends number, D extends number, L extends number>(
    g: Builder,
    tokens: Tensor<[B, V, D]>,
    token: Tensor<[1, 1, NoInfer<D>]>,
    leads: Tensor<[1, L, NoInfer<D>]>,
  ): Sequence<B, Mul<2, L>, V, D> => {
    const [batch, , width] = tokens.shape as [number, number, number];
    const own = g.add(leads, token);
    const front = g.broadcast(g.concat([own, own], 1), [batch, 2 * (leads.shape[1] as number), width]);
    return claimAs(g.concat([front, tokens], 1));
  },
);

/** Tokens of a lead with its separators. */
type Separated<L extends number, S extends number, T extends number, D extends number> =
  Add<S, T> extends infer M extends number ? Tensor<[RowsOf<L>, M, D]> : never;

/** L leads of T tokens each, and how many separators each has: two, or none. */
interface LeadSizes<L extends number, T extends number, S extends number> {
  readonly leads: L;
  readonly times: T;
  readonly separators: S;
}

/** x [B, S L + L T, D] -> [B L, S + T, D]: each lead between its separators. */
export const leadsApart = layer(
  "leadsApart",
  <P extends number, D extends number, const L extends number, const T extends number, const S extends number>(
    g: Builder,
    x: Tensor<["B", P, D]>,
    { leads, times, separators }: LeadSizes<L, T, S>,
  ): Separated<L, S, T, D> => {
    const [batch, , width] = x.shape as unknown as [number, number, number];
    const part = (from: number, count: number): Tensor =>
      g.reshape(g.slice(x, [0, from * leads, 0], [batch, count * leads, width]), [batch * leads, count, width]);
    if (separators === 0) return claimAs(part(0, times));
    return claimAs(g.concat([part(0, 1), part(2, times), part(1, 1)], 1));
  },
);

/** x [B L, S + T, D] -> [B, L T, D]: the tokens of all leads, without separators. */
export const leadsTogether = layer(
  "leadsTogether",
  <P extends number, D extends number, const L extends number, const T extends number, const S extends number>(
    g: Builder,
    x: Tensor<[RowsOf<L>, P, D]>,
    { leads, times, separators }: LeadSizes<L, T, S>,
  ): Mul<L, T> extends infer N extends number ? Tensor<["B", N, D]> : never => {
    const [rows, , width] = x.shape as unknown as [number, number, number];
    const own = separators === 0 ? x : g.slice(x, [0, 1, 0], [rows, times, width]);
    return claimAs(g.reshape(own, [rows / leads, leads * times, width]));
  },
);
