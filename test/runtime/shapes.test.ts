/** Predicted volumes: how near they come to others is what SciPy says, and a small model that tells them by a view is judged beside what sees nothing. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type ArrayShape,
  likeliestShape,
  probes,
  type Sample,
  type ShapeErrors,
  shapeErrors,
  type Training,
} from "../../blocks/index.js";
import { evaluationBatches } from "../../runtime/data/batches.js";
import { evaluate, openData } from "../../runtime/index.js";
import { initialWeights } from "../../runtime/train/weights.js";
import { bound, inMemory, recipe } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { surroundings, trained } from "../support/runs.js";

interface Case {
  readonly sizes: readonly number[];
  readonly said: readonly number[];
  readonly there: readonly number[];
  readonly near: number;
  readonly iou: number;
  readonly chamfer: number | null;
  readonly f_score: number;
  readonly missed: boolean;
}

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "../reference/shape-overlap.json"), "utf8")) as {
  readonly cases: readonly Case[];
  readonly means: Readonly<Record<string, number>>;
  readonly likeliest: { readonly often: readonly number[]; readonly shape: readonly number[] };
};

test("shapes overlap and lie apart as by NumPy and SciPy", async () => {
  const found = recorded.cases.map(({ said, there, sizes, near }, i): ShapeErrors => {
    return { ...shapeErrors(Uint8Array.from(said), Uint8Array.from(there), sizes, near), class: i % 2 };
  });
  for (const [i, { iou, chamfer, f_score, missed }] of recorded.cases.entries()) {
    const own = found[i] as ShapeErrors;
    expect(own.iou).toBeCloseTo(iou, 12);
    if (chamfer === null) expect(own.chamfer).toBeNaN();
    else expect(own.chamfer).toBeCloseTo(chamfer, 9);
    expect(own.fScore).toBeCloseTo(f_score, 12);
    expect(own.missed).toBe(missed);
  }
  const { scores, details } = await probes.shapeOverlap.judgeShapes({ threshold: 0.5, near: 1 }, found);
  expect(Object.keys(scores)).toEqual(Object.keys(recorded.means));
  for (const [name, value] of Object.entries(recorded.means)) expect(scores[name], name).toBeCloseTo(value, 9);
  expect(details).toMatchObject({
    per_class: [
      { class: 0, samples: 4 },
      { class: 1, samples: 4, missed: 1 },
    ],
  });
});

test("the likeliest shape is the one of all sizes that overlaps most", () => {
  const { often, shape } = recorded.likeliest;
  expect(Array.from(likeliestShape(Float64Array.from(often)))).toEqual(shape);
});

const here = surroundings("wasm");

const textOf = (encoder: string, target: string): string => `edition 2026
model Small {
  input   view: image(size: 4x4, channels: 1)
  input   shape: volume(size: 4x4x4)
  tokens  view: patch(size: 2x2)
  tokens  shape: patch(size: 2x2x2)
  mask    view: random(ratio: 50%)
  encoder vit(depth: 1, width: 12, heads: 2, of: [${encoder}])
  target  shape: ${target}
}`;

const program = programOfText(
  textOf("view", "occupancy {\n    decoder vit(depth: 1, width: 12, heads: 2)\n    loss    bce(on: all)\n  }"),
);

/** Where the view is bright, the first half of the volume is filled, else the other one. */
const samplesOf = (array: "view" | "shape"): readonly Sample[] =>
  Array.from({ length: 16 }, (_, i) => {
    const isBright = i % 2 === 0;
    const numbers =
      array === "view"
        ? new Uint8Array(16).fill(isBright ? 255 : 0)
        : Float32Array.from({ length: 64 }, (_, at) => (at < 32 === isBright ? 1 : 0));
    return { kind: "array", numbers, shape: program.arrays[array] as ArrayShape, label: i % 2 };
  });

const dataOf = (array: "view" | "shape") => ({
  ...(inMemory(samplesOf(array)) as [Training["data"][number]])[0],
  input: array,
});

const asked = [bound("probe", "shape_overlap")];

/** The data of the small model, for judging. */
async function judging() {
  const index = await openData([dataOf("view"), dataOf("shape")], "train", here.folder, { arrays: program.arrays });
  const common = { arrays: program.arrays, batch: 6, note: () => {}, augment: [], root: here.folder, workers: 0 };
  const batches = () => evaluationBatches({ ...common, index, fields: {} });
  return {
    ...{
      executor: here.executor,
      batch: 6,
      selections: [],
      seed: 0,
      sources: ["encoder", "untrained", "pixels"] as const,
    },
    data: { train: batches, test: batches, classes: index.classes },
  };
}

test("a model tells volumes by a view: not without training, not when shown nothing, and better than the likeliest shape", async () => {
  const training = recipe([dataOf("view"), dataOf("shape")], { steps: 50, schedule: bound("schedule", "constant") });
  const { state } = await trained(program, training, { directory: join(here.folder, "run"), executor: here.executor });
  const { rows, samples } = await evaluate({ program, weights: state as never }, asked, await judging());
  expect(samples).toEqual({ train: 0, test: 16 });
  const [encoder, untrained, blank, plain] = rows.map(
    ({ source, scores }): Record<string, unknown> => ({ source, ...scores }),
  );
  expect(encoder).toEqual({ source: "encoder", iou: 1, chamfer: 0, f_score: 1, missed: 0 });
  expect(untrained).toMatchObject({ source: "untrained" });
  expect(untrained?.iou).toBeLessThan(0.7);
  expect(blank).toMatchObject({ source: "blank" });
  expect(blank?.iou).toBeLessThan(0.7);
  // Each place is filled in half of the samples: all of the volume overlaps most.
  expect(plain).toMatchObject({ source: "plain", iou: 0.5, missed: 0 });
  expect(rows[0]?.details?.per_class).toHaveLength(2);
}, 60_000);

test("a model that sees the volume, or predicts none, is not judged", async () => {
  const seen = programOfText(
    textOf("view, shape", "occupancy {\n    decoder vit(depth: 1, width: 12, heads: 2)\n    loss    bce(on: all)\n  }"),
  );
  const weights = initialWeights(seen.parameters, 0);
  const { code, what } = await evaluate({ program: seen, weights }, asked, await judging()).catch((error) => error);
  expect(code).toBe("run/features");
  expect(what).toBe("Small predicts no volume of one channel of which no encoder sees anything");
});
