/** Models that PyTorch has computed, as fixtures of `test/reference` hold them: their weights, what was fed, and how near results are. */

import { expect } from "vitest";
import { placeNames } from "../../blocks/places.js";
import type { Values } from "../../graph/index.js";
import { type Fixture, readFixture } from "../reference/fixture.js";
import { modelOf } from "./model.js";

/** What the headers of all of them say. */
export interface RecordedBatch {
  readonly batch: number;
  readonly tokens: { readonly total: number; readonly visible: number };
  /** Of several inputs: the tokens of each, where each has a mask of its own. */
  readonly inputs?: Readonly<Record<string, { readonly tokens?: RecordedBatch["tokens"] }>>;
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

/** The arrays by the names of their inputs, and the places of visible and hidden tokens in their order [B, N]: of one mask, or of each input's. */
export function feedsIn({ header, names, values }: Fixture<RecordedBatch>): Values {
  const { inputs } = header;
  const placed = (tokens: RecordedBatch["tokens"], input: string | null): Values => {
    const own = (name: string): string => (input === null ? name : `${name}/${input}`);
    const feeds = placeNames(input);
    const order = values(own("order"));
    const places = (from: number, to: number): Int32Array =>
      Int32Array.from({ length: header.batch * (to - from) }, (_, i) => {
        const row = Math.floor(i / (to - from));
        return order[row * tokens.total + from + (i % (to - from))] as number;
      });
    return {
      [feeds.visible]: places(0, tokens.visible),
      [feeds.hidden]: places(tokens.visible, tokens.total),
      [feeds.restore]: values(own("restore")),
    };
  };
  const labels = Object.keys(inputs ?? {});
  const known = ["image", "mesh", "points", "signal", "spectrogram", "table", "text", "video", "volume", ...labels];
  const arrays = Object.fromEntries(names.filter((name) => known.includes(name)).map((name) => [name, values(name)]));
  if (!inputs || names.includes("order")) return { ...arrays, ...placed(header.tokens, null) };
  return Object.assign(arrays, ...labels.map((label) => placed(inputs[label]?.tokens ?? header.tokens, label)));
}

/** The model of a fixture that holds its own spec. `change`: of the spec. */
export function recorded<Header extends { readonly spec: string }>(name: string, change = (spec: string) => spec) {
  const fixture = withOurNames(readFixture<Header & { readonly names?: Readonly<Record<string, string>> }>(name));
  const model = modelOf(change(fixture.header.spec));
  return { fixture, model, weights: weightsIn(fixture) };
}

/** The fixture with its weights and gradients under our names, where its header says what those are. */
function withOurNames<Header extends { readonly names?: Readonly<Record<string, string>> }>(
  fixture: Fixture<Header>,
): Fixture<Header> {
  const { names = {} } = fixture.header;
  const stored = new Map(
    fixture.names.map((name): [string, string] => {
      const [kind, own] = [name.slice(0, name.indexOf("/") + 1), name.slice(name.indexOf("/") + 1)];
      const isWeight = kind === "weights/" || kind === "gradients/";
      return [isWeight ? kind + (names[own] ?? own) : name, name];
    }),
  );
  return {
    header: fixture.header,
    names: [...stored.keys()],
    shape: (name) => fixture.shape(stored.get(name) ?? name),
    values: (name) => fixture.values(stored.get(name) ?? name),
  };
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
