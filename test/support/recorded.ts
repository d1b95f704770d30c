/** Models that PyTorch has computed, as fixtures of `test/reference` hold them: their weights, what was fed, and how near results are. */

import { expect } from "vitest";
import type { Values } from "../../graph/index.js";
import { type Fixture, readFixture } from "../reference/fixture.js";
import { modelOf } from "./model.js";

/** What the headers of all of them say. */
export interface RecordedBatch {
  readonly batch: number;
  readonly tokens: { readonly total: number; readonly visible: number };
}

/** Names that begin with a prefix, without it. */
export const under = (prefix: string, names: readonly string[]): readonly string[] =>
  names.flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));

/** By name. */
export const weightsIn = ({ names, values }: Fixture<unknown>): Readonly<Record<string, Float32Array>> =>
  Object.fromEntries(
    under("weights/", names).map((name) => [name, Float32Array.from(values(`weights/${name}`))] as const),
  );

/** By name; for comparing with those of a program. */
export const shapesIn = ({ names, shape }: Fixture<unknown>): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(under("weights/", names).map((name) => [name, shape(`weights/${name}`)]));

/** The arrays by the names of their inputs, and the places of visible and hidden tokens in their order [B, N]. */
export function feedsIn({ header: { batch, tokens }, names, values }: Fixture<RecordedBatch>): Values {
  const order = values("order");
  const places = (from: number, to: number): Int32Array =>
    Int32Array.from({ length: batch * (to - from) }, (_, i) => {
      const row = Math.floor(i / (to - from));
      return order[row * tokens.total + from + (i % (to - from))] as number;
    });
  const [visible, hidden] = [places(0, tokens.visible), places(tokens.visible, tokens.total)];
  const arrays = names
    .filter((name) => ["image", "signal", "spectrogram", "video"].includes(name))
    .map((name) => [name, values(name)]);
  return { ...Object.fromEntries(arrays), restore: values("restore"), visible, hidden };
}

/** The model of a fixture that holds its own spec. `change`: of the spec. */
export function recorded<Header extends { readonly spec: string }>(name: string, change = (spec: string) => spec) {
  const fixture = readFixture<Header>(name);
  const model = modelOf(change(fixture.header.spec));
  return { fixture, model, weights: weightsIn(fixture) };
}

/** Largest difference, relative to the largest expected value where that exceeds 1. */
export function difference(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  expect(actual?.length).toBe(expected.length);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  return Math.max(...Array.from(expected, (value, i) => Math.abs((actual?.[i] as number) - value))) / scale;
}

interface Network {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
}

/** What the headers of test/reference/mae.py say of their model. */
export interface RecordedMae extends RecordedBatch {
  readonly image: readonly [number, number, number];
  readonly patch: readonly [number, number];
  readonly ratio: number;
  readonly encoder: Network;
  readonly decoder: Network;
  readonly normalize: boolean;
  readonly learned_positions: boolean;
}

const transformer = (o: Network): string => `vit(depth: ${o.depth}, width: ${o.width}, heads: ${o.heads})`;

/** The spec of such a model. */
export const maeSpec = (h: RecordedMae, loss = "mse(on: hidden)"): string => `
edition 2026
model Reference {
  input     image(size: ${h.image[0]}x${h.image[1]}, channels: ${h.image[2]})
  tokens    patch(size: ${h.patch[0]}x${h.patch[1]})
  positions ${h.learned_positions ? "learned" : "sin_cos"}
  mask      random(ratio: ${h.ratio * 100}%)
  encoder   ${transformer(h.encoder)}
  decoder   ${transformer(h.decoder)}
  target    pixels(normalize: ${h.normalize ? "patch" : "none"})
  loss      ${loss}
}`;
