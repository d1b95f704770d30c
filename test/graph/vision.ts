/** A masked autoencoder written against the builder alone, for tests of whole graphs. */

import {
  type Builder,
  createBuilder,
  type Graph,
  gradients,
  type Recompute,
  sizeOf,
  type Tensor,
  type Values,
} from "../../graph/index.js";

interface Transformer {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
}

export interface Size {
  readonly batch: number;
  readonly tokens: number;
  readonly visible: number;
  readonly pixels: number;
  readonly encoder: Transformer;
  readonly decoder: Transformer;
}

const encoders = {
  base: { depth: 12, width: 768, heads: 12 },
  large: { depth: 24, width: 1024, heads: 16 },
  huge: { depth: 32, width: 1280, heads: 16 },
} as const;

/** As published: 224 x 224 pixels, patches of 16 (huge: 14), three quarters hidden. */
export const published = (name: keyof typeof encoders): Size => ({
  batch: 1,
  tokens: name === "huge" ? 256 : 196,
  visible: name === "huge" ? 64 : 49,
  pixels: name === "huge" ? 588 : 768,
  encoder: encoders[name],
  decoder: { depth: 8, width: 512, heads: 16 },
});

export const tiny: Size = {
  batch: 2,
  tokens: 6,
  visible: 2,
  pixels: 3,
  encoder: { depth: 2, width: 8, heads: 2 },
  decoder: { depth: 1, width: 4, heads: 2 },
};

function linear(g: Builder, name: string, x: Tensor, outputs: number): Tensor {
  const inputs = x.shape.at(-1) ?? 0;
  const weight = g.state(`${name}.weight`, [outputs, inputs]);
  return g.linear(x as Tensor<[number, number]>, weight, g.state(`${name}.bias`, [outputs]));
}

function norm(g: Builder, name: string, x: Tensor): Tensor {
  const width = x.shape.at(-1) ?? 0;
  return g.layerNorm(x, g.state(`${name}.weight`, [width]), g.state(`${name}.bias`, [width]), 1e-6)[0];
}

function attention(g: Builder, name: string, x: Tensor, heads: number): Tensor {
  const [batch = 0, tokens = 0, width = 0] = x.shape;
  const each = width / heads;
  const qkv = g.transpose(
    g.reshape(linear(g, `${name}.qkv`, x, 3 * width), [batch, tokens, 3, heads, each]),
    [2, 0, 3, 1, 4],
  );
  const part = (i: number): Tensor =>
    g.reshape(g.slice(qkv, [i, 0, 0, 0, 0], [1, batch, heads, tokens, each]), [batch, heads, tokens, each]);
  const [y] = g.attention(part(0), part(1), part(2), each ** -0.5);
  return linear(g, `${name}.proj`, g.reshape(g.transpose(y, [0, 2, 1, 3]), [batch, tokens, width]), width);
}

function transformer(g: Builder, name: string, input: Tensor, { depth, width, heads }: Transformer): Tensor {
  let x = input;
  for (let i = 0; i < depth; i++) {
    const at = `${name}.${i}`;
    const block = (): Tensor => {
      const attended = g.add(x, attention(g, `${at}.attn`, norm(g, `${at}.norm1`, x), heads));
      const inner = g.gelu(linear(g, `${at}.fc1`, norm(g, `${at}.norm2`, attended), 4 * width));
      return g.add(attended, linear(g, `${at}.fc2`, inner, width));
    };
    x = g.scope(name, block, "counted");
  }
  return norm(g, `${name}.norm`, x);
}

/** The loss, with a class token in front, positions added, and the hidden tokens put back by `restore`. */
function loss(g: Builder, { tokens, visible, pixels, encoder, decoder }: Size): Tensor {
  const patches = g.input("patches", ["B", tokens, pixels]);
  const take = (x: Tensor, index: Tensor): Tensor => g.takeTokens(x as Tensor<["B", number, number]>, index as never);
  const shown = g.input("visible", ["B", visible], "int32");
  const hidden = g.input("hidden", ["B", tokens - visible], "int32");
  const restore = g.input("restore", ["B", tokens], "int32");
  const [b, d, e] = [g.batch, encoder.width, decoder.width];

  const embedded = g.add(linear(g, "embed", patches, d), g.state("positions", [1, tokens, d]));
  const first = g.broadcast(g.state("class", [1, 1, d]), [b, 1, d]);
  const latent = transformer(g, "encoder", g.concat([first, take(embedded, shown)], 1), encoder); // [B, 1 + V, D]

  const narrow = linear(g, "narrow", latent, e);
  const fill = g.broadcast(g.state("mask", [1, 1, e]), [b, tokens - visible, e]);
  const all = take(g.concat([g.slice(narrow, [0, 1, 0], [b, visible, e]), fill], 1), restore);
  const placed = g.add(
    g.concat([g.slice(narrow, [0, 0, 0], [b, 1, e]), all], 1),
    g.state("places", [1, tokens + 1, e]),
  );
  const decoded = linear(g, "pixels", transformer(g, "decoder", placed, decoder), pixels);

  const predicted = take(g.slice(decoded, [0, 1, 0], [b, tokens, pixels]), hidden);
  const error = g.sub(predicted, take(patches, hidden));
  return g.mean(g.mul(error, error));
}

export function forward(size: Size): Graph {
  const g = createBuilder({ batch: size.batch });
  return g.finish({ outputs: { loss: loss(g, size) } });
}

/** One step of AdamW on all parameters. */
export function training(size: Size, recompute: Recompute = "nothing"): Graph {
  const g = createBuilder({ batch: size.batch });
  const value = loss(g, size);
  const parameters = [...g.finish({ outputs: { value } }).state];
  const slopes = gradients(
    g,
    value,
    parameters.map(([, tensor]) => tensor),
    recompute,
  );
  const [lr, step] = [g.input("lr", []), g.input("step", [])];
  const updates: Record<string, Tensor> = {};
  for (const [i, [name, parameter]] of parameters.entries()) {
    const [m, v] = [g.state(`${name}:m`, parameter.shape.slice()), g.state(`${name}:v`, parameter.shape.slice())];
    const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.05 };
    const [p, nextM, nextV] = g.adamw(parameter, slopes[i] as Tensor, m, v, lr, step, settings);
    Object.assign(updates, { [name]: p, [`${name}:m`]: nextM, [`${name}:v`]: nextV });
  }
  return g.finish({ outputs: { loss: value }, updates });
}

/** Patches, and indices as a mask would give them: a rotation for each sample, its first tokens visible. */
export function visionFeeds({ batch, tokens, visible, pixels }: Size): Values {
  const orders = Array.from({ length: batch }, (_, b) =>
    Array.from({ length: tokens }, (_, i) => (i + b + 1) % tokens),
  );
  const rows = (pick: (order: readonly number[]) => readonly number[]): Int32Array =>
    Int32Array.from(orders.flatMap(pick));
  return {
    patches: Float64Array.from({ length: batch * tokens * pixels }, (_, i) => Math.sin(i)),
    visible: rows((order) => order.slice(0, visible)),
    hidden: rows((order) => order.slice(visible)),
    restore: rows((order) => order.map((_, token) => order.indexOf(token))),
    lr: Float64Array.of(0.01),
    step: Float64Array.of(1),
  };
}

/** Parameters and moments, small and not zero. */
export const visionState = (graph: Graph): Values =>
  Object.fromEntries(
    [...graph.state].map(([name, { shape }], slot) => [
      name,
      Float64Array.from({ length: sizeOf(shape) }, (_, i) => 0.3 + 0.2 * Math.sin(1 + slot + 3 * i)),
    ]),
  );
