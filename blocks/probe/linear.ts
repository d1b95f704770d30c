/**
 * The linear probe of the MAE paper on features that are computed once: BatchNorm without scale and shift, one linear
 * layer, trained by LARS. The published protocol draws a new random crop of each image in each epoch; this one does not.
 */

import { shuffled } from "../../graph/index.js";
import { choice, type DurationValue, duration, int, optional, type RateValue, rate } from "../params.js";
import { accuracy, type Classifier, classScores, unstandardized } from "./classifier.js";
import { defineProbe, type Features, pause } from "./contract.js";
import { rowProducts, weightedRows } from "./products.js";

const momentumDecay = 0.9;
/** LARS: size of an update beside the size of the weights, at learning rate 1. */
const trustFactor = 0.001;
const normEpsilon = 1e-6;
/** Share of a batch's statistics in the running ones, as torch.nn.BatchNorm1d. */
const normMomentum = 0.1;
const startDeviation = 0.01;

/**
 * The paper's 0.1 per 256 is 6.4 at its batch of 16384. A step of LARS moves the weights by their own length times the
 * rate times 0.001, whatever the batch, so with smaller sets and batches the rate stays and is not scaled down.
 */
const usualRate: Readonly<Record<"lars" | "sgd", RateValue>> = {
  lars: { value: 6.4, per: null },
  sgd: { value: 0.1, per: 256 },
};

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
      protocol: protocolOf(settings, stepsPerEpoch, train.count, test.count),
    };
  },
});

const epochsOf = (time: DurationValue, stepsPerEpoch: number): number =>
  time.unit === "epochs" ? time.amount : time.amount / stepsPerEpoch;

function protocolOf(settings: HeadSettings, stepsPerEpoch: number, train: number, test: number): string {
  const { optimizer, epochs, batch, peak, warmup } = settings;
  return (
    `BatchNorm (no scale, no shift) and a linear layer (MAE) on fixed features without augmentation: ` +
    `${optimizer === "lars" ? "LARS" : "SGD"}, momentum ${momentumDecay}, peak learning rate ${Number(peak.toPrecision(4))}, ` +
    `batch ${batch}, ${epochs} epochs (${epochs * stepsPerEpoch} steps), ${Number(warmup.toPrecision(4))} of warm-up, ` +
    `cosine to zero; ${train} training and ${test} test samples`
  );
}

export interface HeadSettings {
  readonly optimizer: "lars" | "sgd";
  readonly epochs: number;
  /** At most the number of samples. What is left of an epoch after whole batches is dropped. */
  readonly batch: number;
  /** Peak learning rate. */
  readonly peak: number;
  /** In epochs. */
  readonly warmup: number;
}

/** A trained head, with the running statistics of its BatchNorm. */
export interface Head extends Classifier {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** Cross entropy of each step, before its update. */
  readonly losses: Float64Array;
}

export const classifierOf = (head: Head): Classifier =>
  unstandardized(
    head,
    head.mean,
    head.variance.map((variance) => Math.sqrt(variance + normEpsilon)),
  );

function learningRate({ peak, warmup, epochs }: HeadSettings, epoch: number): number {
  if (epoch < warmup) return (peak * epoch) / warmup;
  return (peak * (1 + Math.cos((Math.PI * (epoch - warmup)) / (epochs - warmup)))) / 2;
}

/** Trains from the weights `start` [classes, width] and zero bias; `orderOf` gives the samples of an epoch in order. */
export async function trainHead(
  train: Features,
  settings: HeadSettings,
  start: Float64Array,
  orderOf: (epoch: number) => Int32Array,
  tick?: (done: number, total: number) => void,
): Promise<Head> {
  const { batch, epochs, optimizer } = settings;
  const { width, classes } = train;
  const steps = Math.floor(train.count / batch);
  const head: Head = {
    weight: start.slice(),
    bias: new Float64Array(classes),
    mean: new Float64Array(width),
    variance: new Float64Array(width).fill(1),
    losses: new Float64Array(epochs * steps),
  };
  const weightMomentum = new Float64Array(classes * width);
  const biasMomentum = new Float64Array(classes);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = orderOf(epoch);
    for (let i = 0; i < steps; i++) {
      const rate = learningRate(settings, epoch + i / steps);
      const rows = order.subarray(i * batch, (i + 1) * batch);
      const normal = normalized(train, rows, head);
      const { slope, loss } = crossEntropy(head, normal, train, rows);
      head.losses[epoch * steps + i] = loss;
      const weightGradient = weightedRows(slope, classes, normal, batch, width, new Float64Array(classes * width));
      const biasGradient = Float64Array.from({ length: classes }, (_, k) =>
        sumOf(slope.subarray(k * batch, (k + 1) * batch)),
      );
      const trust = optimizer === "lars" ? trustOf(head.weight, weightGradient) : 1;
      descend(head.weight, weightGradient, weightMomentum, trust, rate);
      descend(head.bias, biasGradient, biasMomentum, 1, rate);
    }
    tick?.(epoch + 1, epochs);
    await pause();
  }
  return head;
}

