/** Few labels: ridge regression on a few samples of each class, drawn again and again, so that the luck of a draw shows. */

import { type Random, shuffled } from "../../graph/index.js";
import { int, optional, real } from "../params.js";
import { accuracy, classScores } from "./classifier.js";
import { defineProbe, type Features } from "./contract.js";
import { ridgeOf } from "./ridge.js";

export const fewShot = defineProbe({
  name: "few_shot",
  summary: "Ridge regression on a few labelled samples of each class, over several draws: mean and deviation.",
  source:
    "big_vision, few-shot evaluator (Kolesnikov et al., ECCV 2020); one penalty that is given, and draws without replacement: own definition",
  since: "0.1",
  params: {
    shots: int({ min: 1, default: 5, doc: "Labelled samples of each class." }),
    ways: optional(
      int({
        min: 2,
        max: 100_000,
        doc: "Classes of a draw, which are told apart from each other alone. If absent, all.",
      }),
    ),
    draws: int({ min: 2, max: 1000, default: 10, doc: "How often they are drawn." }),
    l2: real({ min: 0, openMin: true, default: 1, doc: "Penalty of the regression, on standardised features." }),
  },
  positional: "shots",
  async run(p, train, test, random, tick) {
    const fewest = fewestOf(train);
    const found: Readonly<Record<string, number>>[] = [];
    for (let draw = 0; draw < p.draws; draw++) {
      const ways = waysOf(train, p.ways, random);
      const [own, judged] = ways ? [ofClasses(train, ways), ofClasses(test, ways)] : [train, test];
      found.push(await judgeDraw(own, judged, drawShots(own, p.shots, random), p.l2));
      tick?.(draw + 1, p.draws);
    }
    const tops = found.map(({ top1 }) => top1 as number);
    const fives = found.flatMap(({ top5 }) => (top5 === undefined ? [] : [top5]));
    return {
      scores: {
        top1: meanOf(tops),
        top1_deviation: deviationOf(tops),
        ...(fives.length > 0 ? { top5: meanOf(fives) } : {}),
      },
      protocol:
        `ridge regression onto -1 and 1 on ${p.shots} training samples of each of ${ways(p.ways, train.classes)}` +
        `${fewest < p.shots ? `, or all that it has (${fewest} of one)` : ""}, L2 penalty ${p.l2}: mean and standard deviation over ` +
        `${p.draws} draws; ${test.count} test samples, no augmentation`,
      details: { draws: tops },
    };
  },
});

/** Accuracy of a regression on some rows. */
export async function judgeDraw(
  train: Features,
  test: Features,
  rows: Int32Array,
  l2: number,
): Promise<Readonly<Record<string, number>>> {
  const few = taken(train, rows);
  return accuracy(classScores(await ridgeOf(few, l2), test), test.labels, test.classes);
}

const ways = (wanted: number | null, classes: number): string =>
  wanted === null || wanted >= classes ? `${classes} classes` : `${wanted} of ${classes} classes, drawn anew`;

/** The classes of a draw, by their places in it; null: all. */
function waysOf({ classes }: Features, wanted: number | null, random: Random): ReadonlyMap<number, number> | null {
  if (wanted === null || wanted >= classes) return null;
  const chosen = [...shuffled(classes, random).slice(0, wanted)].sort((a, b) => a - b);
  return new Map(chosen.map((label, place) => [label, place]));
}

/** The samples of some classes alone, which are counted from 0. */
function ofClasses(features: Features, ways: ReadonlyMap<number, number>): Features {
  const rows = Int32Array.from(features.labels.keys()).filter((row) => ways.has(features.labels[row] as number));
  const some = taken(features, rows);
  return { ...some, labels: some.labels.map((label) => ways.get(label) as number), classes: ways.size };
}

/** Some samples of each class, or all that it has, in the order of the classes. */
function drawShots({ labels, count, classes }: Features, shots: number, random: Random): Int32Array {
  const chosen: number[][] = Array.from({ length: classes }, () => []);
  for (const row of shuffled(count, random)) {
    const own = chosen[labels[row] as number];
    if (own && own.length < shots) own.push(row);
  }
  return Int32Array.from(chosen.flat());
}

/** Training samples of the class that has fewest. */
function fewestOf({ labels, classes }: Features): number {
  const counts = new Int32Array(classes);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  return counts.reduce((least, own) => Math.min(least, own), Infinity);
}

function taken({ values, labels, width, classes }: Features, rows: Int32Array): Features {
  const few = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    few.set(values.subarray(row * width, (row + 1) * width), i * width);
  }
  return {
    values: few,
    labels: Int32Array.from(rows, (row) => labels[row] as number),
    count: rows.length,
    width,
    classes,
  };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of a sample: divided by one less than there are. */
function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
