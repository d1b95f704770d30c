/** Probes and measures against scikit-learn on the same features, and the attentive probe against PyTorch. */

import { describe, expect, it } from "vitest";
import { type AttentiveWeights, attentiveTrainer } from "../../../blocks/probe/attentive.js";
import { accuracy, classScores } from "../../../blocks/probe/classifier.js";
import { judgeDraw } from "../../../blocks/probe/few-shot.js";
import { attentive, type Features, fewShot, knn, linear, linearCrops, svm } from "../../../blocks/probe/index.js";
import { areaUnderRoc, averagePrecision, equalErrorRate, measures, worthOf } from "../../../blocks/probe/measures.js";
import { ridgeOf } from "../../../blocks/probe/ridge.js";
import { fitSvm } from "../../../blocks/probe/svm.js";
import { readFixture } from "../../reference/fixture.js";
import { plainRandom, reference, relativeDifference, test, train } from "./fixture.js";

type Ranked = Readonly<Record<"top1" | "auroc" | "mean_average_precision", number>>;

const recorded = readFixture<{
  readonly knn: number;
  readonly ridge: Ranked & { readonly penalty: number };
  readonly svm: Ranked & { readonly c: number; readonly samples: number };
  readonly few_shot: { readonly shots: number; readonly top1: readonly number[] };
  readonly measures: Readonly<Record<string, number>> & {
    readonly recall: readonly number[];
    readonly precision: readonly number[];
    readonly confusion: readonly (readonly number[])[];
  };
  readonly attentive: {
    readonly heads: number;
    readonly classes: number;
    readonly batch: number;
    readonly rates: readonly number[];
    readonly decay: number;
  };
}>("judging");
const { header } = recorded;

function expectRanked(found: Readonly<Record<string, number>>, expected: Ranked): void {
  for (const name of ["auroc", "mean_average_precision"] as const)
    expect(Math.abs((found[name] as number) - expected[name]), name).toBeLessThan(1e-4);
}

/** Samples from `from` up to `to`. */
function part(features: Features, from: number, to: number): Features {
  const length = features.width * (features.tokens ?? 1);
  const values = features.values.slice(from * length, to * length);
  return { ...features, values, labels: features.labels.slice(from, to), count: to - from };
}

/** The features in chunks that fit no batch. */
async function* chunks(features: Features): AsyncGenerator<Features> {
  for (let from = 0; from < features.count; from += 37) yield part(features, from, Math.min(from + 37, features.count));
}

describe("scikit-learn has the accuracy", () => {
  it("of nearest neighbours", async () => {
    const { scores } = await knn.run({ k: 20, temperature: 0.07 }, train, test, plainRandom(0));
    expect(Math.abs((scores.top1 as number) - header.knn)).toBeLessThan(1e-3);
  });

  it("of ridge regression with one penalty, on all samples and on each draw of a few", async () => {
    const { penalty, top1 } = header.ridge;
    const all = accuracy(classScores(await ridgeOf(train, penalty), test), test.labels, test.classes);
    expect(Math.abs((all.top1 as number) - top1)).toBeLessThan(1e-3);
    const rows = recorded.values("few_shot/rows") as Int32Array;
    const each = rows.length / header.few_shot.top1.length;
    for (const [draw, expected] of header.few_shot.top1.entries()) {
      const found = await judgeDraw(train, test, rows.subarray(draw * each, (draw + 1) * each), penalty);
      expect(Math.abs((found.top1 as number) - expected)).toBeLessThan(1e-3);
    }
  });

  it("of support vector machines, whose planes are the same", async () => {
    const { c, samples, top1 } = header.svm;
    const some = part(train, 0, samples);
    const { classifier } = await fitSvm(some, c, plainRandom(3));
    const furthest = (found: Float64Array, name: string): number =>
      Math.max(...found.map((value, i) => Math.abs(value - ((recorded.values(name) as Float64Array)[i] as number))));
    expect(furthest(classifier.weight, "svm/weight")).toBeLessThan(1e-4);
    expect(furthest(classifier.bias, "svm/bias")).toBeLessThan(1e-4);
    const { scores } = await svm.run({ c }, some, test, plainRandom(4));
    expect(scores.top1).toBe(top1);
    expectRanked(scores, header.svm);
  });

  it("of classes put in order: the areas of ridge regression, one class against all others, and of logits, by their softmax", async () => {
    const scores = classScores(await ridgeOf(train, header.ridge.penalty), test);
    expectRanked(worthOf(scores, test, "each class"), header.ridge);
    const logits = reference.values("linear/sgd/scores") as Float64Array;
    expectRanked(worthOf(logits, test, "logits"), header.measures as unknown as Ranked);
  });

  it("and no area where all samples are of one class", () => {
    const { labels, ...rest } = part(test, 0, 3);
    const scores = worthOf(new Float64Array(3 * test.classes), { ...rest, labels: labels.fill(1) }, "logits");
    expect(scores).toEqual({ top1: 0, top5: 1, mean_average_precision: 1 });
  });

  it("and every other measure of class scores", () => {
    const found = measures(reference.values("linear/sgd/scores") as Float64Array, test.labels, test.classes);
    for (const [name, score] of Object.entries(found.scores))
      expect(score, name).toBeCloseTo(header.measures[name] as number, 10);
    expect(Object.keys(found.scores)).toHaveLength(6);
    const { recall, precision, confusion } = header.measures;
    expect(found.details.confusion).toEqual(confusion);
    for (const [k, own] of found.details.per_class.entries()) {
      expect(own.recall).toBeCloseTo(recall[k] as number, 12);
      expect(own.precision ?? 0).toBeCloseTo(precision[k] as number, 12);
    }
  });
});

