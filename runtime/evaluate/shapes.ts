/**
 * Predicted volumes of test samples beside those that are there. Beside the trained model stand the same one untrained, the same one whose
 * encoder is shown nothing, and the places that are filled most often in training samples, which need no model.
 */

import {
  arrayLength,
  likeliestShape,
  type ModelProgram,
  type ShapeErrors,
  type ShapeProbe,
  shapeErrors,
  type UnseenVolume,
  unseenVolumes,
} from "../../blocks/index.js";
import type { BatchArrays } from "../data/batches.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { initialWeights } from "../train/weights.js";
import { type EvaluateOptions, type Evaluation, type EvaluationRow, type JudgedSource, rowOf } from "./contract.js";
import type { LabelledBatch } from "./features.js";
import type { Trained } from "./frozen.js";
import { openPredictor, type Predicted } from "./reconstruct.js";

/** Gives the shape that is said of each row of a batch, 1 where a place is filled; `first`: rows before it. */
interface Judge {
  readonly shapes: (batch: LabelledBatch, first: number) => Promise<readonly Uint8Array[]>;
  readonly close: () => Promise<void>;
}

/** Judges the volumes that a model predicts and does not see, by each probe, on the test samples. */
export async function judgeShapes(
  model: Trained,
  probes: readonly Bound<ShapeProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  const rows: EvaluationRow[] = [];
  let test = 0;
  for (const probe of probes) {
    const asked = probe.definition.shapes(probe.values);
    for (const source of sourcesOf(options)) {
      const samples = await comparedShapes(model, source, asked, options);
      test = samples.length;
      const kind = { source, selection: null };
      rows.push(await rowOf(kind, 1, probe, options, () => probe.definition.judgeShapes(probe.values, samples)));
    }
  }
  return { rows, samples: { train: 0, test } };
}

/** What is judged beside a trained model. */
const sourcesOf = ({ sources }: EvaluateOptions): readonly JudgedSource[] =>
  sources.flatMap((source): readonly JudgedSource[] => (source === "pixels" ? ["blank", "plain"] : [source]));

/** Throws `run/features` for a model that does not predict one volume. */
function volumeOf(program: ModelProgram): UnseenVolume {
  const [volume, another] = unseenVolumes(program);
  if (volume && !another) return volume;
  throw new RunError("run/features", {
    what: `${program.name} predicts ${volume ? "several volumes" : "no volume of one channel"} of which no encoder sees anything`,
    help: "Judge a model with one such target, such as `occupancy`.",
  });
}

/** What is asked of a volume: from which number on a place is filled, and within which distance one of a surface is found. */
type Asked = ReturnType<ShapeProbe["shapes"]>;

const filledFrom = (threshold: number, values: Float32Array): Uint8Array =>
  Uint8Array.from(values, (value) => (value >= threshold ? 1 : 0));

async function comparedShapes(
  model: Trained,
  source: JudgedSource,
  { threshold, near }: Asked,
  options: EvaluateOptions,
): Promise<readonly ShapeErrors[]> {
  const volume = volumeOf(model.program);
  const sizes = volume.shape.axes.map(({ size }) => size);
  const length = arrayLength(volume.shape);
  const judge =
    source === "plain" ? await usualShape(volume, options) : await predicted(model, source, threshold, options);
  const found: ShapeErrors[] = [];
  try {
    for await (const batch of options.data.test()) {
      const values = batch.arrays[volume.array] as Float32Array;
      for (const [i, said] of (await judge.shapes(batch, found.length)).entries()) {
        const there = filledFrom(threshold, values.subarray(i * length, (i + 1) * length));
        found.push({ ...shapeErrors(said, there, sizes, near), class: batch.labels[i] ?? -1 });
      }
      options.report?.({ stage: "shapes", done: found.length, total: null });
    }
  } finally {
    await judge.close();
  }
  return found;
}

/** What a model predicts of each sample. */
async function predicted(
  { program, weights }: Trained,
  source: JudgedSource,
  threshold: number,
  { executor, batch, seed }: EvaluateOptions,
): Promise<Judge> {
  const { array, picture } = volumeOf(program);
  const own = source === "untrained" ? initialWeights(program.parameters, seed) : weights;
  const predictor = await openPredictor({ program, weights: own }, batch, { executor, seed, colours: () => null });
  const at = predictor.shown.findIndex((one) => one.array === array);
  return {
    async shapes({ arrays, count }, first) {
      const drawn = Int32Array.from({ length: batch }, (_, i) => first + i);
      const all = await predictor.run(source === "blank" ? blanked(arrays, array) : arrays, drawn);
      return (all[at] as readonly Predicted[])
        .slice(0, count)
        .map(({ values, prediction }) => filledFrom(threshold, picture.pixels(prediction, values)));
    },
    close: predictor.close,
  };
}

/** All that encoders see is zero: of colours that are normalised, the mean. */
const blanked = (arrays: BatchArrays, kept: string): BatchArrays =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, values]) => [name, name === kept ? values : new Float32Array(values.length)]),
  );

/** The same shape for all samples: the places that are filled most often in training samples. */
async function usualShape({ array, shape }: UnseenVolume, { data }: EvaluateOptions): Promise<Judge> {
  const often = new Float64Array(arrayLength(shape));
  let samples = 0;
  for await (const { arrays, count } of data.train()) {
    const values = arrays[array] as Float32Array;
    for (let at = 0; at < count * often.length; at++) {
      const place = at % often.length;
      often[place] = (often[place] as number) + (values[at] as number);
    }
    samples += count;
  }
  const usual = likeliestShape(often.map((sum) => sum / Math.max(samples, 1)));
  return {
    shapes: async ({ count }) => Array.from({ length: count }, () => usual),
    close: async () => undefined,
  };
}
