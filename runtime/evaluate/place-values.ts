/** What a head says of the values of places of test samples, beside those that are there: for probes and for pictures. */

import {
  type ArrayShape,
  arrayInputs,
  arrayLength,
  arrayOf,
  type ModelProgram,
  planesOf,
  predictOf,
  type Sliding,
  type ValueErrors,
  type ValueProbe,
  valueErrorsOf,
} from "../../blocks/index.js";
import { invariant, sizeOf } from "../../graph/index.js";
import type { Canvas } from "../data/image/png.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { type ColourScale, withoutNormalization } from "./colours.js";
import { type EvaluateOptions, type Evaluation, type EvaluationRow, rowOf } from "./contract.js";
import type { LabelledBatch } from "./features.js";
import { openFrozen, type Trained } from "./frozen.js";
import { atOnce, judgedFields, someOf } from "./places.js";
import {
  blankSheet,
  cornerOf,
  drawTile,
  levelIn,
  margin,
  samplesAcross,
  sampleWidth,
  sheetHeight,
  tileOf,
} from "./tiles.js";
import { bySliding, saidOfWholes } from "./wholes.js";

/** Judges what a head says of the values of places by each probe, on the test samples. */
export async function judgeValues(
  model: Trained,
  probes: readonly Bound<ValueProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  if (probes.length === 0) return { rows: [], samples: { train: 0, test: 0 } };
  const rows: EvaluationRow[] = [];
  let test = 0;
  for (const { sliding, probes: own } of bySliding(probes)) {
    const samples: ValueErrors[] = [];
    for await (const { said, there } of sliding ? slidValues(model, sliding, options) : seenValues(model, options)) {
      samples.push(valueErrorsOf(said, there));
      options.report?.({ stage: "predictions", done: samples.length, total: null });
    }
    if (!samples.some(({ places }) => places > 0)) {
      throw new RunError("run/data", {
        what: "There are no test samples with values to judge places on",
        help: "Name a test split with maps, or hold some samples out.",
      });
    }
    const kind = { source: "head", selection: null } as const;
    for (const probe of own)
      rows.push(await rowOf(kind, 1, probe, options, () => probe.definition.judgeValues(probe.values, samples)));
    test = samples.length;
  }
  return { rows, samples: { train: 0, test } };
}

/** Of one sample: the values that are said, [...axes], and those that are there with whether they are some, [...axes, 2]. */
interface SeenValues {
  readonly said: Float32Array;
  readonly there: Float32Array;
}

const withoutValues = ({ name }: ModelProgram): RunError =>
  new RunError("run/features", {
    what: `${name} says no values of places`,
    help: "Judge its features or classes instead.",
  });

/** The values of the places of whole samples, by windows over them. */
async function* slidValues(
  model: Trained,
  sliding: Sliding,
  options: Pick<EvaluateOptions, "data" | "executor">,
): AsyncGenerator<SeenValues> {
  const [field] = Object.keys(judgedFields(model.program));
  if (!model.program.values || field === undefined) throw withoutValues(model.program);
  for await (const { sides, there, tell } of saidOfWholes(model, sliding, field, options)) {
    const said = new Float32Array(sizeOf(sides));
    await tell((place, [value]) => {
      said[place] = value as number;
    });
    yield { said, there: there as Float32Array };
  }
}

/** Throws `run/features` for a model whose head says no values of places. */
async function* seenValues(
  model: Trained,
  { data, executor }: Pick<EvaluateOptions, "data" | "executor">,
): AsyncGenerator<SeenValues> {
  const { program } = model;
  const batches = data.places?.();
  if (!program.values || !batches) throw withoutValues(program);
  const [name] = Object.keys(judgedFields(program));
  const frozen = await openFrozen(model, executor, atOnce, (g, w) => ({
    said: predictOf(program)(g, w, arrayInputs(g, program)),
  }));
  const places = planesOf({ ...arrayOf(program).shape, channels: 1 });
  const length = places.count * places.shape.height * places.shape.width;
  try {
    for await (const { arrays, fields = {}, count } of batches) {
      const there = fields[name ?? ""];
      invariant(there instanceof Float32Array, "samples are judged with their values");
      for (let first = 0; first < count; first += atOnce) {
        const { said } = await frozen.run(someOf(arrays, program, first));
        for (let i = 0; i < Math.min(atOnce, count - first); i++) {
          yield {
            said: (said as Float32Array).slice(i * length, (i + 1) * length),
            there: there.slice(2 * (first + i) * length, 2 * (first + i + 1) * length),
          };
        }
      }
    }
  } finally {
    await frozen.close();
  }
}

/** A picture of the samples of a batch with the values that are there and those that are said, and the root of the mean squared difference. */
export async function drawnValues(
  model: Trained,
  batch: LabelledBatch,
  { executor, colours }: Pick<EvaluateOptions, "executor"> & { readonly colours: ColourScale | null },
): Promise<{ readonly canvas: Canvas; readonly rmse: number }> {
  const { name, shape } = arrayOf(model.program);
  const length = arrayLength(shape);
  const only = async function* (): AsyncGenerator<LabelledBatch> {
    yield batch;
  };
  const seen: SeenValues[] = [];
  const data = { places: only, train: only, test: only, classes: [] };
  for await (const one of seenValues(model, { data, executor })) seen.push(one);
  const arrays = seen.map((_, i) => {
    const array = (batch.arrays[name] as Float32Array).slice(i * length, (i + 1) * length);
    return colours ? withoutNormalization(array, colours) : array;
  });
  const errors = seen.map(({ said, there }) => valueErrorsOf(said, there));
  const total = (of: (one: ValueErrors) => number): number => errors.reduce((sum, one) => sum + of(one), 0);
  return {
    canvas: valuesPicture(arrays, seen, shape),
    rmse: Math.sqrt(total(({ squared }) => squared) / total(({ places }) => places)),
  };
}

/** The least and the largest value that is there. */
function rangeOf({ there }: SeenValues): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < there.length; i += 2) {
    if (there[i + 1] !== 1) continue;
    least = Math.min(least, there[i] as number);
    most = Math.max(most, there[i] as number);
  }
  return [least, most];
}

/** Near is light; what nobody knows is dark blue. Both maps of a sample on the scale of what is there. */
function valuesPicture(arrays: readonly Float32Array[], seen: readonly SeenValues[], shape: ArrayShape): Canvas {
  const { count, shape: plane } = planesOf(shape);
  const tile = tileOf(plane, Math.max(1, Math.floor(160 / Math.max(plane.height, plane.width))));
  const across = Math.min(samplesAcross, Math.max(1, seen.length));
  const canvas = blankSheet(margin + across * sampleWidth(tile, 3), sheetHeight(tile, seen.length));
  const slice = Math.floor(count / 2) * plane.height * plane.width;
  for (const [i, one] of seen.entries()) {
    const [least, most] = rangeOf(one);
    const grey = (value: number): number =>
      255 - 255 * Math.min(1, Math.max(0, (value - least) / Math.max(most - least, 1e-12)));
    const array = arrays[i] as Float32Array;
    drawTile(canvas, cornerOf(tile, 3, i, 0), tile, (at, channel) => levelIn(array, plane, slice + at, channel));
    drawTile(canvas, cornerOf(tile, 3, i, 1), tile, (at, channel) =>
      one.there[2 * (slice + at) + 1] === 1
        ? grey(one.there[2 * (slice + at)] as number)
        : ([0, 0, 96][channel] as number),
    );
    drawTile(canvas, cornerOf(tile, 3, i, 2), tile, (at) => grey(one.said[slice + at] as number));
  }
  return canvas;
}