it("a measure of a class without samples is none, and ties count half", () => {
  const { details, scores } = measures(Float64Array.of(2, 1, 0, 1, 2, 0), Int32Array.of(0, 1), 3);
  expect(details.per_class[2]).toEqual({
    samples: 0,
    recall: null,
    precision: null,
    f1: null,
    auroc: null,
    average_precision: null,
  });
  expect(scores).toMatchObject({ top1: 1, macro_f1: 1, auroc: 1, mean_average_precision: 1 });
  expect(areaUnderRoc(Float64Array.of(1, 1, 0), [true, false, false])).toBe(0.75);
  expect(averagePrecision(Float64Array.of(1, 1, 0), [true, false, true])).toBeCloseTo((0.5 + 2 / 3) / 2, 12);
});

it("of two classes, errors are told where those of both are equal", () => {
  const labels = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1);
  const rate = (...scores: readonly number[]) => equalErrorRate(Float64Array.from(scores), labels);
  expect(rate(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)).toBe(0);
  expect(rate(0.1, 0.2, 0.3, 0.75, 0.35, 0.6, 0.7, 0.8)).toBe(0.25);
  expect(rate(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)).toBe(0.5);
  // By scikit-learn: where roc_curve, joined by lines, has as many false alarms as misses.
  expect(rate(0.1, 0.65, 0.3, 0.75, 0.2, 0.6, 0.7, 0.8)).toBeCloseTo(0.5, 12);
  expect(rate(0.1, 0.2, 0.6, 0.6, 0.3, 0.6, 0.7, 0.8)).toBeCloseTo(1 / 3, 12);
  expect(equalErrorRate(Float64Array.of(1, 2), Int32Array.of(1, 1))).toBeNull();
  const two = measures(Float64Array.of(1, 0, 0, 1, 1, 0, 0, 2), Int32Array.of(0, 1, 1, 1), 2);
  expect(two.scores.equal_error_rate).toBeCloseTo(0.25, 12);
});

describe("few_shot", () => {
  it("gives mean and deviation of its draws, and takes all of a class that has fewer", async () => {
    const few = await fewShot.run({ shots: 3, draws: 6, l2: 10, ways: null }, train, test, plainRandom(2));
    const draws = few.details?.draws as readonly number[];
    const mean = draws.reduce((sum, one) => sum + one, 0) / 6;
    expect(few.scores.top1).toBeCloseTo(mean, 12);
    expect(few.scores.top1_deviation).toBeCloseTo(
      Math.sqrt(draws.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 5),
      12,
    );
    expect(new Set(draws).size).toBeGreaterThan(1);
    const more = await fewShot.run({ shots: 1000, draws: 2, l2: 10, ways: null }, train, test, plainRandom(2));
    expect(more.protocol).toMatch(/or all that it has \(\d+ of one\)/);
    expect(more.scores).toMatchObject({ top1_deviation: 0 });
  });
});

