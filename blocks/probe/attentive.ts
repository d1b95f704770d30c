/**
 * The attentive probe: a learned query looks at all tokens of the frozen encoder, and one linear layer names the class of what it takes
 * from them. With one query, keys need not be computed token by token: a head's score of a token x is x . (K q) for its key matrix K
 * and query q, and what it takes is V applied to the weighted mean of tokens. The numbers are those of the plain form.
 */

import type { Random } from "../../graph/index.js";
import { invariant } from "../../graph/index.js";
import { DataError } from "../dataset/contract.js";
import { int, optional, real } from "../params.js";
import { definePassProbe, type Features, pause } from "./contract.js";
import {
  batchStatistics,
  crossEntropy,
  epochsOf,
  learningRate,
  rowsOf,
  scoresOf,
  sumOf,
  warmup,
  warmupEnds,
} from "./head.js";
import { weightedRows } from "./products.js";
import { everyRow, inBatches, judgedInTurn, viewParams, viewsOf, viewWords } from "./views.js";

const usualHeadWidth = 64;
/** Of torch.nn.init.trunc_normal_ and of the query, as official code has them. */
const startDeviation = 0.02;
const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];

export const attentive = definePassProbe({
  name: "attentive",
  summary: "A learned query that attends to all tokens of the frozen encoder, and a linear layer on what it takes.",
  source:
    "El-Nouby et al., Scalable Pre-training of Large Autoregressive Image Models, ICML 2024, and its official code; numbers of training: own definition",
  since: "0.1",
  params: {
    epochs: int({ min: 1, default: 90, doc: "Passes over the training images." }),
    batch: int({ min: 2, default: 1024, doc: "Samples of a step, or all there are." }),
    heads: optional(
      int({ min: 1, doc: "Parts of the query, each with its own attention; if absent, one for each 64 features." }),
    ),
    lr: real({ min: 0, openMin: true, default: 1e-3, doc: "Peak learning rate of AdamW." }),
    weight_decay: real({ min: 0, default: 0.05, doc: "Decay of the matrices." }),
    warmup,
    ...viewParams,
  },
  requires: [
    warmupEnds,
    {
      name: "heads-divide-width",
      at: "heads",
      doc: "The number of heads divides the features of a token.",
      holds: (p, { encoderWidth }) => p.heads === null || encoderWidth % p.heads === 0,
      say: (p, { encoderWidth }) => `${encoderWidth} features are not divisible by ${p.heads} heads`,
      help: () => "leave `heads` out, or take as many as the encoder has",
    },
  ],
  sees: "tokens",
  several: true,
  views: viewsOf,
  async runPasses(p, passes, random, tick) {
    const { samples, classes, width, tokens } = passes;
    const heads = p.heads ?? usualHeads(width);
    if (width % heads !== 0) {
      throw new DataError(
        `${width} features are not divisible by ${heads} heads`,
        "Leave `heads` out, or take as many as the encoder has.",
      );
    }
    const batch = Math.min(p.batch, samples);
    const stepsPerEpoch = Math.floor(samples / batch);
    const times = { peak: p.lr, warmup: epochsOf(p.warmup, stepsPerEpoch), epochs: p.epochs };
    const trainer = attentiveTrainer({ classes, width, heads }, startWeights({ classes, width }, random));
    for (let epoch = 0; epoch < p.epochs; epoch++) {
      let step = 0;
      for await (const features of inBatches(passes.train(epoch), batch)) {
        trainer.step(features, learningRate(times, epoch + step / stepsPerEpoch), p.weight_decay);
        step++;
      }
      tick?.(epoch + 1, p.epochs);
      await pause();
    }
    const { scores, count } = await judgedInTurn(passes.test(), classes, trainer.scores);
    return {
      scores,
      protocol:
        `a learned query of ${heads} heads over ${tokens} tokens behind BatchNorm (no scale, no shift), and a linear layer (AIM), on ` +
        `${viewWords(p)}, anew in each epoch: AdamW, peak learning rate ${p.lr}, weight decay ${p.weight_decay}, batch ${batch}, ` +
        `${p.epochs} epochs (${p.epochs * stepsPerEpoch} steps), ${Number(times.warmup.toPrecision(4))} of warm-up, cosine to zero; ` +
        `${samples} training and ${count} test samples`,
    };
  },
});

/** One for each 64 features, or the next number below that divides them. */
function usualHeads(width: number): number {
  let heads = Math.max(1, Math.floor(width / usualHeadWidth));
  while (width % heads !== 0) heads--;
  return heads;
}

