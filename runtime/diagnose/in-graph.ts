/**
 * What is measured where a model is computed: attention by layer and head, what tokens of a sample have in common, and how much a decoder takes
 * from visible tokens and from hidden ones. Each measure is a few numbers of a sample, so that large models give little back.
 */

import { countsOf, type Lattice, placeOf, tokenCount } from "../../blocks/index.js";
import type { Builder, Tensor } from "../../graph/index.js";

/** Keeps logarithms finite, as the authors of these measures do. */
const little = 1e-8;

/** A builder that also keeps the attention of every layer built with it, in order: [B, heads, N, M] each, rows sum to 1. */
export function watchAttention(g: Builder): { readonly g: Builder; readonly attention: readonly Tensor[] } {
  const attention: Tensor[] = [];
  const watched: Builder = {
    ...g,
    attention(...given) {
      const both = g.attention(...given);
      attention.push(both[1]);
      return both;
    },
  };
  return { g: watched, attention };
}

/** [N, N]: how far tokens lie from each other, middle to middle, in the places of the array. */
export function distancesIn(lattice: Lattice): Float32Array {
  const count = tokenCount(lattice);
  const places = Array.from({ length: count }, (_, token) => placeOf(lattice, token));
  const distances = new Float32Array(count * count);
  for (const [a, from] of places.entries()) {
    for (const [b, to] of places.entries()) {
      const squares = lattice.map(({ size }, axis) => (((from[axis] as number) - (to[axis] as number)) * size) ** 2);
      distances[a * count + b] = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    }
  }
  return distances;
}

/** What `attentionMeasures` gives of a head, in this order. */
export const attentionNames = ["distance", "entropy", "mutual_information"] as const;

/**
 * Of the attention between `patches` of a sample, rows made to sum to 1 without other tokens: the mean distance of what is attended to, in places of the array;
 * the mean entropy of a row, in nats; and the mutual information of queries and keys over the root of the product of their entropies,
 * 0 where all queries attend alike. Park et al., What Do Self-Supervised Vision Transformers Learn?, ICLR 2023.
 *
 * @param maps [B, H, extra + N, extra + N]
 * @param distances [N, N]
 * @returns [B, H, 3]
 */
export function attentionMeasures(g: Builder, maps: Tensor, extra: number, distances: Tensor): Tensor {
  const [batch, heads, all] = maps.shape as readonly [number, number, number];
  const count = all - extra;
  const between = g.add(g.slice(maps, [0, 0, extra, extra], [batch, heads, count, count]), little);
  const rows = g.div(between, g.broadcast(g.sum(between, [3], "keep"), [...between.shape]));
  const distance = g.mul(g.sum(g.mul(rows, g.broadcast(distances, [...rows.shape])), [2, 3]), 1 / count);
  const entropy = g.mul(g.sum(g.mul(rows, g.log(rows)), [2, 3]), -1 / count);
  const keys = g.mean(rows, [2]); // [B, H, N]
  const ofKeys = g.mul(g.sum(g.mul(keys, g.log(keys)), [2]), -1);
  const information = g.div(g.sub(ofKeys, entropy), g.sqrt(g.mul(ofKeys, Math.log(count))));
  return g.concat(
    [distance, entropy, information].map((one) => g.reshape(one, [batch, heads, 1])),
    2,
  );
}

/** Cosines and sines of waves along all axes at once, from no wave to the shortest; null: the axes have not the same number of tokens. */
export function wavesOver(lattice: Lattice): { readonly count: number; readonly waves: Float32Array } | null {
  const counts = countsOf(lattice);
  const [side = 0] = counts;
  if (counts.length < 2 || side < 2 || counts.some((count) => count !== side)) return null;
  const count = Math.floor(side / 2) + 1;
  const tokens = tokenCount(lattice);
  const waves = new Float32Array(2 * count * tokens);
  for (let k = 0; k < count; k++) {
    for (let token = 0; token < tokens; token++) {
      const angle = (2 * Math.PI * k * placeOf(lattice, token).reduce((sum, at) => sum + at, 0)) / side;
      waves[k * tokens + token] = Math.cos(angle);
      waves[(count + k) * tokens + token] = Math.sin(angle);
    }
  }
  return { count, waves };
}

