/** Whether what a model makes of one input of a sample finds what it makes of another of the same sample. */

import { int, labels, optional } from "../params.js";
import { definePairProbe, type Features, pause } from "./contract.js";

/** So many of the nearest are looked at. */
const depths = [1, 5, 10] as const;

export const retrieval = definePairProbe({
  name: "retrieval",
  summary:
    "Recall at 1, 5 and 10: how often the other input of the same sample is among the nearest, by cosine similarity.",
  source: "Gong et al., Contrastive Audio-Visual Masked Autoencoder, ICLR 2023; Recall@K, Jegou et al., TPAMI 2011",
  since: "0.2",
  params: {
    between: optional(
      labels({
        parts: true,
        doc: "The two outputs that are compared, such as `[joint.audio, joint.image]`. If absent, those of the first two inputs alone.",
      }),
    ),
    samples: int({ min: 2, default: 1000, doc: "Test samples among which each is sought, at most, the first ones." }),
  },
  requires: [
    {
      name: "several-inputs",
      at: null,
      doc: "The model reads several inputs.",
      holds: (_, { arrays }) => arrays.length > 1,
      say: () => "the model reads one input, which has nothing to find",
      help: () => "judge its features, such as by `knn`",
    },
    {
      name: "two-outputs",
      at: "between",
      doc: "Two outputs are compared.",
      holds: ({ between }) => between === null || between.length === 2,
      say: ({ between }) => `\`between\` names ${between?.length}, and two are compared`,
      help: () => "write two, such as `between: [joint.audio, joint.image]`",
    },
  ],
  between: ({ between }) => between,
  samples: ({ samples }) => samples,
  async judgePairs(_, { names: [a, b], first, second }, tick) {
    const [there, back] = [await ranksOf(first, second, tick), await ranksOf(second, first, tick)];
    const recalls = (ranks: Int32Array): Record<string, number> =>
      Object.fromEntries(
        depths.map((depth) => [`recall_${depth}`, ranks.filter((rank) => rank < depth).length / ranks.length]),
      );
    const [ofFirst, ofSecond] = [recalls(there), recalls(back)];
    const means = depths.map((depth) => {
      const name = `recall_${depth}`;
      return [name, ((ofFirst[name] as number) + (ofSecond[name] as number)) / 2] as const;
    });
    return {
      scores: Object.fromEntries(means),
      protocol:
        `each of ${first.count} test samples sought among all of them, by the cosine similarity of means of tokens: the mean of both ways, ` +
        `from ${a} to ${b} ${percents(ofFirst)} among the nearest ${depths.join(", ")}, back ${percents(ofSecond)}; by lot ${percents(
          Object.fromEntries(depths.map((depth) => [depth, Math.min(1, depth / first.count)])),
        )}`,
      details: { [`${a} to ${b}`]: ofFirst, [`${b} to ${a}`]: ofSecond },
    };
  },
});

const percents = (shares: Readonly<Record<string, number>>): string =>
  `${Object.values(shares)
    .map((share) => (100 * share).toFixed(1))
    .join(", ")} %`;

/** Of each sample, how many of the others' vectors are nearer than its own; of equals, those before it count as nearer. */
async function ranksOf(
  asking: Features,
  asked: Features,
  tick?: (done: number, total: number) => void,
): Promise<Int32Array> {
  const [from, to] = [unit(asking), unit(asked)];
  const { width, count } = asking;
  const ranks = new Int32Array(count);
  const similarities = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += (from[i * width + k] as number) * (to[j * width + k] as number);
      similarities[j] = sum;
    }
    const own = similarities[i] as number;
    ranks[i] = similarities.reduce((nearer, other, j) => nearer + (other > own || (other === own && j < i) ? 1 : 0), 0);
    if (i % 64 === 0) {
      tick?.(i, count);
      await pause();
    }
  }
  return ranks;
}

/** Each vector divided by its length; one of zeros stays. */
function unit({ values, count, width }: Features): Float64Array {
  const units = Float64Array.from(values);
  for (let row = 0; row < count; row++) {
    const own = units.subarray(row * width, (row + 1) * width);
    const length = Math.hypot(...own);
    if (length > 0) for (let k = 0; k < width; k++) own[k] = (own[k] as number) / length;
  }
  return units;
}
