/**
 * Attention within windows of a map, as Swin has it: the windows of every second block lie half a window further on. Maps are merged and
 * expanded between stages. Weights are named as timm names them.
 */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { type Parameter, parameter, type Weights } from "../parameters.js";
import { type SelfAttentionParameters, selfAttention } from "./attention.js";
import { boxesApart, boxesTogether, type Finer, type Places, placesIn } from "./boxes.js";
import { claim, claimAs, declarer, layer } from "./layer.js";
import { type LayerNormParameters, layerNorm, layerNormParameters, normalLinearParameters, project } from "./linear.js";
import { spreadPlaces } from "./maps.js";
import { type PerceptronParameters, perceptron } from "./perceptron.js";

/** What is added to the scores of two places by how far one is from the other: a row for each step, a column for each head. */
type BiasTable = { readonly relative_position_bias_table: Parameter<[number, number]> };

export type WindowBlockParameters<D extends number> = {
  readonly norm1: LayerNormParameters<D>;
  readonly attn: BiasTable & SelfAttentionParameters<D, number>;
  readonly norm2: LayerNormParameters<D>;
  readonly mlp: PerceptronParameters<D, number>;
};

/** `window`: its places along each axis. */
export const windowBlockParameters = declarer(
  "windowBlockParameters",
  ({ width, hidden, heads, window }: WindowBlockSize<number>): WindowBlockParameters<number> => ({
    norm1: layerNormParameters(width),
    attn: {
      relative_position_bias_table: {
        ...parameter([sizeOf(window.map((n) => 2 * n - 1)), heads], { kind: "truncated_normal", std: 0.02 }),
        token: true,
        steps: window.map((n) => 2 * n - 1),
      },
      qkv: normalLinearParameters(width, 3 * width),
      proj: normalLinearParameters(width, width),
    },
    norm2: layerNormParameters(width),
    mlp: { fc1: normalLinearParameters(width, hidden), fc2: normalLinearParameters(hidden, width) },
  }),
) as <const D extends number>(size: WindowBlockSize<D>) => WindowBlockParameters<D>;

interface WindowBlockSize<D extends number> {
  readonly width: D;
  readonly hidden: number;
  readonly heads: number;
  readonly window: Places;
}

/** How a map is cut: places of a window along each axis, and by how many the windows are moved. */
export interface Cut {
  readonly window: Places;
  readonly shift: Places;
}

/** x [B, ...S, D] with the first `shift` places of each axis behind the last. */
function rolled(g: Builder, x: Tensor, shift: Places): Tensor {
  return shift.reduce((moved, by, i) => {
    if (by === 0) return moved;
    const [axis, shape] = [i + 1, moved.shape as readonly number[]];
    const part = (begin: number, count: number): Tensor =>
      g.slice(
        moved,
        shape.map((_, at) => (at === axis ? begin : 0)),
        shape.map((n, at) => (at === axis ? count : n)),
      );
    const rest = (shape[axis] as number) - by;
    return g.concat([part(by, rest), part(0, by)], axis);
  }, x);
}

/** [B, ...S, D] -> its windows [B x windows, N, D]; `split`: how many there are along each axis. */
export function windowsOf(g: Builder, x: Tensor, window: Places, split: Places): Tensor {
  const [batch, width] = [x.shape[0] as number, x.shape.at(-1) as number];
  const apart = boxesApart(g, x, { counts: split, sides: window });
  return g.reshape(apart, [batch * sizeOf(split), sizeOf(window), width]);
}

/** The inverse of `windowsOf`. */
export function joinedWindows(g: Builder, windows: Tensor, window: Places, split: Places): Tensor {
  const [batch, width] = [(windows.shape[0] as number) / sizeOf(split), windows.shape.at(-1) as number];
  return boxesTogether(g, windows, { batch, counts: split, sides: window, width });
}

/** Of each two places of a window, the row of the table that says how far the second is from the first. */
function stepsIn(window: Places): Int32Array {
  const places = placesIn(window);
  const rowOf = (from: Places, to: Places): number =>
    window.reduce((row, n, i) => row * (2 * n - 1) + (from[i] as number) - (to[i] as number) + n - 1, 0);
  return Int32Array.from(places.flatMap((from) => places.map((to) => rowOf(from, to))));
}

