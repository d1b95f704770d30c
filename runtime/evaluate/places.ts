/** What a head says of the places of test samples, beside the classes that are there: for probes and for pictures. */

import {
  type ArrayShape,
  arrayInputs,
  arrayLength,
  arrayOf,
  bindField,
  type JudgedPlaces,
  type Lattice,
  type ModelProgram,
  meanOf,
  overlapsOf,
  type PlaceProbe,
  predictOf,
  registry,
  type Sliding,
  saidBy,
  sharesOf,
  surfaceDistances,
} from "../../blocks/index.js";
import { invariant, sizeOf } from "../../graph/index.js";
import type { BatchArrays } from "../data/batches.js";
import type { Canvas } from "../data/image/png.js";
import type { Executor } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { type ColourScale, withoutNormalization } from "./colours.js";
import { type EvaluateOptions, type Evaluation, type EvaluationRow, rowOf } from "./contract.js";
import { foldedShare, movedBy } from "./displacement.js";
import type { LabelledBatch } from "./features.js";
import { openFrozen, type Trained } from "./frozen.js";
import { cloudsPicture, placesPicture, type ShownPlaces } from "./places-picture.js";
import { bySliding, saidOfWholes } from "./wholes.js";

/** Samples computed at once: what is said of every place of many would not fit into memory. */
export const atOnce = 8;

/** Judges what a head says of places by each probe, on the test samples. */
export async function judgePlaces(
  model: Trained,
  probes: readonly Bound<PlaceProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  if (probes.length === 0) return { rows: [], samples: { train: 0, test: 0 } };
  const { registers } = model.program;
  const classes = model.program.classes ?? (registers ? await classesIn(options) : 0);
  const rows: EvaluationRow[] = [];
  let test = 0;
  for (const { sliding, probes: own } of bySliding(probes)) {
    const samples = await judgedPlaces(model, { sliding, probes: own, classes }, options);
    for (const probe of own) {
      const kind = { source: "head", selection: null } as const;
      rows.push(
        await rowOf(kind, classes, probe, options, () =>
          probe.definition.judgePlaces(probe.values, samples, { classes }),
        ),
      );
    }
    test = samples.length;
  }
  return { rows, samples: { train: 0, test } };
}

interface Judging {
  readonly sliding: Sliding | null;
  readonly probes: readonly Bound<PlaceProbe>[];
  readonly classes: number;
}

async function judgedPlaces(
  model: Trained,
  { sliding, probes, classes }: Judging,
  options: EvaluateOptions,
): Promise<readonly JudgedPlaces[]> {
  const samples: JudgedPlaces[] = [];
  const { registers } = model.program;
  const seen = registers
    ? movedPlaces(model, registers, options)
    : sliding
      ? slidPlaces(model, sliding, options)
      : seenPlaces(model, options);
  const measured = probes.some(({ definition }) => definition.measures === "surfaces");
  const [declared = []] = Object.values(model.program.arrays).map(({ axes }) => axes.map(({ size }) => size));
  for await (const { said, there, before, parts, sides = declared } of seen) {
    const overlaps = overlapsOf(said, there, classes);
    const moved = before && { before: overlapsOf(before.map, there, classes), folded: before.folded };
    const surfaces = measured && { surfaces: surfaceDistances(said, there, sides, classes) };
    samples.push({ overlaps, ...surfaces, ...(moved ? { moved } : {}), ...(parts && { parts }) });
    options.report?.({ stage: "predictions", done: samples.length, total: null });
  }
  if (samples.length > 0) return samples;
  throw new RunError("run/data", {
    what: "There are no test samples to judge places on",
    help: "Name a test split with maps, or hold some samples out.",
  });
}

/** The classes of the places of one sample, in raster order; below zero: nobody says. */
export interface SeenPlaces {
  readonly said: Int32Array;
  readonly there: Int32Array;
  /** Of a whole sample; if absent, they are the model's. */
  readonly sides?: readonly number[];
  /** Where classes were moved to their places: how they lay before, and the share of places at which it folds. */
  readonly before?: { readonly map: Int32Array; readonly folded: number };
  /** Of a cloud whose parts are said: its class, and which parts it may have. */
  readonly parts?: NonNullable<JudgedPlaces["parts"]>;
}

const withoutPlaces = ({ name }: ModelProgram): RunError =>
  new RunError("run/features", {
    what: `${name} does not say what stands at each place`,
    help: "Judge its features or classes instead.",
  });

/** Throws `run/features` for a model whose head says nothing of places. */
async function* seenPlaces(
  model: Trained,
  { data, executor }: Pick<EvaluateOptions, "data" | "executor">,
): AsyncGenerator<SeenPlaces> {
  const batches = data.places?.();
  if (!model.program.places || !batches) throw withoutPlaces(model.program);
  const reader = await placeReader(model, executor);
  try {
    for await (const batch of batches) {
      const said = await reader.read(batch);
      const there = mapsIn(batch, model.program);
      for (const [i, own] of said.entries()) {
        const parts = partsOfSample(model.program, batch.labels[i] as number);
        yield { said: own, there: there.subarray(i * own.length, (i + 1) * own.length), ...(parts && { parts }) };
      }
    }
  } finally {
    await reader.close();
  }
}

