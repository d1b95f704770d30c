/** Blocks of hidden tokens, each by itself beside all that was seen: the batch is as many times as long, sample by sample, block by block. */

import type { Add, Builder, Mul, RowsOf, Tensor } from "../../graph/index.js";
import { claim, claimAs, layer } from "./layer.js";

/** M blocks of K tokens each. */
interface BlockSizes<M extends number, K extends number> {
  readonly blocks: M;
  readonly tokens: K;
}

/** x [B, N, D] -> the tokens of all blocks, one block after the other, [B, M K, D]. Blocks may have tokens in common. */
export const takeBlocks = layer(
  "takeBlocks",
  <N extends number, D extends number, A extends number>(
    g: Builder,
    x: Tensor<["B", N, D]>,
    places: Tensor<["B", A], "int32">,
    { blocks, tokens }: BlockSizes<number, number>,
  ): Tensor<["B", A, D]> => {
    const [batch] = x.shape as unknown as [number, number, number];
    // What is taken at once are different tokens.
    const each = Array.from({ length: blocks }, (_, i) => {
      const own = g.slice(places, [0, i * tokens], [batch, tokens]) as Tensor<["B", number], "int32">;
      return g.takeTokens(claim<["B", number, D]>(x), own);
    });
    return claim(g.concat(each, 1));
  },
);

/** context [B, C, D] and what stands for the tokens of all blocks [B, M K, D] -> [M B, C + K, D] */
export const besideEachBlock = layer(
  "besideEachBlock",
  <A extends number, C extends number, D extends number, const M extends number, const K extends number>(
    g: Builder,
    context: Tensor<["B", C, D]>,
    asked: Tensor<["B", A, NoInfer<D>]>,
    { blocks, tokens }: BlockSizes<M, K>,
  ): Add<C, K> extends infer S extends number ? Tensor<[RowsOf<M>, S, D]> : never => {
    const [batch, seen, width] = context.shape as unknown as [number, number, number];
    const each = g.broadcast(g.reshape(context, [batch, 1, seen, width]), [batch, blocks, seen, width]);
    const own = g.reshape(asked, [batch, blocks, tokens, width]);
    return claimAs(g.reshape(g.concat([each, own], 2), [batch * blocks, seen + tokens, width]));
  },
);

/** x [M B, C + K, D] -> the last K tokens of each row, those of all blocks one after the other, [B, M K, D] */
export const blocksTogether = layer(
  "blocksTogether",
  <S extends number, D extends number, const M extends number, const K extends number>(
    g: Builder,
    x: Tensor<[RowsOf<M>, S, D]>,
    { blocks, tokens }: BlockSizes<M, K>,
  ): Mul<M, K> extends infer A extends number ? Tensor<["B", A, D]> : never => {
    const [rows, count, width] = x.shape as unknown as [number, number, number];
    const own = g.slice(x, [0, count - tokens, 0], [rows, tokens, width]);
    return claimAs(g.reshape(own, [rows / blocks, blocks * tokens, width]));
  },
);
