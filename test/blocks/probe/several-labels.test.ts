/** Samples of which each has any number of classes: measures as scikit-learn has them, the loss and the linear probe as PyTorch. */

import { describe, expect, test } from "vitest";
import { classBinaryCrossEntropy } from "../../../blocks/index.js";
import { classScores } from "../../../blocks/probe/classifier.js";
import { classifierOf } from "../../../blocks/probe/head.js";
import { type Features, isObjectProbe, linear, linearCrops, probes } from "../../../blocks/probe/index.js";
import { trainHead } from "../../../blocks/probe/linear.js";
import { severalMeasures } from "../../../blocks/probe/measures.js";
import { createBuilder, evaluate, gradients, type Tensor } from "../../../graph/index.js";
import recorded from "../../reference/several-labels.json" with { type: "json" };
import { plainRandom, relativeDifference } from "./fixture.js";

const { classes, width } = recorded;

const featuresOf = ({ values, flags }: { values: readonly number[]; flags: readonly number[] }): Features => {
  const count = flags.length / classes;
  const labels = new Int32Array(count).fill(-1);
  return { values: Float32Array.from(values), labels, several: Uint8Array.from(flags), count, width, classes };
};
const [trainSet, testSet] = [featuresOf(recorded.train), featuresOf(recorded.test)];
const scores = Float64Array.from(recorded.scores);

describe("measures of classes, each by itself", () => {
  test.each([
    ["plain", scores, recorded.measures],
    ["tied", scores.map((score) => Math.round(score)), recorded.tied],
  ] as const)("are scikit-learn's: %s", (_, values, { recall, precision, ...means }) => {
    const found = severalMeasures(values, testSet.several as Uint8Array, classes);
    expect(Object.keys(found.scores).sort()).toEqual(Object.keys(means).sort());
    for (const [name, mean] of Object.entries(means)) expect(found.scores[name], name).toBeCloseTo(mean, 10);
    for (const [k, own] of found.details.per_class.entries()) {
      expect(own.recall).toBeCloseTo(recall[k] as number, 12);
      expect(own.precision ?? 0).toBeCloseTo(precision[k] as number, 12);
    }
  });

  test("leave out a class that no sample has, and one that a head has beside those of the data", () => {
    const flags = Uint8Array.of(1, 0, 0, 0);
    const found = severalMeasures(Float64Array.of(2, -1, 9, -1, -2, 9), flags, 2, 3);
    expect(found.scores).toEqual({ mean_average_precision: 1, macro_f1: 1, auroc: 1 });
    expect(found.details.per_class).toHaveLength(2);
  });
});

test("the loss of classes and its slope are PyTorch's", () => {
  const g = createBuilder({ batch: testSet.count });
  const logits = g.input("logits", ["B", classes]);
  const labels = g.input("labels", ["B", classes]);
  const loss = classBinaryCrossEntropy(g, logits as Tensor<["B", number]>, labels as Tensor<["B", number]>);
  const [slope] = gradients(g, loss, [logits]);
  const graph = g.finish({ outputs: { loss, slope: slope as Tensor } });
  const { outputs } = evaluate(graph, { logits: scores, labels: Float64Array.from(recorded.test.flags) } as never);
  expect(outputs.loss?.[0]).toBeCloseTo(recorded.loss, 10);
  expect(relativeDifference(outputs.slope as Float64Array, recorded.slope)).toBeLessThan(1e-6);
});

describe("the linear probe", () => {
  test("trains as PyTorch by the binary cross-entropy", async () => {
    const order = Int32Array.from(recorded.order);
    const orderOf = (epoch: number) => order.subarray(epoch * trainSet.count, (epoch + 1) * trainSet.count);
    const settings = { optimizer: "sgd", ...recorded.settings } as const;
    const head = await trainHead(trainSet, settings, Float64Array.from(recorded.start), orderOf);
    expect(relativeDifference(head.losses, recorded.losses)).toBeLessThan(1e-10);
    expect(relativeDifference(classScores(classifierOf(head), testSet), recorded.scores)).toBeLessThan(1e-10);
  });

  test("gives the measures of classes, of features at once and in passes", async () => {
    const p = { epochs: 5, batch: 16, lr: null, warmup: { amount: 1, unit: "epochs" }, optimizer: "lars" } as const;
    const { scores: atOnce } = await linear.run(p, trainSet, testSet, plainRandom(0));
    const inParts = async function* (of: Features) {
      for (let from = 0; from < of.count; from += 24) {
        const to = Math.min(of.count, from + 24);
        const several = (of.several as Uint8Array).slice(from * classes, to * classes);
        const values = of.values.slice(from * width, to * width);
        yield { ...of, values, several, labels: of.labels.slice(from, to), count: to - from };
      }
    };
    const passes = {
      samples: trainSet.count,
      classes,
      width,
      tokens: 1,
      train: () => inParts(trainSet),
      test: () => inParts(testSet),
    };
    const { scores: inPasses } = await linearCrops.runPasses({ ...p, crop: [0.5, 1], flip: 0 }, passes, plainRandom(0));
    for (const found of [atOnce, inPasses]) {
      expect(Object.keys(found)).toEqual(["mean_average_precision", "macro_f1", "auroc"]);
      expect(found.auroc as number).toBeGreaterThan(0.6);
    }
  });
});

test("what judges objects sees predictions, so that nobody asks it of models without a head", () => {
  expect(probes.filter(isObjectProbe).map(({ sees }) => sees)).toEqual(["predictions"]);
});
