/** A small masked autoencoder written by hand, as plain as one can be: to test the runtime without the compiler. */

import type { Batch, Mask, ModelProgram, Weights } from "../../blocks/index.js";
import { arrayOfImage, defineModel, fixed, parameter, patchify, registry, tokenCount } from "../../blocks/index.js";
import type { Builder, Tensor } from "../../graph/index.js";

/** Half of the patches hidden; each hidden one is predicted from the mean of the visible ones and its own place. */
export function tinyProgram({ side = 8, channels = 1, width = 16 } = {}) {
  const grid = [
    { name: "row", count: 4, size: side / 4 },
    { name: "column", count: 4, size: side / 4 },
  ] as const;
  const tokens = tokenCount(grid);
  const values = (side / 4) ** 2 * channels;
  const random = registry.mask.find(({ name }) => name === "random") as Mask;
  const parameters = {
    embed: {
      weight: parameter([width, values], { kind: "xavier_uniform" }),
      bias: parameter([width], { kind: "zeros" }),
    },
    positions: fixed([1, tokens, width], { kind: "sin_cos", counts: [4, 4], extra: 0 }),
    blocks: [
      { scale: parameter([width], { kind: "ones" }), shift: parameter([1, 1, width], { kind: "normal", std: 0.02 }) },
    ],
    head: {
      weight: parameter([values, width], { kind: "xavier_uniform" }),
      bias: parameter([values], { kind: "zeros" }),
    },
  };
  type W = Weights<typeof parameters>;
  const embed = (g: Builder, w: W, image: Tensor): Tensor => {
    const patches = patchify(g, image as never, grid as never) as Tensor;
    return g.add(g.linear(patches as never, w.embed.weight as never, w.embed.bias as never), w.positions);
  };
  const encode = (g: Builder, w: W, batch: Batch): Tensor =>
    g.takeTokens(embed(g, w, batch.image as Tensor) as never, batch.visible as never) as Tensor;
  const predict = (g: Builder, w: W, batch: Batch): Tensor => {
    const context = g.mean(encode(g, w, batch), [1], "keep"); // [B, 1, D]
    const [block] = w.blocks;
    const placed = g.add(g.add(w.positions, context), block?.shift as Tensor); // [B, N, D]
    const mixed = g.gelu(g.mul(placed, block?.scale as Tensor));
    return g.linear(mixed as never, w.head.weight as never, w.head.bias as never);
  };
  return defineModel({
    name: "Tiny",
    arrays: { image: arrayOfImage({ height: side, width: side, channels }) },
    grids: { image: grid },
    masks: {
      image: {
        tokens,
        visible: tokens / 2,
        sample: (stream) => random.sample({ ratio: 0.5 } as never, grid, stream),
      },
    },
    parameters,
    extraTokens: 0,
    layers: 0,
    encode,
    features: (g, w, { image }) => embed(g, w, image as Tensor),
    predict,
    loss: (g, w, batch) => {
      const target = patchify(g, batch.image as Tensor as never, grid as never);
      const error = g.takeTokens(g.sub(predict(g, w, batch), target) as never, batch.hidden as never);
      const mse = g.mean(g.mul(error, error));
      return { total: mse, terms: { mse } };
    },
  }) satisfies ModelProgram;
}
