/** The linear probe of the MAE paper as it was published: every image is cut and mirrored anew in each epoch. */

import { choice, duration, int, optional, rate } from "../params.js";
import { accuracy, classScores } from "./classifier.js";
import { definePassProbe, pause } from "./contract.js";
import {
  classifierOf,
  epochsOf,
  type HeadSettings,
  headTrainer,
  startDeviation,
  trainingWords,
  usualRate,
} from "./head.js";
import { everyRow, inBatches, judgedInTurn, viewParams, viewsOf, viewWords } from "./views.js";

export const linearCrops = definePassProbe({
  name: "linear_crops",
  summary: "The linear probe of MAE as published: features of new random crops and flips in each epoch.",
  source: 'He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022, A.1, and its official code',
  since: "0.1",
  params: {
    epochs: int({ min: 1, default: 90, doc: "Passes over the training images; 50 suffice for ViT-L and ViT-H." }),
    batch: int({ min: 2, default: 16_384, doc: "Samples of a step, or all there are." }),
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
    ...viewParams,
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
  views: viewsOf,
  async runPasses(p, passes, random, tick) {
    const { samples, classes, width } = passes;
    const batch = Math.min(p.batch, samples);
    const stepsPerEpoch = Math.floor(samples / batch);
    const { value, per } = p.lr ?? usualRate[p.optimizer];
    const settings: HeadSettings = {
      optimizer: p.optimizer,
      epochs: p.epochs,
      batch,
      peak: per === null ? value : (value * batch) / per,
      warmup: epochsOf(p.warmup, stepsPerEpoch),
    };
    const start = Float64Array.from({ length: classes * width }, () => startDeviation * random.normal());
    const trainer = headTrainer(passes, settings, start);
    for (let epoch = 0; epoch < p.epochs; epoch++) {
      let step = 0;
      for await (const features of inBatches(passes.train(epoch), batch)) {
        trainer.step(features, everyRow(features), epoch + step / stepsPerEpoch);
        step++;
      }
      tick?.(epoch + 1, p.epochs);
      await pause();
    }
    const classifier = classifierOf(trainer.head());
    const { scores, labels } = await judgedInTurn(passes.test(), (features) => classScores(classifier, features));
    return {
      scores: accuracy(scores, labels, classes),
      protocol:
        `BatchNorm (no scale, no shift) and a linear layer (MAE) on features of ${viewWords(p)}, anew in each epoch: ` +
        trainingWords(settings, stepsPerEpoch, samples, labels.length),
    };
  },
});
