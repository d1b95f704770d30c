/**
 * Methods that compare views of samples give the numbers of PyTorch (test/reference/views.py, video-mac.py): every term of the loss, and what a batch
 * leaves behind in norms, centres and queues to 1e-5, the gradient of every weight to 1e-4. Each fixture holds its own spec.
 */

import { describe, expect, test } from "vitest";
import { maskedBatch, namedParameters, namedWeights, weightsOf } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { plan } from "../../compiler/index.js";
import { createBuilder, evaluate, gradients, type Tensor, type Values } from "../../graph/index.js";
import { difference, type RecordedBatch, recorded, shapesIn, under } from "../support/recorded.js";

interface Header extends RecordedBatch {
  readonly spec: string;
  readonly terms: Readonly<Record<string, number>>;
  readonly loss: number;
}

describe.each([
  "simclr",
  "simclr-resnet",
  "moco-v2",
  "moco-v2-both",
  "moco-v3",
  "dino",
  "ibot",
  "cmae",
  "mae-contrast",
  "siam-mae",
  "video-mac",
])("%s", (name) => {
  const { fixture, model, weights: state } = recorded<Header>(name);
  const program = programOf(assemble(model));
  const g = createBuilder({ batch: fixture.header.batch, training: true });
  const weights = weightsOf(g, program.parameters);
  const named = namedWeights(program.parameters, weights);
  const { total, terms } = program.loss(g, weights, maskedBatch(g, program, weights, "training"));
  const trainable = [...namedParameters(program.parameters)].filter(([, p]) => p.trainable).map(([path]) => path);
  const derived = gradients(
    g,
    total,
    trainable.map((path) => named.get(path) as Tensor),
  );
  const own = Object.fromEntries(trainable.map((path, i) => [`gradients/${path}`, derived[i] as Tensor]));
  const graph = g.finish({ outputs: { ...terms, loss: total, ...own } });
  const feeds: Values = Object.fromEntries(
    under("feeds/", fixture.names).map((one) => [one, fixture.values(`feeds/${one}`)]),
  );
  const { outputs, updates } = evaluate(graph, feeds, state);

  test("has the weights of PyTorch, with their names and shapes", () => {
    const ours = [...namedParameters(program.parameters)].map(([path, { shape }]) => [path, [...shape]]);
    expect(Object.fromEntries(ours)).toEqual(shapesIn(fixture));
  });

  test("the loss and each of its terms", () => {
    expect(Object.keys(terms).sort()).toEqual(Object.keys(fixture.header.terms).sort());
    for (const [term, value] of Object.entries({ ...fixture.header.terms, loss: fixture.header.loss }))
      expect(difference(outputs[term], [value]), term).toBeLessThan(1e-5);
  });

  test("the gradient of every trainable weight", () => {
    expect([...under("gradients/", fixture.names)].sort()).toEqual([...trainable].sort());
    for (const path of trainable)
      expect(difference(outputs[`gradients/${path}`], fixture.values(`gradients/${path}`)), path).toBeLessThan(1e-4);
  });

  test("what norms, centres and queues know of the batch after it", () => {
    expect([...graph.updates.keys()].sort()).toEqual([...under("moved/", fixture.names)].sort());
    for (const one of graph.updates.keys())
      expect(difference(updates[one], fixture.values(`moved/${one}`)), one).toBeLessThan(1e-5);
  });
});

test("a plan tells what passes of each sample", () => {
  const { views, tokens } = plan(recorded<Header>("ibot").model);
  expect(views).toEqual([
    { name: "global", count: 2, counts: [4, 3], total: 12, visible: 6, taught: true },
    { name: "local", count: 2, counts: [2, 2], total: 4, visible: 4, taught: false },
  ]);
  expect(tokens).toMatchObject({ total: 12, visible: 6 });
});