/** What keeps places apart that only moving the windows brought into one, [windows, 1, N, N]: so low a score that nothing attends there. */
function separated(g: Builder, { window, shift }: Cut, split: Places): Tensor {
  const count = sizeOf(window);
  // Of a moved axis the last window has places of its end and of its beginning.
  const isMoved = (axis: number, at: number, place: number): boolean =>
    at === (split[axis] as number) - 1 && place >= (window[axis] as number) - (shift[axis] as number);
  const places = placesIn(window);
  const values = placesIn(split).flatMap((at) => {
    const sides = places.map((place) =>
      window.map((_, i) => (shift[i] && isMoved(i, at[i] as number, place[i] as number) ? 1 : 0)).join(),
    );
    return sides.flatMap((from) => sides.map((to) => (from === to ? 0 : -100)));
  });
  return g.constant(Float32Array.from(values), [sizeOf(split), 1, count, count]);
}

/** What is added to the scores of attention, [heads, N, N], or one of each window [B x windows, heads, N, N] where they are moved. */
function scoreBias(g: Builder, table: Tensor, cut: Cut, split: Places, batch: number): Tensor {
  const [count, heads] = [sizeOf(cut.window), table.shape[1] as number];
  const steps = g.constant(stepsIn(cut.window), [count * count], "int32");
  const rows = g.lookUp(claim<[number, number]>(table), claim<[number], "int32">(steps)); // [N N, heads]
  const bias = g.reshape(g.transpose(rows, [1, 0]), [heads, count, count]);
  if (cut.shift.every((by) => by === 0)) return bias;
  const each = g.add(
    g.broadcast(g.reshape(bias, [1, heads, count, count]), [sizeOf(split), heads, count, count]),
    separated(g, cut, split),
  );
  const all = g.broadcast(g.reshape(each, [1, ...(each.shape as number[])]), [batch, ...(each.shape as number[])]);
  return g.reshape(all, [batch * sizeOf(split), heads, count, count]);
}

/**
 * x [B, ...S, D] -> what `attend` gives of each window, at the places of x: it is told the windows [B x windows, N, D], and what is added to the
 * scores of their places, of a table with a row for each step and a column for each head.
 */
export function withinWindows(
  g: Builder,
  x: Tensor,
  table: Tensor,
  cut: Cut,
  attend: (windows: Tensor<[Rows, number, number]>, bias: Tensor) => Tensor,
): Tensor {
  const split = cut.window.map((n, i) => (x.shape[i + 1] as number) / n);
  const windows = windowsOf(g, rolled(g, x, cut.shift), cut.window, split);
  const bias = scoreBias(g, table, cut, split, x.shape[0] as number);
  const attended = attend(claim(windows), bias);
  const back = cut.shift.map((by, i) => (by === 0 ? 0 : (x.shape[i + 1] as number) - by));
  return rolled(g, joinedWindows(g, attended, cut.window, split), back);
}

/** x [B, ...S, D] -> what its places take from those of their window. */
function windowAttention(g: Builder, x: Tensor, w: Weights<WindowBlockParameters<number>>["attn"], cut: Cut): Tensor {
  const table = w.relative_position_bias_table;
  return withinWindows(g, x, table, cut, (windows, bias) =>
    selfAttention(g, windows, w, table.shape[1] as number, bias),
  );
}

/** The window along each axis, which is no longer than the axis; moved by half of it, where there are several, along axes that are to be. */
export const cutOf = (counts: Places, window: number, moved: boolean | readonly boolean[]): Cut => ({
  window: counts.map((count) => Math.min(window, count)),
  shift: counts.map((count, i) =>
    (typeof moved === "boolean" ? moved : moved[i]) && count > window ? Math.floor(window / 2) : 0,
  ),
});

interface WindowOptions {
  /** Places of a window along each axis, where there are so many. */
  readonly window: number;
  readonly epsilon: number;
  /** Of drops: the number of the first block's first. */
  readonly first?: number;
}

/**
 * x [B, ...S, D] through blocks x + Attention(LN x), then + MLP(LN x), attending within windows; those of every second block are moved by half
 * a window. drops [B, numbers]: by which the two residuals of each block are multiplied.
 */
export const windowBlocks = layer(
  "windowBlocks",
  <B extends Rows, S extends number[], D extends number>(
    g: Builder,
    x: Tensor<[B, ...S, D]>,
    blocks: readonly Weights<WindowBlockParameters<NoInfer<D>>>[],
    { window, epsilon, first = 0 }: WindowOptions,
    drops?: Tensor<[NoInfer<B>, number]>,
  ): Tensor<[B, ...S, D]> => {
    const counts = x.shape.slice(1, -1).map(Number);
    const left = (added: Tensor, column: number): Tensor =>
      drops ? g.mul(added, ofSample(g, drops, column, x.shape.length)) : added;
    const through = blocks.reduce<Tensor>((before, block, i) => {
      const w = block as unknown as Weights<WindowBlockParameters<number>>;
      const normed = (value: Tensor, norm: Weights<LayerNormParameters<number>>): Tensor =>
        layerNorm(g, value as Tensor<[number, number]>, norm, { epsilon });
      const attended = windowAttention(g, normed(before, w.norm1), w.attn, cutOf(counts, window, i % 2 === 1));
      const between = g.add(before, left(attended, first + 2 * i));
      const perceived = perceptron(g, normed(between, w.norm2) as Tensor<[number, number]>, w.mlp);
      return g.add(between, left(perceived, first + 2 * i + 1));
    }, x as Tensor);
    return claim(through);
  },
);