/** The classes of the places of whole samples, by windows over them. */
async function* slidPlaces(
  model: Trained,
  sliding: Sliding,
  options: Pick<EvaluateOptions, "data" | "executor">,
): AsyncGenerator<SeenPlaces> {
  const [field] = Object.keys(judgedFields(model.program));
  if (!model.program.places || field === undefined) throw withoutPlaces(model.program);
  for await (const { sides, there, tell } of saidOfWholes(model, sliding, field, options)) {
    const said = new Int32Array(sizeOf(sides));
    await tell((place, logits) => {
      said[place] = largestAt(logits);
    });
    yield { said, there: there as Int32Array, sides };
  }
}

/** The first of the largest. */
const largestAt = (numbers: Float32Array): number =>
  numbers.reduce((best, number, i) => (number > (numbers[best] as number) ? i : best), 0);

/** The classes that are there, of all samples of a batch. */
export function mapsIn({ fields = {} }: Pick<LabelledBatch, "fields">, program: ModelProgram): Int32Array {
  const [name] = Object.keys(judgedFields(program));
  const field = name === undefined ? undefined : fields[name];
  invariant(field instanceof Int32Array, "samples are judged with their maps");
  return field;
}

/** What a head that says something of places is judged by: the maps that train it, or those of the arrays that it moves. */
export function judgedFields({
  fields = {},
  arrays,
  grids,
  registers,
}: ModelProgram): NonNullable<ModelProgram["fields"]> {
  if (!registers)
    return Object.fromEntries(
      Object.entries(fields).filter(([, one]) => one.kind === "head" && (one.map || one.measured)),
    );
  const values = { classes: mostClasses, ignore: null };
  return Object.fromEntries(
    Object.values(registers).map((name) => {
      const context = { array: arrays[name] as ArrayShape, grid: grids[name] as Lattice };
      return [name, bindField("head", mapsOfArrays, values, context, name)];
    }),
  );
}

/** Numbers of classes that are counted. */
const mostClasses = 10_000;

/** What reads the maps of an array as they are. */
const mapsOfArrays = registry.head.find((head) => saidBy(head) === "places") as Parameters<typeof bindField>[1];

/** As many as the largest number in the maps says. */
async function classesIn({ data }: Pick<EvaluateOptions, "data">): Promise<number> {
  let most = 0;
  for await (const { fields = {} } of data.places?.() ?? []) {
    for (const map of Object.values(fields)) for (const kind of map) most = Math.max(most, kind);
  }
  return most + 1;
}

/** The classes of the moving arrays where a head puts them, beside those of the fixed ones. */
async function* movedPlaces(
  model: Trained,
  { moving, fixed }: NonNullable<ModelProgram["registers"]>,
  { data, executor }: Pick<EvaluateOptions, "data" | "executor">,
): AsyncGenerator<SeenPlaces> {
  const { program } = model;
  const sizes = (program.arrays[fixed] as ArrayShape).axes.map(({ size }) => size);
  const frozen = await openFrozen(model, executor, atOnce, (g, w) => ({
    said: predictOf(program)(g, w, arrayInputs(g, program)),
  }));
  const places = sizes.reduce((product, n) => product * n, 1);
  try {
    for await (const { arrays, fields = {}, count } of data.places?.() ?? []) {
      for (let first = 0; first < count; first += atOnce) {
        const { said } = await frozen.run(someOf(arrays, program, first));
        for (let i = 0; i < Math.min(atOnce, count - first); i++) {
          const at = places * (first + i);
          const way = (said as Float32Array).subarray(i * places * sizes.length, (i + 1) * places * sizes.length);
          const map = (fields[moving] as Int32Array).slice(at, at + places);
          const there = (fields[fixed] as Int32Array).slice(at, at + places);
          yield { said: movedBy(map, way, sizes), there, before: { map, folded: foldedShare(way, sizes) } };
        }
      }
    }
  } finally {
    await frozen.close();
  }
}

/** Which parts the objects of a class may have; undefined: the model says no parts. */
function partsOfSample({ parts }: Pick<ModelProgram, "parts">, label: number): SeenPlaces["parts"] {
  if (!parts) return undefined;
  const [only, another] = parts;
  if (another === undefined) return { class: label < 0 ? null : label, first: 0, count: only as number };
  const first = parts.slice(0, label).reduce((sum, count) => sum + count, 0);
  return { class: label, first, count: parts[label] as number };
}

export interface PlaceReader {
  /** Of each sample that counts, the class at each of its places; of a cloud the likeliest part that its class has. */
  readonly read: (batch: Pick<LabelledBatch, "arrays" | "count" | "labels">) => Promise<readonly Int32Array[]>;
  readonly close: () => Promise<void>;
}

