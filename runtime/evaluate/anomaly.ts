/**
 * Anomalies by errors of completion: each part of each test sample is completed under masks that hide every patch of it, and what errors its
 * frames have is gathered over all parts. Beside the trained model stand the same one untrained, and what anyone has who only compares
 * subsequent frames, or a sample's mean with those of training samples.
 */

import {
  type AnomalyProbe,
  type ArrayShape,
  arrayLength,
  isVideo,
  type Looks,
  patchPlaces,
  type ScoredRecord,
  tokenCount,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { EvaluationBatch } from "../data/batches.js";
import { type SampleRecord, timeOf } from "../data/records.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { initialWeights } from "../train/weights.js";
import { type EvaluateOptions, type Evaluation, type EvaluationRow, type FeatureSource, rowOf } from "./contract.js";
import type { Trained } from "./frozen.js";
import { imitatedBy, openPredictor, type Predicted, shownBy } from "./reconstruct.js";
import type { Shown } from "./reconstruction.js";

/** Masks that are drawn at most until every patch was hidden. */
const mostMasks = 16;

/** Errors of the times of a part of a sample; NaN where there is none. */
type Errors = Float64Array;

/** Gives the errors of each row of a batch; `first`: rows before it. */
interface Judge {
  readonly errors: (batch: EvaluationBatch, first: number) => Promise<readonly Errors[]>;
  readonly close: () => Promise<void>;
}

/** Judges a model by each probe of anomalies, on the test samples. */
export async function judgeAnomalies(
  model: Trained,
  probes: readonly Bound<AnomalyProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  const rows: EvaluationRow[] = [];
  let samples = { train: 0, test: 0 };
  for (const probe of probes) {
    const looks = probe.definition.looks(probe.values);
    for (const source of options.sources) {
      const tick = (done: number, total: number) => options.report?.({ stage: probe.definition.name, done, total });
      const records = await scoredRecords(model, source, looks, { ...options, tick });
      samples = { train: 0, test: records.length };
      const kind = { source: source === "pixels" ? "plain" : source, selection: null } as const;
      rows.push(await rowOf(kind, 1, probe, options, () => probe.definition.judgeRecords(probe.values, records)));
    }
  }
  return { rows, samples };
}

async function scoredRecords(
  model: Trained,
  source: FeatureSource,
  looks: Looks,
  options: EvaluateOptions & { readonly tick: (done: number, total: number) => void },
): Promise<readonly ScoredRecord[]> {
  const { data, tick } = options;
  invariant(data.records, "whoever asks for anomalies gives records");
  const { records, classes, batches } = await data.records(looks);
  const known = records.map((record) => oddPlaces(record, looks, classes));
  const gathered = records.map(({ length }) => ({ sums: new Float64Array(length), counts: new Float64Array(length) }));
  const rows = records.flatMap((record, i) => record.parts.map(({ begin }) => ({ i, begin, stride: record.stride })));
  const broken = new Set<number>();
  const judge = await judgeOf(model, source, looks, options);
  let first = 0;
  try {
    for await (const batch of batches()) {
      for (const [k, errors] of (await judge.errors(batch, first)).entries()) {
        const row = rows[first + k];
        invariant(row, "there is a row for each part");
        if (batch.samples[k] !== batch.shown[k]) broken.add(row.i);
        else gather(errors, row, looks, gathered[row.i] as Gathered);
      }
      first += batch.count;
      tick(first, rows.length);
    }
  } finally {
    await judge.close();
  }
  return records.flatMap((record, i) => {
    if (broken.has(i)) return [];
    const odd = known[i] as Uint8Array;
    const scores = filled(gathered[i] as Gathered);
    const byFrame = record.anomalies !== null;
    const group = byFrame ? record.name : record.folder;
    return [
      { name: record.name, group, byFrame, odd, scores: byFrame ? scores : Float64Array.of(pooled(scores, looks)) },
    ];
  });
}

interface Gathered {
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

/** 1 for each frame, or the whole record, that is anomalous. Throws `run/data` where nothing says so. */
function oddPlaces(
  { anomalies, label, length, name }: SampleRecord,
  { normal }: Looks,
  classes: readonly string[],
): Uint8Array {
  if (anomalies) {
    const odd = new Uint8Array(length);
    for (const { first, last } of anomalies) {
      if (last > length) {
        throw new RunError("run/data", {
          what: `${name} has ${length} frames, and frames ${first} to ${last} of it are told to be anomalous`,
          help: "Count frames from 1 in the table of anomalies.",
        });
      }
      odd.fill(1, first - 1, last);
    }
    return odd;
  }
  if (!classes.includes(normal) || label === null) {
    throw new RunError("run/data", {
      what:
        classes.length === 0 || label === null
          ? "Nothing says which test samples or frames are anomalous"
          : `No class is called ${JSON.stringify(normal)}: there are ${classes.slice(0, 10).join(", ")}`,
      help: 'Put test samples into sub-folders, `normal` among them, name another class in `anomaly(normal: "...")`, or, of videos, write `anomalies: "..."` in `folder(...)`.',
    });
  }
  return Uint8Array.of(classes[label] === normal ? 0 : 1);
}

/** Adds the errors of a part to those of the record's frames. */
function gather(
  errors: Errors,
  { begin, stride }: { readonly begin: number; readonly stride: number },
  { frame }: Looks,
  { sums, counts }: Gathered,
): void {
  const add = (at: number, error: number): void => {
    if (at >= sums.length || Number.isNaN(error)) return;
    sums[at] = (sums[at] as number) + error;
    counts[at] = (counts[at] as number) + 1;
  };
  if (frame === "each") for (const [t, error] of errors.entries()) add(begin + t * stride, error);
  else add(begin + Math.floor(errors.length / 2) * stride, meanOf(errors));
}

function meanOf(numbers: Float64Array): number {
  const known = numbers.filter((number) => !Number.isNaN(number));
  return known.reduce((sum, number) => sum + number, 0) / known.length;
}

/** The mean error of each frame; one without any has that of the nearest that has one. */
function filled({ sums, counts }: Gathered): Float64Array {
  const known = Array.from(counts.keys()).filter((at) => (counts[at] as number) > 0);
  let next = 0;
  return sums.map((_, at) => {
    while (
      next + 1 < known.length &&
      Math.abs((known[next + 1] as number) - at) <= Math.abs((known[next] as number) - at)
    )
      next++;
    const from = known[next];
    return from === undefined ? 0 : (sums[from] as number) / (counts[from] as number);
  });
}

const pooled = (scores: Float64Array, { record }: Looks): number =>
  record === "mean" ? meanOf(scores) : scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);

async function judgeOf(model: Trained, source: FeatureSource, looks: Looks, options: EvaluateOptions): Promise<Judge> {
  const { program } = model;
  const [shown, another] = shownBy(program);
  if (!shown || another) {
    throw new RunError("run/features", {
      what: `${program.name} predicts ${shown ? "several arrays" : "no values of what it reads"}`,
      help: "Look for anomalies by a model with one target, such as `pixels`.",
    });
  }
  if (source === "pixels") return plainJudge(shown, options);
  const weights = source === "encoder" ? model.weights : initialWeights(program.parameters, options.seed);
  return completionJudge({ program, weights }, shown, looks, options);
}

/** By what a model makes of each part. */
async function completionJudge(
  model: Trained,
  shown: Shown,
  looks: Looks,
  { executor, batch, seed }: EvaluateOptions,
): Promise<Judge> {
  const beside = imitatedBy(model.program).filter(({ name }) => looks.add?.includes(name));
  const predictor = await openPredictor(model, batch, { executor, seed, colours: () => null }, beside);
  const places = placesOf(shown);
  return {
    async errors({ arrays, count }, first) {
      const found = Array.from({ length: count }, () => emptyErrors(places));
      const isDone = (): boolean => found.every(({ counts }) => counts.every((own) => own > 0));
      for (let mask = 0; mask < (looks.masks ?? mostMasks); mask++) {
        // Every part has masks of its own, whatever batch it stands in.
        const drawn = Int32Array.from({ length: batch }, (_, i) => (first + i) * mostMasks + mask);
        const [predicted, ...imitations] = await predictor.run(arrays, drawn);
        for (const [i, own] of found.entries()) {
          const { values, prediction, hidden } = (predicted as readonly Predicted[])[i] as Predicted;
          const told = shown.picture.pixels(prediction, values);
          addErrors(own, errorsOf(told, shown.picture.truth?.(values) ?? values, hidden, places, looks));
          for (const all of imitations) {
            const imitation = shown.picture.pixels((all[i] as Predicted).prediction, values);
            addSums(own.sums, errorsOf(imitation, told, hidden, places, looks).sums);
          }
        }
        if (looks.masks === null && isDone()) break;
      }
      return found.map((own) => errorsOfTimes(own, places, looks));
    },
    close: predictor.close,
  };
}

/** Where the numbers of an array lie: in which patch and at which time. */
interface PlacesOfArray {
  readonly channels: number;
  readonly times: number;
  /** By place: token * times + time. */
  readonly cell: Int32Array;
  readonly cells: number;
}

function placesOf({ shape, grid }: Shown): PlacesOfArray {
  const times = timeOf(shape) ?? 1;
  const axis = shape.axes.findIndex(({ name }) => name === "time");
  const below = axis < 0 ? 1 : shape.axes.slice(axis + 1).reduce((product, { size }) => product * size, 1);
  const cell = new Int32Array(arrayLength({ ...shape, channels: 1 }));
  for (let token = 0; token < tokenCount(grid); token++) {
    for (const place of patchPlaces(grid, token))
      cell[place] = token * times + (axis < 0 ? 0 : Math.floor(place / below) % times);
  }
  return { channels: shape.channels, times, cell, cells: tokenCount(grid) * times };
}

/** Sums over the masks and the places of each cell, and how many numbers they are of. `isPlace`: cells that have places. */
interface CellErrors {
  readonly sums: Float64Array;
  /** Of the cells that have places. */
  readonly counts: Float64Array;
  readonly used: Int32Array;
}

function emptyErrors({ cell, cells }: PlacesOfArray): CellErrors {
  const used = Int32Array.from(new Set(cell));
  return { sums: new Float64Array(cells), counts: new Float64Array(used.length), used };
}

/** How far what is told of the places that count is from what it ought to be: sums of each cell, and how many numbers they are of. */
function errorsOf(
  told: Float32Array,
  truth: Float32Array,
  hidden: Uint8Array,
  { channels, cell, cells }: PlacesOfArray,
  { over, error }: Looks,
): { readonly sums: Float64Array; readonly counts: Float64Array } {
  const [sums, counts] = [new Float64Array(cells), new Float64Array(cells)];
  for (let place = 0; place < cell.length; place++) {
    if (over === "hidden" && hidden[place] !== 1) continue;
    const at = cell[place] as number;
    for (let c = place * channels; c < (place + 1) * channels; c++) {
      const difference = (told[c] as number) - (truth[c] as number);
      sums[at] = (sums[at] as number) + (error === "square" ? difference ** 2 : Math.abs(difference));
      counts[at] = (counts[at] as number) + 1;
    }
  }
  return { sums, counts };
}

function addErrors({ sums, counts, used }: CellErrors, errors: ReturnType<typeof errorsOf>): void {
  addSums(sums, errors.sums);
  for (const [k, at] of used.entries()) counts[k] = (counts[k] as number) + (errors.counts[at] as number);
}

function addSums(sums: Float64Array, others: Float64Array): void {
  for (const [at, other] of others.entries()) sums[at] = (sums[at] as number) + other;
}

/** Of each time the mean or the largest of its patches' mean errors. */
function errorsOfTimes({ sums, counts, used }: CellErrors, { times }: PlacesOfArray, { patches }: Looks): Errors {
  const [totals, known] = [new Float64Array(times), new Float64Array(times)];
  for (const [k, at] of used.entries()) {
    const count = counts[k] as number;
    if (count === 0) continue;
    const [time, error] = [at % times, (sums[at] as number) / count];
    totals[time] = patches === "largest" ? Math.max(totals[time] as number, error) : (totals[time] as number) + error;
    known[time] = patches === "largest" ? 1 : (known[time] as number) + 1;
  }
  return totals.map((total, time) => (known[time] === 0 ? Number.NaN : total / (known[time] as number)));
}

/** What can be told without a model: of videos how much a frame differs from the one before, of all else how far means lie from those of training. */
async function plainJudge({ array, shape }: Shown, { data }: EvaluateOptions): Promise<Judge> {
  const length = arrayLength(shape);
  const rowsOf = ({ arrays, count }: Pick<EvaluationBatch, "arrays" | "count">): readonly Float32Array[] =>
    Array.from({ length: count }, (_, i) => (arrays[array] as Float32Array).subarray(i * length, (i + 1) * length));
  const close = async (): Promise<void> => undefined;
  if (isVideo(shape)) {
    return { errors: async (batch) => rowsOf(batch).map((clip) => changesOf(clip, timeOf(shape) ?? 1)), close };
  }
  const usual = { count: 0, sum: new Float64Array(0), squares: new Float64Array(0) };
  for await (const batch of data.train()) {
    for (const row of rowsOf(batch)) {
      const means = meansOverTime(row, shape);
      if (usual.count === 0) Object.assign(usual, { sum: means.map(() => 0), squares: means.map(() => 0) });
      usual.count++;
      for (const [k, mean] of means.entries()) {
        usual.sum[k] = (usual.sum[k] as number) + mean;
        usual.squares[k] = (usual.squares[k] as number) + mean ** 2;
      }
    }
  }
  return {
    errors: async (batch) =>
      rowsOf(batch).map((row) => {
        const away = meansOverTime(row, shape).map((mean, k) => {
          const centre = (usual.sum[k] as number) / usual.count;
          const variance = (usual.squares[k] as number) / usual.count - centre ** 2;
          return (mean - centre) ** 2 / Math.max(variance, 1e-12);
        });
        return new Float64Array(timeOf(shape) ?? 1).fill(meanOf(away));
      }),
    close,
  };
}

/** The mean squared difference of each frame from the one before it; the first has none. */
function changesOf(clip: Float32Array, times: number): Errors {
  const frame = clip.length / times;
  return Float64Array.from({ length: times }, (_, t) => {
    if (t === 0) return times === 1 ? 0 : Number.NaN;
    let sum = 0;
    for (let i = t * frame; i < (t + 1) * frame; i++) sum += ((clip[i] as number) - (clip[i - frame] as number)) ** 2;
    return sum / frame;
  });
}

/** Means over time of all other places: of a spectrogram, of each band. */
function meansOverTime(values: Float32Array, shape: ArrayShape): Float64Array {
  const axis = shape.axes.findIndex(({ name }) => name === "time");
  if (axis < 0) return Float64Array.from(values);
  const times = timeOf(shape) as number;
  const below = shape.axes.slice(axis + 1).reduce((product, { size }) => product * size, shape.channels);
  const means = new Float64Array(values.length / times);
  for (const [at, value] of values.entries()) {
    const [above, within] = [Math.floor(at / (below * times)), at % below];
    means[above * below + within] = (means[above * below + within] as number) + value / times;
  }
  return means;
}
