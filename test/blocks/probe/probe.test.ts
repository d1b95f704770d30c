/** The probes against numpy and PyTorch, and laws that hold for any features. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accuracy, classScores } from "../../../blocks/probe/classifier.js";
import { classifierOf } from "../../../blocks/probe/head.js";
import {
  type FeatureProbe,
  type Features,
  knn,
  linear,
  type Probe,
  probes,
  ridge,
} from "../../../blocks/probe/index.js";
import { neighbourVotes } from "../../../blocks/probe/knn.js";
import { trainHead } from "../../../blocks/probe/linear.js";
import { addGram, cholesky, mirror, rowProducts, solveCholesky, weightedRows } from "../../../blocks/probe/products.js";
import { fitRidge } from "../../../blocks/probe/ridge.js";
import { plainRandom, reference, relativeDifference, test, train } from "./fixture.js";

const { header } = reference;

describe("knn", () => {
  it("counts numpy's votes", async () => {
    const votes = await neighbourVotes(train, test, header.knn.k, header.knn.temperature);
    expect(relativeDifference(votes, reference.values("knn/votes"))).toBeLessThan(1e-12);
  });

  it("has numpy's accuracy exactly, and says how it was measured", async () => {
    const result = await knn.run({ k: 20, temperature: 0.07 }, train, test, plainRandom(0));
    expect(result.scores).toEqual({ top1: header.knn.top1, top5: header.knn.top5 });
    expect(result.protocol).toContain("k = 20, cosine similarity, votes exp(similarity / 0.07), 240 training");
  });

  it("uses all samples when there are fewer than k, and says so", async () => {
    const few: Features = { ...train, count: 8, labels: train.labels.slice(0, 8) };
    const result = await knn.run({ k: 20, temperature: 0.07 }, few, test, plainRandom(0));
    expect(result.protocol).toContain("k = 8");
  });

  it("finds each training sample itself, across all blocks", async () => {
    // More samples than a block has rows, with their number as class.
    const count = 1000;
    const random = plainRandom(3);
    const values = Float32Array.from({ length: count * 5 }, () => random.normal());
    const own: Features = {
      values,
      labels: Int32Array.from({ length: count }, (_, i) => i),
      count,
      width: 5,
      classes: count,
    };
    const result = await knn.run({ k: 1, temperature: 0.07 }, own, own, random);
    expect(result.scores).toEqual({ top1: 1, top5: 1 });
  });
});

describe("ridge", () => {
  it.each([0, 8, 12])("scores as numpy with penalty %i", async (i) => {
    const penalty = header.ridge.penalties[i] as number;
    const heldOut = reference.values("ridge/held_out") as Int32Array;
    const { classifier, heldOutTop1 } = await fitRidge(train, heldOut, [penalty]);
    const scores = classScores(classifier, test);
    expect(relativeDifference(scores, reference.values(`ridge/scores/${i}`))).toBeLessThan(1e-10);
    expect(accuracy(scores, test.labels, test.classes).top1).toBe(header.ridge.test_top1[i]);
    expect(heldOutTop1).toBeCloseTo(header.ridge.held_out_top1[i] as number, 12);
  });

  it("takes the best penalty on held-out samples, of equals the largest", async () => {
    const { penalties, held_out_top1 } = header.ridge;
    const best = penalties[held_out_top1.lastIndexOf(Math.max(...held_out_top1))];
    const heldOut = reference.values("ridge/held_out") as Int32Array;
    expect((await fitRidge(train, heldOut, penalties)).penalty).toBe(best);
  });

  it("is not disturbed by a constant feature, a copied feature or a large offset", async () => {
    const widened = (features: Features): Features => {
      const width = features.width + 2;
      const values = new Float32Array(features.count * width);
      for (let row = 0; row < features.count; row++) {
        const own = features.values.subarray(row * features.width, (row + 1) * features.width);
        values.set(own, row * width);
        values.set([3, (own[0] as number) + 64], row * width + features.width);
      }
      return { ...features, values, width };
    };
    const p = { l2: [1], held_out: 0.1 };
    const plain = await ridge.run(p, train, test, plainRandom(1));
    const wide = await ridge.run(p, widened(train), widened(test), plainRandom(1));
    expect(Math.abs((plain.scores.top1 as number) - (wide.scores.top1 as number))).toBeLessThan(0.05);
  });
});

describe("linear", () => {
  it.each(["lars", "sgd"] as const)("trains as PyTorch with %s", async (optimizer) => {
    const { epochs, warmup, batch, rates } = header.linear;
    const settings = { optimizer, epochs, warmup, batch, peak: (rates[optimizer] * batch) / 256 };
    const order = reference.values("linear/order") as Int32Array;
    const orderOf = (epoch: number) => order.subarray(epoch * train.count, (epoch + 1) * train.count);
    const head = await trainHead(train, settings, reference.values("linear/start") as Float64Array, orderOf);
    for (const part of ["weight", "bias", "losses"] as const) {
      expect(relativeDifference(head[part], reference.values(`linear/${optimizer}/${part}`)), part).toBeLessThan(1e-10);
    }
    const scores = classScores(classifierOf(head), test);
    expect(relativeDifference(scores, reference.values(`linear/${optimizer}/scores`))).toBeLessThan(1e-10);
    expect(accuracy(scores, test.labels, test.classes).top1).toBe(header.linear[optimizer].top1);
  });

  it("is repeatable, and differs with the seed", async () => {
    const p = {
      epochs: 3,
      batch: 64,
      lr: { value: 0.4, per: 256 },
      warmup: { amount: 1, unit: "epochs" as const },
      optimizer: "sgd" as const,
    };
    const once = await linear.run(p, train, test, plainRandom(1));
    expect(await linear.run(p, train, test, plainRandom(1))).toEqual(once);
    expect((await linear.run(p, train, test, plainRandom(2))).scores).not.toEqual(once.scores);
    expect(once.protocol).toContain("SGD, momentum 0.9, peak learning rate 0.1, batch 64, 3 epochs (9 steps)");
    expect(once.protocol).toContain("without augmentation");
  });
});

describe("products", () => {
  it("agree with the definition for every size", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 5 }),
        (m, n, d) => {
          const a = Float64Array.from({ length: m * d }, (_, i) => Math.sin(i + 1));
          const b = Float64Array.from({ length: n * d }, (_, i) => Math.cos(3 * i));
          const products = rowProducts(a, m, b, n, d, new Float64Array(m * n));
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < n; j++) {
              let sum = 0;
              for (let t = 0; t < d; t++) sum += (a[i * d + t] as number) * (b[j * d + t] as number);
              expect(products[i * n + j]).toBe(sum);
            }
          }
        },
      ),
    );
  });

  it("of all rows with each other agree with products one by one, over several panels", () => {
    const [n, d] = [101, 5];
    const rows = Float64Array.from({ length: n * d }, (_, i) => Math.sin(i * i + 1));
    const gram = new Float64Array(n * n);
    addGram(rows, n, d, gram);
    addGram(rows, n, d, gram);
    mirror(gram, n);
    const once = rowProducts(rows, n, rows, n, d, new Float64Array(n * n));
    expect(
      relativeDifference(
        gram,
        once.map((value) => 2 * value),
      ),
    ).toBeLessThan(1e-15);
  });

  it("weighted by a matrix agree with the definition for every size", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        (n, m, d) => {
          const a = Float64Array.from({ length: n * m }, (_, i) => Math.sin(i + 1));
          const b = Float64Array.from({ length: m * d }, (_, i) => Math.cos(3 * i));
          const sums = weightedRows(a, n, b, m, d, new Float64Array(n * d).fill(7));
          for (let k = 0; k < n; k++) {
            for (let j = 0; j < d; j++) {
              let sum = 0;
              for (let i = 0; i < m; i++) sum += (a[k * m + i] as number) * (b[i * d + j] as number);
              expect(sums[k * d + j]).toBeCloseTo(sum, 12);
            }
          }
        },
      ),
    );
  });

  it("solve symmetric systems", () => {
    const n = 7;
    const rows = Float64Array.from({ length: n * n }, (_, i) => Math.sin(i * i + 1));
    const matrix = rowProducts(rows, n, rows, n, n, new Float64Array(n * n));
    const solution = Float64Array.from({ length: n }, (_, i) => i - 3);
    const right = rowProducts(matrix, n, solution, 1, n, new Float64Array(n));
    solveCholesky(cholesky(matrix, n), n, right, 0);
    expect(relativeDifference(right, solution)).toBeLessThan(1e-9);
  });
});

describe("every probe of features", () => {
  const ofFeatures = probes.filter(
    (probe: Probe): probe is FeatureProbe => "run" in probe && probe.sees !== "predictions" && probe.needs !== "values",
  );
  it.each(ofFeatures.map((probe) => [probe.name, probe] as const))(
    "%s is well above what chance gives and reports progress to the end",
    async (_, probe) => {
      const ticks: (readonly [number, number])[] = [];
      const random = plainRandom(5);
      const tick = (done: number, total: number) => ticks.push([done, total]);
      const defaults = Object.fromEntries(Object.entries(probe.params).map(([name, param]) => [name, param.default]));
      const result = await probe.run(defaults as never, train, test, random, tick);
      const [headline] = Object.values(result.scores);
      expect(headline).toBeGreaterThan(probe.scale === "number" ? 2 : 0.5);
      expect(ticks.at(-1)?.[0]).toBe(ticks.at(-1)?.[1]);
    },
  );

  it("puts a class that got no number behind all others", () => {
    expect(accuracy(Float64Array.of(Number.NaN, -1, -Infinity), Int32Array.of(0), 3)).toEqual({ top1: 0 });
    expect(accuracy(Float64Array.of(2, 2, 1), Int32Array.of(1), 3)).toEqual({ top1: 0 });
  });
});

it("a head is judged by its own logits, of the test images alone", async () => {
  const head = probes.find(({ sees }: Probe) => sees === "predictions") as FeatureProbe;
  // Of seven classes the right one is first, fifth and last.
  const values = Float32Array.from([6, 5, 4, 3, 2, 1, 0, 6, 5, 4, 3, 2, 1, 0, 6, 5, 4, 3, 2, 1, 0]);
  const logits = { values, labels: Int32Array.of(0, 4, 6), count: 3, width: 7, classes: 7 };
  const none = { ...logits, values: new Float32Array(0), labels: new Int32Array(0), count: 0 };
  const { scores } = await head.run({}, none, logits, plainRandom(5));
  expect(scores.top1).toBeCloseTo(1 / 3);
  expect(scores.top5).toBeCloseTo(2 / 3);
});
