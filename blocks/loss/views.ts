/** Losses between views of a sample: with each other, or with what a teacher makes of others. */

import type { Requirement } from "../block.js";
import {
  centreParameters,
  meanSquaredError,
  ntXent as ntXentLayer,
  patchDistillation,
  queueContrast as queueContrastLayer,
  queueParameters,
  selfDistillation as selfDistillationLayer,
  takeTokens,
  viewContrast as viewContrastLayer,
  weightedSum,
} from "../nn/index.js";
import { choice, int, type Param, type Params, ratio, real, schedule } from "../params.js";
import { curveOptions, valueAt } from "../progress.js";
import { comparedFrom } from "../sources.js";
import { defineLoss, type JudgedTargets, lossWeight, type Standing, type ViewInputs } from "./contract.js";

const standings = {
  class_token: "The class token.",
  mean: "The mean of its patches' tokens.",
};

const on = choice({ default: "class_token", options: standings, doc: "What stands for a view." });

const temperatureOf = (value: number) =>
  real({ min: 0, openMin: true, default: value, doc: "What cosines are divided by." });

const classToken: Requirement<{ readonly on: Param<string> } & Params, JudgedTargets> = {
  name: "class-token",
  at: "on",
  doc: "The encoder has a class token where that stands for a view.",
  holds: (p, { extraTokens }) => p.on !== "class_token" || extraTokens === null || extraTokens > 0,
  say: () => "the encoder has no class token",
  help: () => "use `on: mean`, or an encoder with a class token",
};

/** What student and teacher make of the streams that they see. */
const compared = ({ streams, student, taught }: ViewInputs, standing: Standing) => {
  const told = streams.filter(({ isTaught }) => isTaught);
  const views = told.reduce((sum, { count }) => sum + count, 0);
  return streams.map(({ name, count, isTaught }) => ({
    count,
    // A view is not compared with itself: the student need not see the only one that is taught.
    ...(isTaught && views === 1 ? {} : { student: student(name, standing) }),
    ...(isTaught ? { taught: taught(name, standing) } : {}),
  }));
};

export const ntXent = defineLoss({
  name: "nt_xent",
  summary: "How surely each view finds the others of its sample among all views of the batch.",
  source: "Chen et al., A Simple Framework for Contrastive Learning of Visual Representations (SimCLR), ICML 2020",
  since: "0.2",
  params: { temperature: temperatureOf(0.1), on, of: comparedFrom, weight: lossWeight },
  requires: [classToken],
  acrossSamples: true,
  compares: "views",
  weight: (p) => p.weight,
  build(code, p, { views }) {
    const { streams, student } = views as ViewInputs;
    const seen = streams.map(({ name, count }) => ({ count, x: student(name, p.on) }));
    return code.let("contrast", ntXentLayer, seen, { temperature: p.temperature });
  },
});

export const viewContrast = defineLoss({
  name: "view_contrast",
  summary:
    "How surely each view finds what a teacher makes of the other views of its sample, among those of the batch.",
  source: "Chen, Xie and He, An Empirical Study of Training Self-Supervised Vision Transformers (MoCo v3), ICCV 2021",
  since: "0.2",
  params: { temperature: temperatureOf(0.2), on, of: comparedFrom, weight: lossWeight },
  requires: [classToken],
  acrossSamples: true,
  compares: "views",
  taught: true,
  weight: (p) => p.weight,
  build: (code, p, { views }) =>
    code.let("contrast", viewContrastLayer, compared(views as ViewInputs, p.on), { temperature: p.temperature }),
});