interface Sizes {
  readonly classes: number;
  readonly width: number;
  readonly heads: number;
}

/** D features in `heads` parts of D / heads, K classes. */
export interface AttentiveWeights {
  /** [D] */
  readonly query: Float64Array;
  /** [D, D], a row for each output. */
  readonly key: Float64Array;
  readonly value: Float64Array;
  /** [K, D] */
  readonly weight: Float64Array;
  /** [K] */
  readonly bias: Float64Array;
}

function startWeights({ classes, width }: Pick<Sizes, "classes" | "width">, random: Random): AttentiveWeights {
  const drawn = (count: number) => Float64Array.from({ length: count }, () => startDeviation * random.normal());
  // As torch.nn.Linear begins, where it is not said otherwise.
  const even = (count: number) => {
    const most = 1 / Math.sqrt(width);
    return Float64Array.from({ length: count }, () => most * (2 * random.uniform() - 1));
  };
  return {
    query: drawn(width),
    key: even(width * width),
    value: even(width * width),
    weight: even(classes * width),
    bias: new Float64Array(classes),
  };
}

export interface AttentiveTrainer {
  readonly weights: AttentiveWeights;
  /** Gives the cross entropy before the update. */
  readonly step: (features: Features, rate: number, decay: number) => number;
  /** By the running statistics. */
  readonly scores: (features: Features) => Float64Array;
}

export function attentiveTrainer(sizes: Sizes, weights: AttentiveWeights): AttentiveTrainer {
  const { classes, width } = sizes;
  const statistics = batchStatistics(width);
  const updates = (["query", "key", "value", "weight", "bias"] as const).map((name) => ({
    name,
    // As in pre-training, matrices decay; the query and biases do not.
    isMatrix: name !== "query" && name !== "bias",
    update: adam(weights[name]),
  }));
  return {
    weights,
    step(features, rate, decay) {
      const { count, tokens } = features;
      invariant(tokens !== undefined, "tokens come one by one");
      const x = statistics.normalize(rowsOf(features, everyRow(features)), count * tokens);
      const seen = look(x, { count, tokens }, sizes, weights);
      const scores = scoresOf(weights, seen.taken, count);
      const { slope, loss } = crossEntropy(scores, features, everyRow(features));
      const slopes = {
        ...slopesOfLook(x, { count, tokens }, sizes, weights, seen, slope),
        weight: weightedRows(slope, classes, seen.taken, count, width, new Float64Array(classes * width)),
        bias: Float64Array.from({ length: classes }, (_, k) => sumOf(slope.subarray(k * count, (k + 1) * count))),
      };
      for (const { name, isMatrix, update } of updates) update(slopes[name], rate, isMatrix ? decay : 0);
      return loss;
    },
    scores(features) {
      const { count, tokens } = features;
      invariant(tokens !== undefined, "tokens come one by one");
      const x = statistics.apply(rowsOf(features, everyRow(features)));
      return scoresOf(weights, look(x, { count, tokens }, sizes, weights).taken, count);
    },
  };
}

interface Counts {
  readonly count: number;
  readonly tokens: number;
}

/** What the query sees of each sample. */
interface Seen {
  /** [heads, D]: the query as a direction among tokens. */
  readonly direction: Float64Array;
  /** [count, heads, tokens] */
  readonly shares: Float64Array;
  /** [count, heads, D]: means of tokens by these shares. */
  readonly means: Float64Array;
  /** [count, D]: values of the means. */
  readonly taken: Float64Array;
}

function look(x: Float64Array, { count, tokens }: Counts, { width, heads }: Sizes, w: AttentiveWeights): Seen {
  const part = width / heads;
  const direction = new Float64Array(heads * width);
  for (let o = 0; o < width; o++) {
    const h = Math.floor(o / part);
    const q = (w.query[o] as number) / Math.sqrt(part);
    for (let j = 0; j < width; j++)
      direction[h * width + j] = at(direction, h * width + j) + q * at(w.key, o * width + j);
  }
  const shares = new Float64Array(count * heads * tokens);
  const means = new Float64Array(count * heads * width);
  const taken = new Float64Array(count * width);
  for (let i = 0; i < count; i++) {
    for (let h = 0; h < heads; h++) {
      const own = shares.subarray((i * heads + h) * tokens, (i * heads + h + 1) * tokens);
      for (let n = 0; n < tokens; n++) own[n] = product(x, (i * tokens + n) * width, direction, h * width, width);
      softmax(own);
      const mean = means.subarray((i * heads + h) * width, (i * heads + h + 1) * width);
      for (let n = 0; n < tokens; n++) add(mean, at(own, n), x, (i * tokens + n) * width);
      for (let o = h * part; o < (h + 1) * part; o++)
        taken[i * width + o] = product(w.value, o * width, mean, 0, width);
    }
  }
  return { direction, shares, means, taken };
}