/** Reads the class that a head finds most likely at each place. */
export async function placeReader(model: Trained, executor: Executor): Promise<PlaceReader> {
  const { program } = model;
  // Which parts a cloud may have is known of its class, so that of parts all logits are read.
  const isChosen = program.parts === undefined || program.parts.length === 1;
  const frozen = await openFrozen(model, executor, atOnce, (g, w) => {
    const logits = predictOf(program)(g, w, arrayInputs(g, program));
    return { said: isChosen ? g.argMax(logits) : logits };
  });
  const length = (frozen.shapes.said as readonly number[]).slice(1).reduce((product, n) => product * n, 1);
  return {
    async read({ arrays, count, labels }) {
      const all: Int32Array[] = [];
      for (let first = 0; first < count; first += atOnce) {
        const { said } = await frozen.run(someOf(arrays, program, first));
        for (let i = 0; i < Math.min(atOnce, count - first); i++) {
          const own = (said as Int32Array | Float32Array).subarray(i * length, (i + 1) * length);
          const parts = isChosen ? undefined : partsOfSample(program, labels[first + i] as number);
          all.push(parts ? likeliest(own, program.classes as number, parts) : Int32Array.from(own));
        }
      }
      return all;
    },
    close: frozen.close,
  };
}

/** At each place the likeliest of some classes that follow each other; of equally likely ones the first. */
function likeliest(
  logits: ArrayLike<number>,
  classes: number,
  { first, count }: { readonly first: number; readonly count: number },
): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, place) => {
    const at = (k: number): number => logits[place * classes + k] as number;
    let best = first;
    for (let k = first + 1; k < first + count; k++) if (at(k) > at(best)) best = k;
    return best;
  });
}

/** As many samples as are computed at once, from one on; behind the last, zeros. */
export const someOf = (arrays: BatchArrays, program: ModelProgram, first: number): BatchArrays =>
  Object.fromEntries(
    Object.entries(program.arrays).map(([name, shape]) => {
      const length = arrayLength(shape);
      const some = new Float32Array(atOnce * length);
      some.set((arrays[name] as Float32Array).subarray(first * length, (first + atOnce) * length));
      return [name, some];
    }),
  );

/** A picture of the samples of a batch with the classes of their places, and the share of the places that are right. */
export async function drawnPlaces(
  model: Trained,
  batch: LabelledBatch,
  { executor, colours }: { readonly executor: Executor; readonly colours: ColourScale | null },
): Promise<{ readonly canvas: Canvas; readonly right: number }> {
  const { program } = model;
  const { name, shape } = arrayOf(program);
  const reader = await placeReader(model, executor);
  try {
    const said = await reader.read(batch);
    const maps = mapsIn(batch, program);
    const length = arrayLength(shape);
    let [right, judged] = [0, 0];
    const shown = said.map((own, i): ShownPlaces => {
      const array = (batch.arrays[name] as Float32Array).slice(i * length, (i + 1) * length);
      const there = maps.slice(i * own.length, (i + 1) * own.length);
      for (const [at, kind] of there.entries()) {
        if (kind < 0) continue;
        judged++;
        if (own[at] === kind) right++;
      }
      return { array: colours ? withoutNormalization(array, colours) : array, maps: [there, own] };
    });
    const canvas = shape.cloud ? cloudsPicture(shown, shape) : placesPicture(shown, shape);
    return { canvas, right: right / judged };
  } finally {
    await reader.close();
  }
}

/** A picture of the fixed samples of a batch with their classes, with those of the moving ones, and with these where a head has moved them. */
export async function drawnMoves(
  model: Trained,
  batch: LabelledBatch,
  { executor, colours }: { readonly executor: Executor; readonly colours: ColourScale | null },
): Promise<{ readonly canvas: Canvas; readonly dice: readonly [before: number, after: number] }> {
  const { program } = model;
  const { registers } = program;
  invariant(registers, "a model that moves one array onto another");
  const shape = program.arrays[registers.fixed] as ArrayShape;
  const length = arrayLength(shape);
  const shown: ShownPlaces[] = [];
  const shares: (readonly [number, number])[] = [];
  const data = { places: () => only(batch), train: () => only(batch), test: () => only(batch), classes: [] };
  const classes = await classesIn({ data });
  const dice = (said: Int32Array, there: Int32Array): number =>
    meanOf(sharesOf(overlapsOf(said, there, classes)).dice.slice(1));
  for await (const { said, there, before } of movedPlaces(model, registers, { data, executor })) {
    const i = shown.length;
    const array = (batch.arrays[registers.fixed] as Float32Array).slice(i * length, (i + 1) * length);
    const map = before?.map ?? said;
    shown.push({ array: colours ? withoutNormalization(array, colours) : array, maps: [there, map, said] });
    shares.push([dice(map, there), dice(said, there)]);
  }
  const mean = (side: 0 | 1): number => meanOf(shares.map((pair) => pair[side]));
  return { canvas: placesPicture(shown, shape), dice: [mean(0), mean(1)] };
}

async function* only(batch: LabelledBatch): AsyncGenerator<LabelledBatch> {
  yield batch;
}
