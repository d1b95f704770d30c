/** Rotary positions: pairs of features of queries and keys are turned by angles of their places, so that scores know how far apart those are. */

import { type Add, type Builder, type Mul, type Product, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { claim, claimAs, layer } from "./layer.js";

/** Which two features are turned together: those half a head apart, or neighbours. */
export type TurnedPairs = "halves" | "neighbours";

/** By which angles tokens are turned. */
export interface Turning {
  /** Of the places along an axis, frequency j of F turns place x by x base^(-j / F). */
  readonly base: number;
  readonly pairs: TurnedPairs;
  /** What x is: the number of the place, or where it lies between -1 and 1, times 2 pi. */
  readonly measure: "places" | "spread";
}

interface TurningTable<C extends readonly number[], W extends number, F extends number, H extends number>
  extends Turning {
  /** Places along each axis. */
  readonly counts: C;
  /** Features of a head, W. Each axis turns as many of them, an even number; what is left over stays. */
  readonly width: W;
  /** Tokens in front of those of the places, and behind them, that are not turned. */
  readonly front: F;
  readonly behind: H;
}

type OpenTable = TurningTable<readonly number[], number, number, number>;

/** Named in steps of their own: nested arithmetic on open sizes is too deep for the compiler. */
type TurnsOf<R extends Rows | 1, N extends number, W extends number, F extends number, H extends number> =
  Add<F, N> extends infer Some extends number
    ? Add<Some, H> extends infer All extends number
      ? Mul<2, W> extends infer Both extends number
        ? Tensor<[R, All, Both]>
        : never
      : never
    : never;

type AllTurns<C extends readonly number[], W extends number, F extends number, H extends number> =
  Product<C> extends infer N extends number ? TurnsOf<1, N, W, F, H> : never;

/**
 * -> [1, front + N + behind, 2 W] of all places in raster order: for each token the cosines by which its features are multiplied, then the sines with
 * which those are added that they are paired with.
 */
export const rotaryTurns = layer(
  "rotaryTurns",
  <const C extends readonly number[], const W extends number, const F extends number, const H extends number>(
    g: Builder,
    table: TurningTable<C, W, F, H>,
  ): AllTurns<C, W, F, H> => {
    const [count, width] = [sizeOf(table.counts), 2 * table.width];
    return claimAs(amongStill(g, g.constant(turnsOf(table), [1, count, width]), table));
  },
);

/** The same of visible tokens, int32 [B, V] -> [B, front + V + behind, 2 W]. */
export const rotaryTurnsOf = layer(
  "rotaryTurnsOf",
  <B extends Rows, V extends number, const W extends number, const F extends number, const H extends number>(
    g: Builder,
    visible: Tensor<[B, V], "int32">,
    table: TurningTable<readonly number[], W, F, H>,
  ): TurnsOf<B, V, W, F, H> => {
    const all = g.constant(turnsOf(table), [sizeOf(table.counts), 2 * table.width]);
    return claimAs(amongStill(g, g.lookUp(all, claim(visible)), table));
  },
);

/** Puts rows of tokens that are not turned in front and behind. */
function amongStill(g: Builder, turns: Tensor, { front, behind, width }: OpenTable): Tensor {
  const [rows] = turns.shape as readonly [number];
  const one = Float32Array.from({ length: 2 * width }, (_, i) => (i < width ? 1 : 0));
  const still = (tokens: number): readonly Tensor[] =>
    tokens === 0 ? [] : [g.broadcast(g.constant(one, [1, 1, 2 * width]), [rows, tokens, 2 * width])];
  return front + behind === 0 ? turns : g.concat([...still(front), turns, ...still(behind)], 1);
}

/** The table of all places, [N, 2 W]. */
function turnsOf({ counts, width, base, pairs, measure }: OpenTable): Float32Array {
  const frequencies = Math.floor(width / (2 * counts.length));
  const turned = frequencies * counts.length;
  const table = new Float32Array(sizeOf(counts) * 2 * width);
  for (let token = 0; token < sizeOf(counts); token++) {
    const row = table.subarray(token * 2 * width, (token + 1) * 2 * width);
    row.fill(1, 0, width);
    for (let pair = 0; pair < turned; pair++) {
      const axis = Math.floor(pair / frequencies);
      const size = counts[axis] as number;
      const place = Math.floor(token / sizeOf(counts.slice(axis + 1))) % size;
      const x = measure === "places" ? place : 2 * Math.PI * ((2 * (place + 0.5)) / size - 1);
      const angle = x * base ** (-(pair % frequencies) / frequencies);
      const [first, second] = pairs === "halves" ? [pair, pair + turned] : [2 * pair, 2 * pair + 1];
      row[first] = Math.cos(angle);
      row[second] = Math.cos(angle);
      row[width + first] = -Math.sin(angle);
      row[width + second] = Math.sin(angle);
    }
  }
  return table;
}

/** What turns the tokens of an attention. */
export interface Turns {
  /** As `rotaryTurns` gives them. */
  readonly turns: Tensor;
  readonly pairs: TurnedPairs;
  readonly axes: number;
}

/** x [B, heads, N, W] with each pair of features turned. */
export function turned(g: Builder, x: Tensor, { turns, pairs, axes }: Turns): Tensor {
  const [rows, tokens, both] = turns.shape as readonly [number, number, number];
  const width = both / 2;
  const part = (start: number): Tensor =>
    g.reshape(g.slice(turns, [0, 0, start], [rows, tokens, width]), [rows, 1, tokens, width]);
  return g.add(g.mul(x, part(0)), g.mul(paired(g, x, pairs, axes), part(width)));
}

/** x with the two features of each pair in each other's place; those that stay have sines of 0. */
function paired(g: Builder, x: Tensor, pairs: TurnedPairs, axes: number): Tensor {
  const shape = x.shape as readonly number[];
  const width = shape.at(-1) as number;
  const whole = 2 * axes * Math.floor(width / (2 * axes));
  const cut = (from: number, to: number): Tensor => g.slice(x, [0, 0, 0, from], [...shape.slice(0, -1), to - from]);
  const rest = whole < width ? [cut(whole, width)] : [];
  if (pairs === "halves") return g.concat([cut(whole / 2, whole), cut(0, whole / 2), ...rest], 3);
  const two = g.reshape(whole < width ? cut(0, whole) : x, [...shape.slice(0, -1), whole / 2, 2]);
  const one = (i: number): Tensor => g.slice(two, [0, 0, 0, 0, i], [...two.shape.slice(0, -1).map(Number), 1]);
  const swapped = g.reshape(g.concat([one(1), one(0)], 4), [...shape.slice(0, -1), whole]);
  return rest.length === 0 ? swapped : g.concat([swapped, ...rest], 3);
}
