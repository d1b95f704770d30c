/**
 * The linear probe of the MAE paper on features that are computed once: BatchNorm without scale and shift, one linear
 * layer, trained by LARS. The published protocol draws a new random crop of each image in each epoch; `linear-crops.ts` does.
 */

import { shuffled } from "../../graph/index.js";
import { int } from "../params.js";
import { classScores } from "./classifier.js";
import { defineProbe, type Features, pause } from "./contract.js";
import {
  classifierOf,
  type Head,
  type HeadSettings,
  headParams,
  headTrainer,
  settingsFor,
  startOf,
  trainingWords,
  warmupEnds,
} from "./head.js";
import { worthOf } from "./measures.js";

export const linear = defineProbe({
  name: "linear",
  summary: "BatchNorm without scale and shift and one linear layer, trained on fixed features.",
  source: 'He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022, A.1; You et al., 2017 (LARS)',
  since: "0.1",
  params: {
    epochs: int({ min: 1, default: 90, doc: "Passes over the training features." }),
    batch: int({ min: 2, default: 1024, doc: "Samples of a step; the paper has 16384 of ImageNet's 1.3 million." }),
    ...headParams,
  },
  several: true,
  requires: [warmupEnds],
  async run(p, train, test, random, tick) {
    const { settings, stepsPerEpoch } = settingsFor(p, train.count);
    const start = startOf(train, random);
    const head = await trainHead(train, settings, start, () => shuffled(train.count, random), tick);
    return {
      scores: worthOf(classScores(classifierOf(head), test), test, "logits"),
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