/** What `tokenMeasures` gives of a sample, before its amplitudes, in this order. */
export const tokenNames = ["similarity", "similarity_variance", "feature_variance"] as const;

/**
 * Of the tokens of a sample: the mean cosine of two of them, its variance, and the variance of a feature over them; then the mean logarithm of the
 * amplitude of each wave, where there are `waves` [2 K, N].
 *
 * @param tokens [B, N, D], patches alone
 * @returns [B, 3 + K]
 */
export function tokenMeasures(g: Builder, tokens: Tensor, waves: Tensor | null): Tensor {
  const [batch, count, width] = tokens.shape as readonly [number, number, number];
  const lengths = g.sqrt(g.add(g.sum(g.mul(tokens, tokens), [2], "keep"), 1e-12));
  const unit = g.div(tokens, g.broadcast(lengths, [...tokens.shape]));
  const cosines = g.matmul(unit, unit, { b: true }); // [B, N, N]
  const pairs = count * (count - 1);
  const mean = g.mul(g.sub(g.sum(cosines, [1, 2]), count), 1 / pairs);
  const squares = g.mul(g.sub(g.sum(g.mul(cosines, cosines), [1, 2]), count), 1 / pairs);
  const apart = g.sub(tokens, g.broadcast(g.mean(tokens, [1], "keep"), [...tokens.shape]));
  const variance = g.mean(g.mul(apart, apart), [1, 2]);
  const column = (one: Tensor): Tensor => g.reshape(one, [batch, 1]);
  const measures = [mean, g.sub(squares, g.mul(mean, mean)), variance].map(column);
  if (!waves) return g.concat(measures, 1);
  const bins = (waves.shape[0] as number) / 2;
  const all = g.matmul(g.broadcast(waves, [batch, 2 * bins, count]), tokens); // [B, 2 K, D]
  const half = (at: number): Tensor => g.slice(all, [0, at, 0], [batch, bins, width]);
  const power = g.add(g.mul(half(0), half(0)), g.mul(half(bins), half(bins)));
  const amplitudes = g.mean(g.mul(g.log(g.add(power, 1e-12)), 0.5), [2]);
  return g.concat([...measures, amplitudes], 1);
}

/**
 * How much of what a decoder says at hidden places comes from a visible token and from a hidden one, after each of its layers: attention, the mean over heads,
 * half of it beside half of what was there, multiplied through the layers. Shin et al., Self-Guided Masked Autoencoders, NeurIPS 2024; rolled out as
 * by Abnar and Zuidema, Quantifying Attention Flow in Transformers, ACL 2020.
 *
 * @param maps of each layer, [B, H, extra + N, extra + N]
 * @param isVisible [B, N], 1 or 0
 * @returns [B, layers, 2], of a visible and of a hidden token
 */
export function exploitation(g: Builder, maps: readonly Tensor[], isVisible: Tensor): Tensor {
  const [batch, count] = isVisible.shape as readonly [number, number];
  const isHidden = g.sub(g.constant(1, [batch, count]), isVisible);
  const shareOf = (places: Tensor): Tensor => g.div(places, g.broadcast(g.sum(places, [1], "keep"), [...places.shape]));
  const [seen, unseen] = [shareOf(isVisible), shareOf(isHidden)] as const;
  let rolled: Tensor | null = null;
  const layers = maps.map((layer) => {
    const all = layer.shape[2] as number;
    const same = Float32Array.from({ length: all * all }, (_, at) => (at % (all + 1) === 0 ? 0.5 : 0));
    const mixed = g.add(g.mul(g.mean(layer, [1]), 0.5), g.broadcast(g.constant(same, [all, all]), [batch, all, all]));
    rolled = rolled ? g.matmul(mixed, rolled) : mixed;
    const extra = all - count;
    const patches = g.slice(rolled, [0, extra, extra], [batch, count, count]);
    const fromSets = g.concat(
      [seen, unseen].map((share) => g.matmul(patches, g.reshape(share, [batch, count, 1]))),
      2,
    ); // [B, N, 2]
    return g.matmul(g.reshape(unseen, [batch, 1, count]), fromSets); // [B, 1, 2]
  });
  return g.concat(layers, 1);
}