/** A batch with mean 0 and variance 1 by feature [batch, width]; takes its statistics into the head's running ones. */
function normalized({ values, width }: Features, rows: Int32Array, head: Head): Float64Array {
  const count = rows.length;
  const normal = new Float64Array(count * width);
  const mean = new Float64Array(width);
  const variance = new Float64Array(width);
  for (let i = 0; i < count; i++) {
    const from = (rows[i] as number) * width;
    for (let j = 0; j < width; j++) {
      const value = values[from + j] as number;
      normal[i * width + j] = value;
      mean[j] = (mean[j] as number) + value / count;
    }
  }
  for (let at = 0; at < normal.length; ) {
    for (let j = 0; j < width; j++, at++) {
      const centred = (normal[at] as number) - (mean[j] as number);
      normal[at] = centred;
      variance[j] = (variance[j] as number) + (centred * centred) / count;
    }
  }
  const scale = variance.map((v) => 1 / Math.sqrt(v + normEpsilon));
  for (let at = 0; at < normal.length; ) {
    for (let j = 0; j < width; j++, at++) normal[at] = (normal[at] as number) * (scale[j] as number);
  }
  // The running variance is the unbiased one, as in PyTorch.
  const unbiased = count / (count - 1);
  for (let j = 0; j < width; j++) {
    head.mean[j] = running(head.mean[j] as number, mean[j] as number);
    head.variance[j] = running(head.variance[j] as number, (variance[j] as number) * unbiased);
  }
  return normal;
}

const running = (before: number, now: number): number => (1 - normMomentum) * before + normMomentum * now;

/** The mean cross entropy of a batch and its slope by class score, [classes, batch]. */
function crossEntropy(
  head: Head,
  normal: Float64Array,
  { labels, width, classes }: Features,
  rows: Int32Array,
): { readonly slope: Float64Array; readonly loss: number } {
  const count = rows.length;
  const scores = rowProducts(normal, count, head.weight, classes, width, new Float64Array(count * classes));
  const slope = new Float64Array(classes * count);
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const own = scores.subarray(i * classes, (i + 1) * classes);
    let largest = -Infinity;
    for (let k = 0; k < classes; k++) {
      own[k] = (own[k] as number) + (head.bias[k] as number);
      largest = Math.max(largest, own[k] as number);
    }
    const label = labels[rows[i] as number] as number;
    const total = own.reduce((sum, score) => sum + Math.exp(score - largest), 0);
    loss += largest + Math.log(total) - (own[label] as number);
    for (let k = 0; k < classes; k++) {
      const probability = Math.exp((own[k] as number) - largest) / total;
      slope[k * count + i] = (probability - (k === label ? 1 : 0)) / count;
    }
  }
  return { slope, loss: loss / count };
}

/** LARS's factor on a gradient; 1 where it or the weight is zero. */
function trustOf(weight: Float64Array, gradient: Float64Array): number {
  const [size, slope] = [lengthOf(weight), lengthOf(gradient)];
  return size > 0 && slope > 0 ? (trustFactor * size) / slope : 1;
}

const lengthOf = (vector: Float64Array): number => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));

const sumOf = (vector: Float64Array): number => vector.reduce((sum, x) => sum + x, 0);

/** momentum <- 0.9 momentum + trust gradient; weight <- weight - rate momentum */
function descend(
  weight: Float64Array,
  gradient: Float64Array,
  momentum: Float64Array,
  trust: number,
  rate: number,
): void {
  for (let i = 0; i < weight.length; i++) {
    const next = momentumDecay * (momentum[i] as number) + trust * (gradient[i] as number);
    momentum[i] = next;
    weight[i] = (weight[i] as number) - rate * next;
  }
}
