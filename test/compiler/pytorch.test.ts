/**
 * The same weights, mask and image give the same numbers as PyTorch (test/reference/mae.py, itself compared with Hugging
 * Face's ViTMAE): latent, prediction, target, loss to 1e-5, gradients to 1e-4. Training is compared in `test/runtime`.
 */

import { describe, expect, test } from "vitest";
import { type Batch, batchInputs, namedParameters, predictOf, weightsOf } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { createBuilder, evaluate, gradients, type Tensor, type Values } from "../../graph/index.js";
import { readFixture } from "../reference/fixture.js";
import { modelOf } from "../support/model.js";
import { difference, feedsIn, maeSpec, type RecordedMae, shapesIn, weightsIn } from "../support/recorded.js";

interface Header extends RecordedMae {
  readonly loss: number;
  readonly losses?: Readonly<Record<string, number>>;
}

function load(name: string, loss?: string) {
  const fixture = readFixture<Header>(name);
  const assembly = assemble(modelOf(maeSpec(fixture.header, loss)));
  const program = programOf(assembly);
  const g = createBuilder({ batch: fixture.header.batch });
  const w = weightsOf(g, program.parameters);
  const batch: Batch = batchInputs(g, program);
  const [state, feeds] = [weightsIn(fixture), feedsIn(fixture)];
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
    expect(Object.fromEntries(ours)).toEqual(shapesIn(fixture));
  });

  test("latent, prediction and loss", () => {
    const { total } = program.loss(g, w, batch);
    const results = compute({
      latent: program.encode(g, w, batch),
      prediction: predictOf(program)(g, w, batch),
      total,
    });
    expect(difference(results.latent, fixture.values("latent"))).toBeLessThan(1e-5);
    expect(difference(results.prediction, fixture.values("prediction"))).toBeLessThan(1e-5);
    expect(difference(results.total, [fixture.header.loss])).toBeLessThan(1e-5);
  });

  test("features after each layer", () => {
    for (let layers = 1; layers <= program.layers; layers++) {
      const results = compute({ features: program.features(g, w, batch, layers) });
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
