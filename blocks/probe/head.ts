/**
 * What trained probes share: BatchNorm without scale and shift, a linear layer, and their training by LARS or SGD along a warm-up
 * and a half cosine, in float64.
 */

import type { Random } from "../../graph/index.js";
import type { Requirement } from "../block.js";
import {
  choice,
  type DurationValue,
  duration,
  optional,
  type Param,
  type RateValue,
  rate,
  type ValuesOf,
} from "../params.js";
import { type Classifier, unstandardized } from "./classifier.js";
import type { Features } from "./contract.js";
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

export const warmup = duration({
  default: { amount: 10, unit: "epochs" },
  doc: "The learning rate rises from zero for this long, then falls to zero along a half cosine.",
});

export const warmupEnds: Requirement<
  { readonly warmup: Param<DurationValue>; readonly epochs: Param<number> },
  unknown
> = {
  name: "warmup",
  at: "warmup",
  doc: "The warm-up ends before training does.",
  holds: (p) => p.warmup.unit !== "epochs" || p.warmup.amount < p.epochs,
  say: (p) => `a warm-up of ${p.warmup.amount} epochs leaves nothing of ${p.epochs} epochs`,
  help: (p) => `a ninth of them is usual: ${Math.floor(p.epochs / 9)} epochs`,
};

/** Parameters of how a linear head is trained. */
export const headParams = {
  lr: optional(
    rate({ doc: "Peak learning rate; if absent, 6.4 for lars, as the paper comes to, and 0.1 per 256 for sgd." }),
  ),
  warmup,
  optimizer: choice({
    default: "lars",
    options: { lars: "Steps in proportion to the weights' size.", sgd: "Plain steps." },
    doc: "Both with momentum 0.9 and without weight decay.",
  }),
};

type HeadValues = ValuesOf<typeof headParams> & { readonly epochs: number; readonly batch: number };

/** How a head is trained on so many samples. */
export function settingsFor(
  p: HeadValues,
  samples: number,
): { readonly settings: HeadSettings; readonly stepsPerEpoch: number } {
  const { optimizer, epochs } = p;
  const batch = Math.min(p.batch, samples);
  const stepsPerEpoch = Math.floor(samples / batch);
  const { value, per } = p.lr ?? usualRate[optimizer];
  const peak = per === null ? value : (value * batch) / per;
  return { settings: { optimizer, epochs, batch, peak, warmup: epochsOf(p.warmup, stepsPerEpoch) }, stepsPerEpoch };
}

/** Weights [classes, width] that training begins with. */
export const startOf = ({ classes, width }: Pick<Features, "classes" | "width">, random: Random): Float64Array =>
  Float64Array.from({ length: classes * width }, () => startDeviation * random.normal());

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
  /** Cross entropy of each step, before its update; where samples have several classes, the binary one. */
  readonly losses: Float64Array;
}

export const classifierOf = (head: Head): Classifier =>
  unstandardized(
    head,
    head.mean,
    head.variance.map((variance) => Math.sqrt(variance + normEpsilon)),
  );

/** Rises from zero, then falls to zero along a half cosine. */
export function learningRate(
  { peak, warmup, epochs }: Pick<HeadSettings, "peak" | "warmup" | "epochs">,
  epoch: number,
): number {
  if (epoch < warmup) return (peak * epoch) / warmup;
  return (peak * (1 + Math.cos((Math.PI * (epoch - warmup)) / (epochs - warmup)))) / 2;
}

export interface HeadTrainer {
  /** One update with some rows of the features, at a time of training counted in epochs. */
  readonly step: (features: Features, rows: Int32Array, epoch: number) => void;
  readonly head: () => Head;
}

/** A head that begins with the weights `start` [classes, width] and zero bias. */
export function headTrainer(
  { width, classes }: Pick<Features, "width" | "classes">,
  settings: HeadSettings,
  start: Float64Array,
): HeadTrainer {
  const statistics = batchStatistics(width);
  const weight = start.slice();
  const bias = new Float64Array(classes);
  const weightMomentum = new Float64Array(classes * width);
  const biasMomentum = new Float64Array(classes);
  const losses: number[] = [];
  return {
    step(features, rows, epoch) {
      const batch = rows.length;
      const rate = learningRate(settings, epoch);
      const normal = statistics.normalize(rowsOf(features, rows), batch);
      const { slope, loss } = crossEntropy(scoresOf({ weight, bias }, normal, batch), features, rows);
      losses.push(loss);
      const weightGradient = weightedRows(slope, classes, normal, batch, width, new Float64Array(classes * width));
      const biasGradient = Float64Array.from({ length: classes }, (_, k) =>
        sumOf(slope.subarray(k * batch, (k + 1) * batch)),
      );
      const trust = settings.optimizer === "lars" ? trustOf(weight, weightGradient) : 1;
      descend(weight, weightGradient, weightMomentum, trust, rate);
      descend(bias, biasGradient, biasMomentum, 1, rate);
    },
    head: () => ({
      weight,
      bias,
      mean: statistics.mean,
      variance: statistics.variance,
      losses: Float64Array.from(losses),
    }),
  };
}

/** The rows as numbers [rows.length, length of a sample]. */
export function rowsOf({ values, width, tokens = 1 }: Features, rows: Int32Array): Float64Array {
  const length = tokens * width;
  const taken = new Float64Array(rows.length * length);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * length;
    for (let j = 0; j < length; j++) taken[i * length + j] = values[from + j] as number;
  }
  return taken;
}

