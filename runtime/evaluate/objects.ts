/** What a detector finds in test images, beside the objects that are there: for probes and for pictures. */

import {
  arrayLength,
  arrayOf,
  type DetectorFacts,
  type ImageObject,
  type ObjectProbe,
  type PixelSize,
  type SeenImage,
} from "../../blocks/index.js";
import type { Canvas } from "../data/image/png.js";
import type { Executor } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { type ColourScale, withoutNormalization } from "./colours.js";
import { type EvaluateOptions, type Evaluation, type EvaluationRow, rowOf } from "./contract.js";
import { type LabelledBatch, predictionReader } from "./features.js";
import type { Trained } from "./frozen.js";
import { objectsPicture, type ShownObjects } from "./objects-picture.js";

/** Judges a detector by each probe, on the test images. */
export async function judgeObjects(
  model: Trained,
  probes: readonly Bound<ObjectProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  if (probes.length === 0) return { rows: [], samples: { train: 0, test: 0 } };
  const { images, detector, size } = await seenImages(model, options);
  const rows: EvaluationRow[] = [];
  for (const probe of probes) {
    const kind = { source: "head", selection: null } as const;
    const numbers = images[0]?.prediction.length ?? 0;
    rows.push(
      await rowOf(kind, numbers, probe, options, async (_, tick) =>
        probe.definition.judge(probe.values, images, { detector, image: size }, tick),
      ),
    );
  }
  return { rows, samples: { train: 0, test: images.length } };
}

interface SeenImages {
  readonly images: readonly SeenImage[];
  readonly detector: DetectorFacts;
  readonly size: PixelSize;
}

/** What a detector says of every test image. Throws `run/features` for a model that is none, `run/data` for images without objects. */
async function seenImages(
  model: Trained,
  { data, executor, batch, report }: Pick<EvaluateOptions, "data" | "executor" | "batch" | "report">,
): Promise<SeenImages> {
  const { program } = model;
  const { detector } = program;
  if (!detector) {
    throw new RunError("run/features", {
      what: `${program.name} finds no objects`,
      help: "Judge its features or classes instead.",
    });
  }
  const { axes } = arrayOf(program).shape;
  const [height, width] = axes.map((axis) => axis.size) as [number, number];
  const reader = await predictionReader(model, executor, batch);
  const [numbers] = reader.widths as readonly [number];
  const images: SeenImage[] = [];
  try {
    for await (const one of data.test()) {
      const [said] = await reader.read(one);
      const values = said as Float32Array;
      for (let i = 0; i < one.count; i++) {
        images.push({
          prediction: values.slice(i * numbers, (i + 1) * numbers),
          objects: namedObjects(one.objects?.(i)),
        });
      }
      report?.({ stage: "predictions", done: images.length, total: null });
    }
  } finally {
    await reader.close();
  }
  return { images, detector, size: { height, width } };
}

/** Throws `run/data` where nobody has looked for objects. */
export function namedObjects(objects: readonly ImageObject[] | null | undefined): readonly ImageObject[] {
  if (objects) return objects;
  throw new RunError("run/data", {
    what: "The data name no objects",
    help: "Use data with boxes, such as `coco(...)`.",
  });
}

/** A picture of the images of a batch, with how many objects are there and how many are found in it. */
export async function drawnObjects(
  model: Trained,
  batch: LabelledBatch,
  { executor, colours }: { readonly executor: Executor; readonly colours: ColourScale | null },
): Promise<{ readonly canvas: Canvas; readonly there: number; readonly found: number }> {
  const { name, shape } = arrayOf(model.program);
  const seen = await seenImages(model, { data: { ...noData, test: () => only(batch) }, executor, batch: batch.count });
  const length = arrayLength(shape);
  const shown = seen.images.map((one, i): ShownObjects => {
    const image = (batch.arrays[name] as Float32Array).subarray(i * length, (i + 1) * length);
    return { ...one, image: colours ? withoutNormalization(image, colours) : image };
  });
  const { canvas, found } = objectsPicture(shown, seen.detector, { ...seen.size, channels: shape.channels });
  return { canvas, found, there: shown.reduce((sum, { objects }) => sum + objects.length, 0) };
}

async function* only(batch: LabelledBatch): AsyncGenerator<LabelledBatch> {
  yield batch;
}

const noData: EvaluateOptions["data"] = { train: () => nothing(), test: () => nothing(), classes: [] };
async function* nothing(): AsyncGenerator<LabelledBatch> {}