/** `slope`: of the class scores, [classes, count]. */
function slopesOfLook(
  x: Float64Array,
  { count, tokens }: Counts,
  { classes, width, heads }: Sizes,
  w: AttentiveWeights,
  { shares, means }: Seen,
  slope: Float64Array,
): Pick<AttentiveWeights, "query" | "key" | "value"> {
  const part = width / heads;
  const value = new Float64Array(width * width);
  const ofDirection = new Float64Array(heads * width);
  const ofTaken = new Float64Array(width);
  const ofMean = new Float64Array(width);
  const ofShares = new Float64Array(tokens);
  for (let i = 0; i < count; i++) {
    ofTaken.fill(0);
    for (let k = 0; k < classes; k++) add(ofTaken, at(slope, k * count + i), w.weight, k * width);
    for (let h = 0; h < heads; h++) {
      const from = (i * heads + h) * width;
      ofMean.fill(0);
      for (let o = h * part; o < (h + 1) * part; o++) {
        add(value.subarray(o * width, (o + 1) * width), at(ofTaken, o), means, from);
        add(ofMean, at(ofTaken, o), w.value, o * width);
      }
      const own = shares.subarray((i * heads + h) * tokens, (i * heads + h + 1) * tokens);
      for (let n = 0; n < tokens; n++) ofShares[n] = product(ofMean, 0, x, (i * tokens + n) * width, width);
      const mean = product(own, 0, ofShares, 0, tokens);
      const direction = ofDirection.subarray(h * width, (h + 1) * width);
      for (let n = 0; n < tokens; n++) {
        add(direction, at(own, n) * (at(ofShares, n) - mean), x, (i * tokens + n) * width);
      }
    }
  }
  const query = new Float64Array(width);
  const key = new Float64Array(width * width);
  for (let o = 0; o < width; o++) {
    const from = Math.floor(o / part) * width;
    query[o] = product(w.key, o * width, ofDirection, from, width) / Math.sqrt(part);
    add(key.subarray(o * width, (o + 1) * width), at(w.query, o) / Math.sqrt(part), ofDirection, from);
  }
  return { query, key, value };
}

const at = (numbers: Float64Array, i: number): number => numbers[i] as number;

function product(a: Float64Array, fromA: number, b: Float64Array, fromB: number, length: number): number {
  let sum = 0;
  for (let j = 0; j < length; j++) sum += (a[fromA + j] as number) * (b[fromB + j] as number);
  return sum;
}

/** to <- to + factor * as many numbers of `of` */
function add(to: Float64Array, factor: number, of: Float64Array, from: number): void {
  for (let j = 0; j < to.length; j++) to[j] = (to[j] as number) + factor * (of[from + j] as number);
}

/** In place. */
function softmax(scores: Float64Array): void {
  const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  let total = 0;
  for (let n = 0; n < scores.length; n++) {
    scores[n] = Math.exp(at(scores, n) - largest);
    total += at(scores, n);
  }
  for (let n = 0; n < scores.length; n++) scores[n] = at(scores, n) / total;
}

/** Adam with decoupled weight decay, as torch.optim.AdamW. */
function adam(weight: Float64Array): (slope: Float64Array, rate: number, decay: number) => void {
  const [first, second] = [new Float64Array(weight.length), new Float64Array(weight.length)];
  let step = 0;
  return (slope, rate, decay) => {
    step++;
    const [bias1, bias2] = [1 - beta1 ** step, 1 - beta2 ** step];
    for (let i = 0; i < weight.length; i++) {
      const g = at(slope, i);
      first[i] = beta1 * at(first, i) + (1 - beta1) * g;
      second[i] = beta2 * at(second, i) + (1 - beta2) * g * g;
      const size = Math.sqrt(at(second, i) / bias2) + epsilon;
      weight[i] = at(weight, i) * (1 - rate * decay) - (rate * (at(first, i) / bias1)) / size;
    }
  };
}
