/** Weighted nearest neighbours on frozen features. Nothing is trained, so nothing but the features is judged. */

import { int, real } from "../params.js";
import { accuracy } from "./classifier.js";
import { defineProbe, type Features, pause } from "./contract.js";
import { rowProducts } from "./products.js";

/** Rows of test and of training features multiplied at once: two tiles that stay in the cache. */
const testRows = 48;
const trainRows = 480;
/** The least norm a feature is divided by, as torch.nn.functional.normalize. */
const leastNorm = 1e-12;

export const knn = defineProbe({
  name: "knn",
  summary: "Votes of the k most similar training features, weighted by their cosine similarity.",
  source: 'Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021; Wu et al., CVPR 2018',
  since: "0.1",
  params: {
    k: int({ min: 1, default: 20, doc: "Neighbours that vote." }),
    temperature: real({ min: 0, openMin: true, default: 0.07, doc: "A vote weighs exp(similarity / temperature)." }),
  },
  positional: "k",
  async run(p, train, test, _random, tick) {
    const k = Math.min(p.k, train.count);
    const votes = await neighbourVotes(train, test, k, p.temperature, tick);
    return {
      scores: accuracy(votes, test.labels, test.classes),
      protocol:
        `k nearest neighbours (DINO): k = ${k}, cosine similarity, votes exp(similarity / ${p.temperature}), ` +
        `${train.count} training and ${test.count} test samples, no augmentation`,
    };
  },
});

/** The most similar training rows found so far, best first. */
interface Nearest {
  readonly similarity: Float64Array;
  readonly row: Int32Array;
  found: number;
}

/**
 * Votes for each class [test.count, classes]; -Infinity where no neighbour is of the class.
 * Of equally similar training samples the earlier is the nearer.
 */
export async function neighbourVotes(
  train: Features,
  test: Features,
  k: number,
  temperature: number,
  tick?: (done: number, total: number) => void,
): Promise<Float64Array> {
  const { width } = train;
  const votes = new Float64Array(test.count * test.classes).fill(-Infinity);
  const testBlock = new Float64Array(testRows * width);
  const trainBlock = new Float64Array(trainRows * width);
  const similarity = new Float64Array(testRows * trainRows);
  const inverse = { train: inverseNorms(train), test: inverseNorms(test) };
  const nearest = Array.from(
    { length: testRows },
    (): Nearest => ({ similarity: new Float64Array(k), row: new Int32Array(k), found: 0 }),
  );
  for (let start = 0; start < test.count; start += testRows) {
    const rows = unitRows(test, inverse.test, start, testRows, testBlock);
    for (const list of nearest) list.found = 0;
    for (let first = 0; first < train.count; first += trainRows) {
      const columns = unitRows(train, inverse.train, first, trainRows, trainBlock);
      rowProducts(testBlock, rows, trainBlock, columns, width, similarity);
      for (let r = 0; r < rows; r++) offer(nearest[r] as Nearest, similarity, r * columns, columns, first);
    }
    for (let r = 0; r < rows; r++) {
      vote(nearest[r] as Nearest, train.labels, temperature, votes, (start + r) * test.classes);
    }
    tick?.(start + rows, test.count);
    await pause();
  }
  return votes;
}

/** 1 / length of each feature vector. */
function inverseNorms({ values, count, width }: Features): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += (values[i] as number) ** 2;
    return 1 / Math.max(Math.sqrt(squares), leastNorm);
  });
}

/** Writes up to `most` feature vectors of length one into `block`; gives how many there were. */
function unitRows(features: Features, inverse: Float64Array, start: number, most: number, block: Float64Array): number {
  const { values, width, count } = features;
  const rows = Math.min(most, count - start);
  for (let r = 0; r < rows; r++) {
    const scale = inverse[start + r] as number;
    const from = (start + r) * width;
    for (let j = 0; j < width; j++) block[r * width + j] = (values[from + j] as number) * scale;
  }
  return rows;
}

/** Takes in similarities with training rows `first`, `first + 1` ...: insertion into a short sorted list. */
function offer(list: Nearest, similarity: Float64Array, from: number, count: number, first: number): void {
  const k = list.row.length;
  let least = list.found < k ? -Infinity : (list.similarity[k - 1] as number);
  for (let c = 0; c < count; c++) {
    const value = similarity[from + c] as number;
    if (!(value > least)) continue;
    let place = list.found < k ? list.found++ : k - 1;
    for (; place > 0 && (list.similarity[place - 1] as number) < value; place--) {
      list.similarity[place] = list.similarity[place - 1] as number;
      list.row[place] = list.row[place - 1] as number;
    }
    list.similarity[place] = value;
    list.row[place] = first + c;
    if (list.found === k) least = list.similarity[k - 1] as number;
  }
}

function vote(list: Nearest, labels: Int32Array, temperature: number, votes: Float64Array, from: number): void {
  for (let i = 0; i < list.found; i++) {
    const at = from + (labels[list.row[i] as number] as number);
    const before = votes[at] as number;
    votes[at] = (before === -Infinity ? 0 : before) + Math.exp((list.similarity[i] as number) / temperature);
  }
}
