/**
 * The same weights, mask and image give the same numbers as PyTorch (test/reference/mae.py, itself compared with Hugging
 * Face's ViTMAE): latent, prediction, target, loss to 1e-5, gradients to 1e-4. Training is compared in `test/runtime`.
 */

import { describe, expect, test } from "vitest";
import { type Batch, batchInputs, namedParameters, weightsOf } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { createBuilder, evaluate, gradients, type Tensor, type Values } from "../../graph/index.js";
import { readFixture } from "../reference/fixture.js";
import { modelOf } from "../support/model.js";

interface Header {
  readonly image: readonly [number, number, number];
  readonly patch: readonly [number, number];
  readonly ratio: number;
  readonly batch: number;
  readonly tokens: { readonly total: number; readonly visible: number };
  readonly encoder: { readonly depth: number; readonly width: number; readonly heads: number };
  readonly decoder: { readonly depth: number; readonly width: number; readonly heads: number };
  readonly normalize: boolean;
  readonly learned_positions: boolean;
  readonly loss: number;
  readonly losses?: Readonly<Record<string, number>>;
}

const transformer = (o: Header["encoder"]): string => `vit(depth: ${o.depth}, width: ${o.width}, heads: ${o.heads})`;

const specOf = (h: Header, loss = "mse(on: hidden)"): string => `
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

/** Largest difference, relative to the largest expected value where that exceeds 1. */
function difference(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  expect(actual?.length).toBe(expected.length);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  return Math.max(...Array.from(expected, (value, i) => Math.abs((actual?.[i] as number) - value))) / scale;
}

/** Splits each row of the order into visible and hidden places. */
function placesOf(order: ArrayLike<number>, { batch, tokens }: Header): { visible: Int32Array; hidden: Int32Array } {
  const part = (from: number, to: number): Int32Array =>
    Int32Array.from({ length: batch * (to - from) }, (_, i) => {
      const row = Math.floor(i / (to - from));
      return order[row * tokens.total + from + (i % (to - from))] as number;
    });
  return { visible: part(0, tokens.visible), hidden: part(tokens.visible, tokens.total) };
}

function load(name: string, loss?: string) {
  const fixture = readFixture<Header>(name);
  const assembly = assemble(modelOf(specOf(fixture.header, loss)));
  const program = programOf(assembly);
  const g = createBuilder({ batch: fixture.header.batch });
  const w = weightsOf(g, program.parameters);
  const batch: Batch = batchInputs(g, program);
  const names = [...namedParameters(assembly.parameters)].map(([path]) => path);
  const state = Object.fromEntries(names.map((path) => [path, fixture.values(`weights/${path}`)]));
  const feeds: Values = {
    image: fixture.values("image"),
    restore: fixture.values("restore"),
    ...placesOf(fixture.values("order"), fixture.header),
  };
  const compute = (outputs: Record<string, Tensor>): Values => {
    const graph = g.finish({ outputs });
    const used = Object.fromEntries([...graph.feeds.keys()].map((feed) => [feed, feeds[feed] as Float32Array]));
    return evaluate(graph, used, state).outputs;
  };
  return { fixture, assembly, program, g, w, batch, compute };
}

describe.each(["mae-square", "mae-rectangle", "mae-learned"])("%s", (name) => {
  const { fixture, assembly, program, g, w, batch, compute } = load(name);

  test("has the weights of PyTorch, with their names and shapes", () => {
    const ours = [...namedParameters(assembly.parameters)].map(([path, { shape }]) => [path, [...shape]]);
    const theirs = fixture.names
      .filter((path) => path.startsWith("weights/"))
      .map((path) => [path.slice("weights/".length), fixture.shape(path)]);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
  });

  test("latent, prediction and loss", () => {
    const { total } = program.loss(g, w, batch);
    const results = compute({ latent: program.encode(g, w, batch), prediction: program.predict(g, w, batch), total });
    expect(difference(results.latent, fixture.values("latent"))).toBeLessThan(1e-5);
    expect(difference(results.prediction, fixture.values("prediction"))).toBeLessThan(1e-5);
    expect(difference(results.total, [fixture.header.loss])).toBeLessThan(1e-5);
  });

  test("features after each layer", () => {
    for (let layers = 1; layers <= program.layers; layers++) {
      const results = compute({ features: program.features(g, w, batch.image, layers) });
      expect(difference(results.features, fixture.values(`features/${layers}`))).toBeLessThan(1e-5);
    }
  });

  test("gradients of every trainable weight", () => {
    const trainable = [...namedParameters(assembly.parameters)].filter(([, p]) => p.trainable).map(([path]) => path);
    expect(fixture.names.filter((n) => n.startsWith("gradients/")).length).toBe(trainable.length);
    const at = (path: string) =>
      path.split(".").reduce((branch: unknown, key) => (branch as Record<string, unknown>)[key], w) as Tensor;
    const derived = gradients(g, program.loss(g, w, batch).total, trainable.map(at));
    const results = compute(Object.fromEntries(trainable.map((path, i) => [path, derived[i] as Tensor])));
    for (const path of trainable) {
      expect(difference(results[path], fixture.values(`gradients/${path}`)), path).toBeLessThan(1e-4);
    }
  });
});

test("every loss on every choice of patches", () => {
  const { header } = readFixture<Header>("mae-rectangle");
  for (const [key, value] of Object.entries(header.losses ?? {})) {
    const [loss, on] = key.split(".");
    const { program, g, w, batch, compute } = load("mae-rectangle", `${loss}(on: ${on})`);
    expect(difference(compute({ total: program.loss(g, w, batch).total }).total, [value]), key).toBeLessThan(1e-5);
  }
});
