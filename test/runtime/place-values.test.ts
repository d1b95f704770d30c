/** Places with values: losses and scores are those of others, maps of real numbers follow their samples, a small head learns, is judged and shown. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { type PlaceMeasure, placeError, probes, type Sample, valueErrorsOf } from "../../blocks/index.js";
import { createBuilder, evaluate as evaluateGraph, gradients, type Tensor } from "../../graph/index.js";
import { evaluationBatches, trainingBatches } from "../../runtime/data/batches.js";
import { drawnValues, evaluate, openData } from "../../runtime/index.js";
import { bound, indexOf, inMemory, recipe } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { surroundings, trained } from "../support/runs.js";

const here = surroundings("onnx");
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "../reference/place-errors.json"), "utf8")) as {
  readonly shape: readonly [number, number, number];
  readonly said: readonly number[];
  readonly there: readonly (number | null)[];
  readonly scores: Readonly<Record<string, number>>;
  readonly losses: readonly { measure: PlaceMeasure; share: number; loss: number; gradient: readonly number[] }[];
};
const pairs = recorded.there.flatMap((value) => (value === null ? [0, 0] : [value, 1]));

const onePart = { overlap: null, weights: null, pictures: null };

test("scores are those of scikit-learn and NumPy", async () => {
  const length = recorded.shape[1] * recorded.shape[2];
  const samples = Array.from({ length: recorded.shape[0] }, (_, i) =>
    valueErrorsOf(recorded.said.slice(i * length, (i + 1) * length), pairs.slice(2 * i * length, 2 * (i + 1) * length)),
  );
  const { scores } = await probes.placeErrors.judgeValues(onePart, samples);
  expect(Object.keys(scores)).toEqual(Object.keys(recorded.scores));
  for (const [name, value] of Object.entries(recorded.scores)) expect(scores[name], name).toBeCloseTo(value, 12);
});

test.each(recorded.losses)(
  "$measure with a share of $share is that of PyTorch",
  ({ measure, share, loss, gradient }) => {
    const g = createBuilder({ batch: recorded.shape[0] });
    const said = g.input("said", [...recorded.shape, 1]);
    const there = g.input("there", [...recorded.shape, 2]);
    const total = placeError(g, said as never, there as never, { measure, share }) as Tensor;
    const [slope] = gradients(g, total, [said]);
    const feeds = { said: Float64Array.from(recorded.said), there: Float64Array.from(pairs) };
    const { outputs } = evaluateGraph(g.finish({ outputs: { total, slope: slope as Tensor } }), feeds);
    expect((outputs.total as Float64Array)[0]).toBeCloseTo(loss, 6);
    for (const [i, one] of gradient.entries()) expect((outputs.slope as Float64Array)[i]).toBeCloseTo(one, 6);
  },
);

const side = 16;
const program = programOfText(`edition 2026
model Small {
  input   image(size: ${side}x${side}, channels: 1)
  tokens  patch(size: 4x4)
  encoder vit(depth: 1, width: 24, heads: 2)
  head    place_values(scale: 0.001, missing: 0, positive: true, neck: hybrid, channels: 4)
  loss    place_error(measure: scale_invariant, share: 0.2)
}
`);
const shape = { height: side, width: side, channels: 1 } as const;

/** Pictures that are the darker the farther away a place is; of some nobody knows. */
const scenes = Array.from({ length: 8 }, (_, i) => {
  const depth = Array.from({ length: side * side }, (_, at) => {
    const [y, x] = [Math.floor(at / side), at % side];
    return y < 2 ? 0 : 1000 + 90 * x + 250 * Math.round(2 * Math.sin((y + 2 * i) / 4));
  });
  return { pixels: Uint8Array.from(depth, (one) => (one === 0 ? 255 : 200 - one / 20)), depth };
});
const inFloats = scenes.map(
  ({ pixels, depth }): Sample => ({
    ...{ kind: "pixels", pixels, shape, label: null },
    map: () => Float32Array.from(depth, (one) => (one === 0 ? Number.NaN : one)),
  }),
);

/** What is said to be there of the values of pictures in which they can be read. */
function expectRead(image: Float32Array, labels: Float32Array): void {
  for (const [at, level] of image.entries()) {
    const [value, counts] = [labels[2 * at] as number, labels[2 * at + 1]];
    expect(counts).toBe(level === 1 ? 0 : 1);
    if (counts === 1) expect(Math.abs(200 - 50 * value - 255 * level)).toBeLessThan(1.01);
  }
}

