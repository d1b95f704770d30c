/** What a head says of the places of test samples, beside the classes that are there: for probes and for pictures. */

import {
  arrayInputs,
  arrayLength,
  arrayOf,
  type JudgedPlaces,
  type ModelProgram,
  overlapsOf,
  type PlaceProbe,
  predictOf,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { BatchArrays } from "../data/batches.js";
import type { Canvas } from "../data/image/png.js";
import type { Executor } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { type ColourScale, withoutNormalization } from "./colours.js";
import { type EvaluateOptions, type Evaluation, type EvaluationRow, rowOf } from "./contract.js";
import type { LabelledBatch } from "./features.js";
import { openFrozen, type Trained } from "./frozen.js";
import { placesPicture, type ShownPlaces } from "./places-picture.js";

/** Samples computed at once: what is said of every place of many would not fit into memory. */
const atOnce = 8;

/** Judges what a head says of places by each probe, on the test samples. */
export async function judgePlaces(
  model: Trained,
  probes: readonly Bound<PlaceProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  if (probes.length === 0) return { rows: [], samples: { train: 0, test: 0 } };
  const { classes } = model.program;
  invariant(classes !== undefined, "a head that says what stands at places has classes");
  const samples: JudgedPlaces[] = [];
  for await (const { said, there } of seenPlaces(model, options)) {
    samples.push({ overlaps: overlapsOf(said, there, classes) });
    options.report?.({ stage: "predictions", done: samples.length, total: null });
  }
  if (samples.length === 0) {
    throw new RunError("run/data", {
      what: "There are no test samples to judge places on",
      help: "Name a test split with maps, or hold some samples out.",
    });
  }
  const rows: EvaluationRow[] = [];
  for (const probe of probes) {
    const kind = { source: "head", selection: null } as const;
    rows.push(
      await rowOf(kind, classes, probe, options, () =>
        probe.definition.judgePlaces(probe.values, samples, { classes }),
      ),
    );
  }
  return { rows, samples: { train: 0, test: samples.length } };
}

/** The classes of the places of one sample, in raster order; below zero: nobody says. */
export interface SeenPlaces {
  readonly said: Int32Array;
  readonly there: Int32Array;
}

/** Throws `run/features` for a model whose head says nothing of places. */
async function* seenPlaces(
  model: Trained,
  { data, executor }: Pick<EvaluateOptions, "data" | "executor">,
): AsyncGenerator<SeenPlaces> {
  const batches = data.places?.();
  if (!model.program.places || !batches) {
    throw new RunError("run/features", {
      what: `${model.program.name} does not say what stands at each place`,
      help: "Judge its features or classes instead.",
    });
  }
  const reader = await placeReader(model, executor);
  try {
    for await (const batch of batches) {
      const said = await reader.read(batch);
      const there = mapsIn(batch, model.program);
      for (const [i, own] of said.entries()) {
        yield { said: own, there: there.subarray(i * own.length, (i + 1) * own.length) };
      }
    }
  } finally {
    await reader.close();
  }
}

/** The classes that are there, of all samples of a batch. */
export function mapsIn({ fields = {} }: Pick<LabelledBatch, "fields">, program: ModelProgram): Int32Array {
  const [name] = Object.keys(judgedFields(program));
  const field = name === undefined ? undefined : fields[name];
  invariant(field instanceof Int32Array, "samples are judged with their maps");
  return field;
}

/** What a head that says something of places is judged by. */
export const judgedFields = ({ fields = {} }: ModelProgram): NonNullable<ModelProgram["fields"]> =>
  Object.fromEntries(Object.entries(fields).filter(([, { kind, map }]) => kind === "head" && map));

export interface PlaceReader {
  /** Of each sample that counts, the class at each of its places. */
  readonly read: (batch: Pick<LabelledBatch, "arrays" | "count">) => Promise<readonly Int32Array[]>;
  readonly close: () => Promise<void>;
}

/** Reads the class that a head finds most likely at each place. */
export async function placeReader(model: Trained, executor: Executor): Promise<PlaceReader> {
  const { program } = model;
  const frozen = await openFrozen(model, executor, atOnce, (g, w) => ({
    said: g.argMax(predictOf(program)(g, w, arrayInputs(g, program))),
  }));
  const length = (frozen.shapes.said as readonly number[]).slice(1).reduce((product, n) => product * n, 1);
  return {
    async read({ arrays, count }) {
      const all: Int32Array[] = [];
      for (let first = 0; first < count; first += atOnce) {
        const { said } = await frozen.run(someOf(arrays, program, first));
        for (let i = 0; i < Math.min(atOnce, count - first); i++)
          all.push(Int32Array.from((said as Int32Array).subarray(i * length, (i + 1) * length)));
      }
      return all;
    },
    close: frozen.close,
  };
}

/** As many samples as are computed at once, from one on; behind the last, zeros. */
const someOf = (arrays: BatchArrays, program: ModelProgram, first: number): BatchArrays =>
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
    return { canvas: placesPicture(shown, shape), right: right / judged };
  } finally {
    await reader.close();
  }
}
