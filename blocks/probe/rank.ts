/** The effective rank: in how many directions the features spread. Needs no labels. */

import { shuffled } from "../../graph/index.js";
import { int } from "../params.js";
import { defineProbe, type Features, pause } from "./contract.js";
import { eigenvalues } from "./eigenvalues.js";
import { addGram, mirror, samplesAtOnce } from "./products.js";

/** Sides of a matrix whose eigenvalues are found in seconds. */
const largestSide = 2048;

export const rank = defineProbe({
  name: "rank",
  summary: "The effective rank of the training features: the exponential of the entropy of their singular values.",
  source:
    "Roy and Vetterli, The Effective Rank, EUSIPCO 2007; Garrido et al., RankMe, ICML 2023 (without its constant in the logarithm)",
  since: "0.1",
  params: {
    samples: int({ min: 2, default: 25_600, doc: "Training samples looked at, at most, drawn at random." }),
  },
  needs: "images",
  scale: "number",
  async run(p, train, _, random, tick) {
    const wanted = Math.min(train.count, p.samples);
    // Of two large sides one is cut: products of samples are as good as products of features.
    const count = train.width > largestSide ? Math.min(wanted, largestSide) : wanted;
    const rows = shuffled(train.count, random).subarray(0, count);
    const side = Math.min(count, train.width);
    const products = await gram(train, rows, tick);
    const singular = eigenvalues(products, side).map((value) => Math.sqrt(Math.max(value, 0)));
    return {
      scores: { effective_rank: effectiveRank(singular) },
      protocol: `exp of the entropy of the singular values of ${count} training samples' features, not centred; at most ${side}`,
    };
  },
});

/** exp(-sum p ln p) with p the singular values divided by their sum; 0 where all of them are. */
export function effectiveRank(singular: Float64Array): number {
  const sum = singular.reduce((total, value) => total + value, 0);
  if (sum === 0) return 0;
  const entropy = singular.reduce(
    (total, value) => (value > 0 ? total - (value / sum) * Math.log(value / sum) : total),
    0,
  );
  return Math.exp(entropy);
}

/** Products of the features with each other, or of the samples where there are fewer of them: equal but for zeros. */
async function gram(
  { values, width }: Features,
  rows: Int32Array,
  tick?: (done: number, total: number) => void,
): Promise<Float64Array> {
  const fewSamples = rows.length < width;
  const [side, depth] = fewSamples ? [rows.length, width] : [width, rows.length];
  const products = new Float64Array(side * side);
  for (let start = 0; start < depth; start += samplesAtOnce) {
    const size = Math.min(samplesAtOnce, depth - start);
    // [side, size]: products of rows are what is wanted.
    const block = Float64Array.from({ length: side * size }, (_, at) => {
      const [i, t] = [Math.floor(at / size), start + (at % size)];
      const [row, column] = fewSamples ? [i, t] : [t, i];
      return values[(rows[row] as number) * width + column] as number;
    });
    addGram(block, side, size, products);
    tick?.(Math.min(start + samplesAtOnce, depth), depth);
    await pause();
  }
  mirror(products, side);
  return products;
}