/** A number of each sample, from a column of drops [B, numbers], for all that is made of it: [B, 1, 1 ...]. */
const ofSample = (g: Builder, drops: Tensor, column: number, axes: number): Tensor => {
  const samples = drops.shape[0] as number;
  const ones = Array.from({ length: axes - 1 }, () => 1);
  return g.reshape(g.slice(drops, [0, column], [samples, 1]), [samples, ...ones]);
};

type NarrowNormal<I extends number, O extends number> = { readonly weight: Parameter<[O, I]> };

const narrowProjection = (inputs: number, outputs: number): NarrowNormal<number, number> => ({
  weight: parameter([outputs, inputs], { kind: "truncated_normal", std: 0.02 }),
});

export type MergeParameters<O extends number> = {
  readonly norm: LayerNormParameters<number>;
  readonly reduction: NarrowNormal<number, O>;
};

export const mergeParameters = declarer(
  "mergeParameters",
  ({ inputs, outputs, axes }: { readonly inputs: number; readonly outputs: number; readonly axes: number }) => ({
    norm: layerNormParameters(2 ** axes * inputs),
    reduction: narrowProjection(2 ** axes * inputs, outputs),
  }),
) as <const O extends number>(size: {
  readonly inputs: number;
  readonly outputs: O;
  readonly axes: number;
}) => MergeParameters<O>;

/** x [B, ...2 P, D] -> [B, ...P, O]: two places along each axis become one, the first axis running fastest. */
export const mergePlaces = layer(
  "mergePlaces",
  <B extends Rows, const P extends Places, D extends number, O extends number>(
    g: Builder,
    x: Finer<B, P, 2, D>,
    w: Weights<MergeParameters<O>>,
    o: { readonly places: P; readonly epsilon: number },
  ): Tensor<[B, ...P, O]> => {
    const shape = (x as Tensor).shape as readonly number[];
    const [batch, width] = [shape[0] as number, shape.at(-1) as number];
    const axes = o.places.map((_, i) => i);
    const apart = g.reshape(x as Tensor, [batch, ...o.places.flatMap((n) => [n, 2]), width]);
    const order = [0, ...axes.map((i) => 1 + 2 * i), ...axes.toReversed().map((i) => 2 + 2 * i), 1 + 2 * axes.length];
    const joined = g.reshape(g.transpose(apart, order), [batch, ...o.places, 2 ** axes.length * width]);
    const normed = layerNorm(g, joined as Tensor as Tensor<[number, number]>, w.norm, o);
    return claim(project(g, normed, w.reduction as never));
  },
);

export type ExpandParameters<O extends number> = {
  readonly expand: NarrowNormal<number, number>;
  readonly norm: LayerNormParameters<O>;
};

export const expandParameters = declarer(
  "expandParameters",
  ({ inputs, outputs, axes }: { readonly inputs: number; readonly outputs: number; readonly axes: number }) => ({
    expand: narrowProjection(inputs, 2 ** axes * outputs),
    norm: layerNormParameters(outputs),
  }),
) as <const O extends number>(size: {
  readonly inputs: number;
  readonly outputs: O;
  readonly axes: number;
}) => ExpandParameters<O>;

/** x [B, ...P, D] -> [B, ...2 P, O]: a place becomes two along each axis. */
export const expandPlaces = layer(
  "expandPlaces",
  <B extends Rows, const P extends Places, D extends number, O extends number>(
    g: Builder,
    x: Tensor<[B, ...P, D]>,
    w: Weights<ExpandParameters<O>>,
    o: { readonly epsilon: number },
  ): Finer<B, P, 2, O> => {
    const wide = project(g, x as Tensor as Tensor<[number, number]>, w.expand as never) as Tensor;
    const spread = spreadPlaces(g, wide as never, { factor: 2, width: w.norm.weight.shape[0] as number }) as Tensor;
    return claimAs(layerNorm(g, spread as Tensor<[number, number]>, w.norm as never, o));
  },
);