it("few_shot tells the classes of a draw apart from each other alone", async () => {
  const [all, two] = [null, 2].map((ways) =>
    fewShot.run({ shots: 3, draws: 6, l2: 10, ways }, train, test, plainRandom(2)),
  ) as [ReturnType<typeof fewShot.run>, ReturnType<typeof fewShot.run>];
  const [of, ofTwo] = [await all, await two];
  expect(ofTwo.scores.top1 as number).toBeGreaterThan(of.scores.top1 as number);
  expect(ofTwo.protocol).toContain(`2 of ${train.classes} classes, drawn anew`);
});

describe("attentive", () => {
  const { heads, classes, batch, rates, decay } = header.attentive;
  const [count, tokens, width] = recorded.shape("attentive/tokens") as readonly [number, number, number];
  const labels = recorded.values("attentive/labels") as Int32Array;
  const all: Features = {
    values: recorded.values("attentive/tokens") as Float32Array,
    labels,
    count,
    width,
    classes,
    tokens,
  };
  const weightsAt = (when: string) =>
    Object.fromEntries(
      ["query", "key", "value", "weight", "bias"].map((name) => [name, recorded.values(`attentive/${when}/${name}`)]),
    ) as unknown as AttentiveWeights;

  it("trains as PyTorch, weight by weight", () => {
    const trainer = attentiveTrainer({ classes, width, heads }, weightsAt("start"));
    const losses = rates.map((rate, step) => {
      const from = (step * batch) % count;
      return trainer.step(part(all, from, from + batch), rate, decay);
    });
    expect(relativeDifference(losses, recorded.values("attentive/losses"))).toBeLessThan(1e-10);
    for (const [name, value] of Object.entries(weightsAt("end"))) {
      expect(relativeDifference(trainer.weights[name as keyof AttentiveWeights], value), name).toBeLessThan(1e-9);
    }
    expect(relativeDifference(trainer.scores(all), recorded.values("attentive/scores"))).toBeLessThan(1e-9);
  });

  it("learns where to look, from chunks of any size", async () => {
    const passes = { samples: count, classes, width, tokens, train: () => chunks(all), test: () => chunks(all) };
    const p = {
      ...{ epochs: 40, batch: 16, heads: 3, lr: 0.02, weight_decay: 0, crop: [1, 1] as const, flip: 0 },
      warmup: { amount: 2, unit: "epochs" as const },
    };
    const { scores, protocol } = await attentive.runPasses(p, passes, plainRandom(1));
    expect(scores.top1).toBeGreaterThan(0.9);
    expect(protocol).toContain("a learned query of 3 heads over 5 tokens");
    await expect(attentive.runPasses({ ...p, heads: 5 }, passes, plainRandom(1))).rejects.toThrow("not divisible by 5");
  });
});

it("linear_crops is the linear probe on features that come in passes", async () => {
  const order: number[] = [];
  const passes = {
    ...{ samples: train.count, classes: train.classes, width: train.width, tokens: 1, test: () => chunks(test) },
    train: (epoch: number) => {
      order.push(epoch);
      return chunks(train);
    },
  };
  const p = {
    ...{ epochs: 5, batch: 64, lr: { value: 0.4, per: 256 }, optimizer: "sgd" as const },
    warmup: { amount: 1, unit: "epochs" as const },
  };
  const found = await linearCrops.runPasses({ ...p, crop: [0.08, 1], flip: 0.5 }, passes, plainRandom(1));
  expect(order).toEqual([0, 1, 2, 3, 4]);
  // The same training with the same weights in the same order of samples.
  const fixed = await linear.run(p, train, test, { ...plainRandom(1), integer: (below) => below - 1 });
  expect(found.scores).toEqual(fixed.scores);
  expect(found.protocol).toContain("crops of 8 to 100 % of the area and flips of 50 %, anew in each epoch: SGD");
});
