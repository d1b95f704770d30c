/**
 * The linear probe of the MAE paper on features that are computed once: BatchNorm without scale and shift, one linear
 * layer, trained by LARS. The published protocol draws a new random crop of each image in each epoch; `linear-crops.ts` does.
 */

import { shuffled } from "../../graph/index.js";
import { choice, duration, int, optional, rate } from "../params.js";
import { accuracy, classScores } from "./classifier.js";
import { defineProbe, type Features, pause } from "./contract.js";
import {
  classifierOf,
  epochsOf,
  type Head,
  type HeadSettings,
  headTrainer,
  startDeviation,
  trainingWords,
  usualRate,
} from "./head.js";

export const linear = defineProbe({
  name: "linear",
  summary: "BatchNorm without scale and shift and one linear layer, trained on fixed features.",
  source: 'He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022, A.1; You et al., 2017 (LARS)',
  since: "0.1",
  params: {
    epochs: int({ min: 1, default: 90, doc: "Passes over the training features." }),
    batch: int({ min: 2, default: 1024, doc: "Samples of a step; the paper has 16384 of ImageNet's 1.3 million." }),
    lr: optional(
      rate({ doc: "Peak learning rate; if absent, 6.4 for lars, as the paper comes to, and 0.1 per 256 for sgd." }),
    ),
    warmup: duration({
      default: { amount: 10, unit: "epochs" },
      doc: "The learning rate rises from zero for this long, then falls to zero along a half cosine.",
    }),
    optimizer: choice({
      default: "lars",
      options: { lars: "Steps in proportion to the weights' size.", sgd: "Plain steps." },
      doc: "Both with momentum 0.9 and without weight decay.",
    }),
  },
  requires: [
    {
      name: "warmup",
      at: "warmup",
      doc: "The warm-up ends before training does.",
      holds: (p) => p.warmup.unit !== "epochs" || p.warmup.amount < p.epochs,
      say: (p) => `a warm-up of ${p.warmup.amount} epochs leaves nothing of ${p.epochs} epochs`,
      help: (p) => `a ninth of them is usual: ${Math.floor(p.epochs / 9)} epochs`,
    },
  ],
  async run(p, train, test, random, tick) {
    const batch = Math.min(p.batch, train.count);
    const { value, per } = p.lr ?? usualRate[p.optimizer];
    const peak = per === null ? value : (value * batch) / per;
    const stepsPerEpoch = Math.floor(train.count / batch);
    const settings: HeadSettings = {
      optimizer: p.optimizer,
      epochs: p.epochs,
      batch,
      peak,
      warmup: epochsOf(p.warmup, stepsPerEpoch),
    };
    const start = Float64Array.from({ length: train.classes * train.width }, () => startDeviation * random.normal());
    const head = await trainHead(train, settings, start, () => shuffled(train.count, random), tick);
    return {
      scores: accuracy(classScores(classifierOf(head), test), test.labels, test.classes),
      protocol:
        "BatchNorm (no scale, no shift) and a linear layer (MAE) on fixed features without augmentation: " +
        trainingWords(settings, stepsPerEpoch, train.count, test.count),
    };
  },
});

/** Trains from the weights `start` [classes, width] and zero bias; `orderOf` gives the samples of an epoch in order. */
export async function trainHead(
  train: Features,
  settings: HeadSettings,
  start: Float64Array,
  orderOf: (epoch: number) => Int32Array,
  tick?: (done: number, total: number) => void,
): Promise<Head> {
  const { batch, epochs } = settings;
  const steps = Math.floor(train.count / batch);
  const trainer = headTrainer(train, settings, start);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = orderOf(epoch);
    for (let i = 0; i < steps; i++) {
      trainer.step(train, order.subarray(i * batch, (i + 1) * batch), epoch + i / steps);
    }
    tick?.(epoch + 1, epochs);
    await pause();
  }
  return trainer.head();
}