export const queueContrast = defineLoss({
  name: "queue_contrast",
  summary:
    "How surely each view finds what a teacher makes of the other views of its sample, among what it made of past batches.",
  source:
    "He et al., Momentum Contrast for Unsupervised Visual Representation Learning (MoCo), CVPR 2020; Chen et al., Improved Baselines with Momentum Contrastive Learning (MoCo v2), 2020",
  since: "0.2",
  params: {
    queue: int({
      min: 1,
      max: 16_777_216,
      default: 65_536,
      doc: "Vectors of past batches among which a view finds its own: those of the teacher, the oldest of which leave for those of each batch.",
    }),
    temperature: temperatureOf(0.2),
    on,
    of: comparedFrom,
    weight: lossWeight,
  },
  requires: [classToken],
  compares: "views",
  taught: true,
  weight: (p) => p.weight,
  parameters: (p, { encoderWidth }) => ({ queue: queueParameters(p.queue, encoderWidth) }),
  build: (code, p, { views }, w) =>
    code.let("contrast", queueContrastLayer, compared(views as ViewInputs, p.on), w, { temperature: p.temperature }),
});

export const consistency = defineLoss({
  name: "consistency",
  summary:
    "Mean squared error between what is predicted of a view and what a teacher predicts of another, where the former is hidden.",
  source: "Pei et al., VideoMAC: Video Masked Autoencoders Meet ConvNets, CVPR 2024, section 3",
  since: "0.2",
  params: { weight: lossWeight },
  compares: "views",
  taught: true,
  ofPredictions: true,
  weight: (p) => p.weight,
  build(code, _, { views }) {
    const { streams, predicted, hidden } = views as ViewInputs;
    const masked = streams.filter(({ isMasked }) => isMasked);
    const own = masked.filter(({ isTaught }) => !isTaught);
    const errors = own.flatMap(({ name }) =>
      masked
        .filter(({ isTaught }) => isTaught)
        .flatMap((other) =>
          predicted(name).map((prediction, i) => {
            const said = code.let("said", takeTokens, prediction, hidden(name));
            const told = code.let("told", takeTokens, predicted(other.name)[i], hidden(name));
            return code.let("consistency", meanSquaredError, said, told);
          }),
        ),
    );
    const [only, another] = errors;
    if (only && !another) return only;
    return code.let(
      "consistency",
      weightedSum,
      errors.map((error) => [1 / errors.length, error]),
    );
  },
});

export const selfDistillation = defineLoss({
  name: "self_distillation",
  summary:
    "Cross-entropy between what a teacher says of a view and what the student says of the others, or of its hidden patches.",
  source:
    "Caron et al., Emerging Properties in Self-Supervised Vision Transformers (DINO), ICCV 2021; of patches: Zhou et al., iBOT, ICLR 2022",
  since: "0.2",
  params: {
    temperature: real({ min: 0, openMin: true, default: 0.1, doc: "What the student's logits are divided by." }),
    taught: schedule({
      of: "real",
      default: 0.04,
      doc: "What the teacher's logits are divided by; it may move during training.",
    }),
    curve: choice({
      default: "linear",
      options: curveOptions,
      doc: "How a `taught` that moves gets from one end to the other.",
    }),
    center: ratio({
      default: 0.9,
      doc: "What the centre keeps of itself at a step; the rest is the mean of the teacher's logits.",
    }),
    on: choice({
      default: "class_token",
      options: {
        ...standings,
        hidden: "Each patch that a mask hides from the student, beside what the teacher says of it.",
      },
      doc: "What stands for a view.",
    }),
    of: comparedFrom,
    weight: lossWeight,
  },
  requires: [classToken],
  acrossSamples: true,
  compares: "views",
  taught: true,
  weight: (p) => p.weight,
  moving: (p) => ({ taught: (progress) => valueAt(p.taught, p.curve, progress) }),
  parameters: (_, { encoderWidth }) => ({ center: centreParameters(encoderWidth) }),
  build(code, p, { views: inputs }, w) {
    const views = inputs as ViewInputs;
    const options = { temperature: p.temperature, keep: p.center };
    const { taught } = views.moving;
    if (p.on !== "hidden") {
      return code.let("distillation", selfDistillationLayer, compared(views, p.on), w, taught, options);
    }
    const masked = views.streams.filter(({ isMasked, isTaught }) => isMasked && isTaught);
    const streams = masked.map(({ name }) => ({
      student: views.student(name, "hidden"),
      taught: views.taught(name, "patches"),
      hidden: views.hidden(name),
    }));
    return code.let("distillation", patchDistillation, streams, w, taught, options);
  },
});