export interface BatchStatistics {
  /** Running, as BatchNorm keeps them. */
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** Gives vectors [count, width] mean 0 and variance 1 by feature, in place; takes their statistics into the running ones. */
  readonly normalize: (vectors: Float64Array, count: number) => Float64Array;
  /** The same by the running statistics, as in evaluation. */
  readonly apply: (vectors: Float64Array) => Float64Array;
}

/** BatchNorm without scale and shift, as torch.nn.BatchNorm1d. */
export function batchStatistics(width: number): BatchStatistics {
  const running = { mean: new Float64Array(width), variance: new Float64Array(width).fill(1) };
  return {
    ...running,
    normalize(vectors, count) {
      const mean = new Float64Array(width);
      const variance = new Float64Array(width);
      for (let at = 0; at < vectors.length; ) {
        for (let j = 0; j < width; j++, at++) mean[j] = (mean[j] as number) + (vectors[at] as number) / count;
      }
      for (let at = 0; at < vectors.length; ) {
        for (let j = 0; j < width; j++, at++) {
          const centred = (vectors[at] as number) - (mean[j] as number);
          variance[j] = (variance[j] as number) + (centred * centred) / count;
        }
      }
      // The running variance is the unbiased one, as in PyTorch.
      const unbiased = count / (count - 1);
      for (let j = 0; j < width; j++) {
        running.mean[j] = moved(running.mean[j] as number, mean[j] as number);
        running.variance[j] = moved(running.variance[j] as number, (variance[j] as number) * unbiased);
      }
      return scaled(vectors, mean, variance);
    },
    apply: (vectors) => scaled(vectors, running.mean, running.variance),
  };
}

const moved = (before: number, now: number): number => (1 - normMomentum) * before + normMomentum * now;

/** (x - mean) / deviation by feature, in place. */
function scaled(vectors: Float64Array, mean: Float64Array, variance: Float64Array): Float64Array {
  const width = mean.length;
  const scale = variance.map((v) => 1 / Math.sqrt(v + normEpsilon));
  for (let at = 0; at < vectors.length; ) {
    for (let j = 0; j < width; j++, at++) {
      vectors[at] = ((vectors[at] as number) - (mean[j] as number)) * (scale[j] as number);
    }
  }
  return vectors;
}

/** Scores [count, classes] of vectors [count, width]. */
export function scoresOf({ weight, bias }: Classifier, vectors: Float64Array, count: number): Float64Array {
  const classes = bias.length;
  const scores = new Float64Array(count * classes);
  rowProducts(vectors, count, weight, classes, vectors.length / count, scores);
  for (let at = 0; at < scores.length; at++) scores[at] = (scores[at] as number) + (bias[at % classes] as number);
  return scores;
}

/**
 * The mean cross entropy of scores [count, classes] of some rows and its slope by class score, [classes, count]. Where samples have several
 * classes, the mean binary one over samples and classes.
 */
export function crossEntropy(
  scores: Float64Array,
  { labels, several, classes }: Pick<Features, "labels" | "several" | "classes">,
  rows: Int32Array,
): { readonly slope: Float64Array; readonly loss: number } {
  if (several) return binaryCrossEntropy(scores, several, classes, rows);
  const count = rows.length;
  const slope = new Float64Array(classes * count);
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const own = scores.subarray(i * classes, (i + 1) * classes);
    const largest = own.reduce((most, score) => Math.max(most, score), -Infinity);
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

/** As torch's binary_cross_entropy_with_logits. */
function binaryCrossEntropy(
  scores: Float64Array,
  several: Uint8Array,
  classes: number,
  rows: Int32Array,
): { readonly slope: Float64Array; readonly loss: number } {
  const count = rows.length;
  const slope = new Float64Array(classes * count);
  let loss = 0;
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < classes; k++) {
      const score = scores[i * classes + k] as number;
      const wanted = several[(rows[i] as number) * classes + k] as number;
      // log(1 + e^x) without overflow.
      loss += Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - wanted * score;
      slope[k * count + i] = (1 / (1 + Math.exp(-score)) - wanted) / scores.length;
    }
  }
  return { slope, loss: loss / scores.length };
}

/** LARS's factor on a gradient; 1 where it or the weight is zero. */
function trustOf(weight: Float64Array, gradient: Float64Array): number {
  const [size, slope] = [lengthOf(weight), lengthOf(gradient)];
  return size > 0 && slope > 0 ? (trustFactor * size) / slope : 1;
}

const lengthOf = (vector: Float64Array): number => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));

export const sumOf = (vector: Float64Array): number => vector.reduce((sum, x) => sum + x, 0);

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

export const epochsOf = (time: DurationValue, stepsPerEpoch: number): number =>
  time.unit === "epochs" ? time.amount : time.amount / stepsPerEpoch;

/** How a head was trained, in words. */
export function trainingWords(settings: HeadSettings, stepsPerEpoch: number, train: number, test: number): string {
  const { optimizer, epochs, batch, peak, warmup } = settings;
  return (
    `${optimizer === "lars" ? "LARS" : "SGD"}, momentum ${momentumDecay}, peak learning rate ${Number(peak.toPrecision(4))}, ` +
    `batch ${batch}, ${epochs} epochs (${epochs * stepsPerEpoch} steps), ${Number(warmup.toPrecision(4))} of warm-up, ` +
    `cosine to zero; ${train} training and ${test} test samples`
  );
}