test("maps of floats, of 16 bits and in npy files follow their pictures", async () => {
  const root = join(here.folder, "depth");
  for (const name of ["images", "deep", "rows"]) mkdirSync(join(root, name), { recursive: true });
  for (const [i, { pixels, depth }] of scenes.entries()) {
    const png = async (numbers: Uint8Array | Uint16Array, space: string, name: string) =>
      sharp(numbers, { raw: shape })
        .toColourspace(space)
        .png()
        .toFile(join(root, name, `${i}.png`));
    await png(pixels, "b-w", "images");
    await png(Uint16Array.from(depth), "grey16", "deep");
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${side}, ${side}), }`.padEnd(117);
    const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, "latin1");
    const floats = Float32Array.from(depth, (one) => (one === 0 ? Number.NaN : one));
    writeFileSync(join(root, "rows", `${i}.npy`), Buffer.concat([head, Buffer.from(floats.buffer)]));
  }
  const augment = [
    bound("augment", "horizontal_flip", { probability: 0.5 }),
    bound("augment", "random_resized_crop", { scale: [1, 1], ratio: [1, 1] }),
  ];
  const common = { arrays: program.arrays, batch: 8, seed: 3, note: () => {}, augment, fields: program.fields ?? {} };
  const fromFiles = (maps: string) =>
    openData([bound("dataset", "folder", { path: "images", maps })] as never, "train", root, program);
  for (const index of [indexOf(inFloats), await fromFiles("deep"), await fromFiles("rows")]) {
    const batches = await trainingBatches({ ...common, index, root, workers: 0, start: 0 });
    const { arrays, fields } = await batches.next();
    await batches.close();
    expectRead(arrays.image as Float32Array, fields.labels as Float32Array);
  }
  const classes = programOfText(`edition 2026
model Classes {
  input   image(size: ${side}x${side}, channels: 1)
  tokens  patch(size: 4x4)
  encoder vit(depth: 1, width: 24, heads: 2)
  head    segmentation(classes: 3)
  loss    place_cross_entropy
}
`);
  const halves = inFloats.map(
    (one): Sample => ({ ...one, map: () => new Float32Array(side * side).fill(0.5) }) as Sample,
  );
  const options = { ...common, fields: classes.fields ?? {}, root, workers: 0, start: 0 };
  const batches = await trainingBatches({ ...options, index: indexOf(halves) });
  await expect(batches.next().finally(() => batches.close())).rejects.toThrow("A map holds 0.5");
  const negative = inFloats.map(
    (one): Sample => ({ ...one, map: () => new Float32Array(side * side).fill(-2) }) as Sample,
  );
  const others = await trainingBatches({ ...common, index: indexOf(negative), root, workers: 0, start: 0 });
  await expect(others.next().finally(() => others.close())).rejects.toThrow(
    "holds -2, and values of its places are above zero",
  );
});

test("a head learns values, is judged in its own scores, and shown", async () => {
  const training = recipe(inMemory(inFloats, []), { steps: 60, schedule: bound("schedule", "constant") });
  const directory = join(here.folder, "run");
  const { state } = await trained(program, training, { directory, executor: here.executor });
  const model = { program, weights: state as never };
  const common = { arrays: program.arrays, batch: 8, note: () => {}, augment: [], root: here.folder, workers: 0 };
  const places = () => evaluationBatches({ ...common, index: indexOf(inFloats), fields: program.fields ?? {} });
  const { rows, samples } = await evaluate(model, [bound("probe", "place_errors")], {
    ...{ executor: here.executor, batch: 8, sources: ["encoder"], selections: [], seed: 0 },
    data: { train: places, test: places, places, classes: [] },
  });
  expect(samples).toEqual({ train: 0, test: 8 });
  expect(rows[0]?.scale).toBe("number");
  expect(rows[0]?.scores.relative).toBeLessThan(0.15);
  for await (const batch of places()) {
    const { canvas, rmse } = await drawnValues(model, batch, { executor: here.executor, colours: null });
    expect(rmse).toBeCloseTo(rows[0]?.scores.rmse as number, 10);
    expect(canvas.pixels).toHaveLength(3 * canvas.width * canvas.height);
  }
});
