/** The linear probe of the MAE paper as it was published: every image is cut and mirrored anew in each epoch. */

import { hasPictures } from "../arrays.js";
import { int } from "../params.js";
import { classScores } from "./classifier.js";
import { definePassProbe, pause } from "./contract.js";
import { classifierOf, headParams, headTrainer, settingsFor, startOf, trainingWords, warmupEnds } from "./head.js";
import { everyRow, inBatches, judgedInTurn, viewParams, viewsOf, viewWords } from "./views.js";

export const linearCrops = definePassProbe({
  name: "linear_crops",
  summary: "The linear probe of MAE as published: features of new random crops and flips in each epoch.",
  source: 'He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022, A.1, and its official code',
  since: "0.1",
  params: {
    epochs: int({ min: 1, default: 90, doc: "Passes over the training images; 50 suffice for ViT-L and ViT-H." }),
    batch: int({ min: 2, default: 16_384, doc: "Samples of a step, or all there are." }),
    ...headParams,
    ...viewParams,
  },
  several: true,
  requires: [
    warmupEnds,
    {
      name: "pictures",
      at: null,
      doc: "Training images are cut and mirrored: the model reads pictures.",
      holds: (_, { arrays }) => arrays.some(hasPictures),
      say: () => "it cuts and mirrors images anew in each epoch, and the model reads none",
      help: () => "use `linear`, which goes over the samples once",
    },
  ],
  views: viewsOf,
  async runPasses(p, passes, random, tick) {
    const { samples, classes } = passes;
    const { settings, stepsPerEpoch } = settingsFor(p, samples);
    const trainer = headTrainer(passes, settings, startOf(passes, random));
    for (let epoch = 0; epoch < p.epochs; epoch++) {
      let step = 0;
      for await (const features of inBatches(passes.train(epoch), settings.batch)) {
        trainer.step(features, everyRow(features), epoch + step / stepsPerEpoch);
        step++;
      }
      tick?.(epoch + 1, p.epochs);
      await pause();
    }
    const classifier = classifierOf(trainer.head());
    const { scores, count } = await judgedInTurn(passes.test(), classes, (features) =>
      classScores(classifier, features),
    );
    return {
      scores,
      protocol:
        `BatchNorm (no scale, no shift) and a linear layer (MAE) on features of ${viewWords(p)}, anew in each epoch: ` +
        trainingWords(settings, stepsPerEpoch, samples, count),
    };
  },
});
