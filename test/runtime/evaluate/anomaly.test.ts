/** Test samples looked at part by part, and scored by how badly a model completes them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { type ArrayShape, middleView } from "../../../blocks/index.js";
import { randomStream } from "../../../graph/index.js";
import type { EvaluationBatch } from "../../../runtime/data/batches.js";
import { recordsOf, type SampleRecord } from "../../../runtime/data/records.js";
import { writeWav } from "../../../runtime/data/sound/write-wav.js";
import type { EvaluationRow } from "../../../runtime/evaluate/contract.js";
import { evaluate } from "../../../runtime/evaluate/evaluate.js";
import { imitatedBy, openPredictor, openReconstructor, type Predicted } from "../../../runtime/evaluate/reconstruct.js";
import { openData } from "../../../runtime/index.js";
import { initialWeights } from "../../../runtime/train/weights.js";
import { bound } from "../../support/data.js";
import { executor, programFrom, rectangle, reference } from "./model.js";

const root = mkdtempSync(join(tmpdir(), "maelang-anomaly-"));
afterAll(() => rmSync(root, { recursive: true }));

const axis = (name: "time" | "row" | "column" | "frequency", size: number) => ({ name, size });

test("videos are looked at from the first frame to the last, with what a table says of them", async () => {
  const array: ArrayShape = { axes: [axis("time", 2), axis("row", 4), axis("column", 4)], channels: 1 };
  for (const [name, frames] of [
    ["a", 7],
    ["b", 3],
  ] as const) {
    mkdirSync(join(root, "videos", name), { recursive: true });
    for (let i = 1; i <= frames; i++) {
      const png = sharp(Buffer.alloc(16, i), { raw: { width: 4, height: 4, channels: 1 } }).png();
      await png.toFile(join(root, "videos", name, `${i}.png`));
    }
  }
  writeFileSync(join(root, "odd.csv"), "path,first,last\na,2,3\na,6,6\n");
  const arrays = { video: array };
  const data = bound("dataset", "folder", { path: "videos", test: "videos", stride: 2, anomalies: "odd.csv" });
  const index = await openData([data], "test", root, { arrays });
  const begins = async (parts: { clips?: number; every?: number }) =>
    (await recordsOf(index, { arrays, augment: [], root }, { clips: null, every: null, ...parts })).map((record) =>
      record.parts.map(({ begin }) => begin),
    );
  // A part takes three frames. By default parts overlap by half.
  expect(await begins({})).toEqual([[0, 2, 4], [0]]);
  expect(await begins({ every: 1 })).toEqual([[0, 1, 2, 3, 4], [0]]);
  expect(await begins({ clips: 1 })).toEqual([[2], [0]]);
  const [first, second] = await recordsOf(index, { arrays, augment: [], root }, { clips: 1, every: null });
  expect([first?.length, first?.stride, first?.anomalies]).toEqual([
    7,
    2,
    [
      { first: 2, last: 3 },
      { first: 6, last: 6 },
    ],
  ]);
  expect(second?.anomalies).toEqual([]);
});

test("sounds lie in folders of machines below that of their class, and have as many frames as they are long", async () => {
  for (const name of ["train/normal/id_00", "test/normal/id_00", "test/odd/id_00"]) {
    mkdirSync(join(root, "sounds", name), { recursive: true });
    // 100 frames of 10 ms, the last of which ends with the sound.
    await writeWav(join(root, "sounds", name, "a.wav"), [new Float64Array(200 + 99 * 80)], 8000);
  }
  const sound = { rate: 8000, window: "hanning", length: 25, shift: 10, low: 20, high: null } as const;
  const array: ArrayShape = { axes: [axis("time", 40), axis("frequency", 8)], channels: 1, sound };
  const arrays = { spectrogram: array };
  const data = bound("dataset", "folder", { path: "sounds/train", test: "sounds/test" });
  const index = await openData([data], "test", root, { arrays });
  expect(index.classes).toEqual(["normal", "odd"]);
  const records = await recordsOf(index, { arrays, augment: [], root }, { clips: null, every: null });
  expect(records.map(({ folder, label, length }) => [folder, label, length])).toEqual([
    ["id_00", 0, 100],
    ["id_00", 1, 100],
  ]);
  expect(records[0]?.parts.map(({ begin }) => begin)).toEqual([0, 20, 40, 60]);
});

/** Samples of one part each, of which every other one is odd, as an evaluation reads them. */
function dataOf(name: string, images: readonly Float32Array[], batch: number) {
  const [size, count] = [images[0]?.length ?? 0, images.length];
  const records = images.map((_, i): SampleRecord => {
    const one = { name: `${i}`, folder: "", label: i % 2, anomalies: null, length: 1, stride: 1 };
    return { ...one, parts: [{ view: middleView, begin: 0 }] };
  });
  async function* batches(): AsyncGenerator<EvaluationBatch> {
    for (let first = 0; first < count; first += batch) {
      const array = new Float32Array(batch * size);
      const rows = Math.min(batch, count - first);
      for (let i = 0; i < rows; i++) array.set(images[first + i] as Float32Array, i * size);
      const samples = Int32Array.from({ length: rows }, (_, i) => first + i);
      const known = { fields: {}, labels: samples, objects: () => null, samples, shown: samples };
      yield { ...known, arrays: { [name]: array }, count: rows };
    }
  }
  const classes = ["normal", "odd"];
  const all = { train: batches, test: batches, classes };
  return { ...all, batches, records: async () => ({ records, classes, batches }), known: records };
}

const scoresIn = (row: EvaluationRow | undefined): readonly (number | undefined)[] =>
  ((row?.details?.records ?? []) as readonly { readonly scores: readonly number[] }[]).map(({ scores: [own] }) => own);

test("scores are the errors of hidden patches, each sample under masks of its own", async () => {
  const [size, batch, count] = [24 * 40, 4, 6];
  const images = Array.from({ length: count }, (_, i) => {
    const random = randomStream(9, "probe", i);
    return Float32Array.from({ length: size }, () => random.normal() * (1 + i));
  });
  const data = dataOf("image", images, batch);
  const model = { program: rectangle, weights: reference("mae-rectangle").weights };
  const common = { executor: await executor(), seed: 4 };
  const options = { ...common, data, batch, selections: [], sources: ["encoder", "pixels"] as const };
  const { rows } = await evaluate(model, [bound("probe", "anomaly", { masks: 1 })], options);
  expect(rows.map(({ source }) => source)).toEqual(["encoder", "plain"]);
  const scores = scoresIn(rows[0]);
  const reconstructor = await openReconstructor(model, count, { ...common, colours: () => null });
  const image = new Float32Array(count * size);
  for (const [i, own] of images.entries()) image.set(own, i * size);
  const [found] = await reconstructor.run(
    { image },
    Int32Array.from({ length: count }, (_, i) => 16 * i),
  );
  await reconstructor.close();
  for (const [i, { errors, hidden, input, aided, output }] of (found?.reconstructions ?? []).entries()) {
    expect(hidden.some((one) => one === 1)).toBe(true);
    // What is shown is cut to 0 to 1; the errors are not.
    expect([input.length, (aided ?? output).length]).toEqual([size, size]);
    expect(scores[i]).toBeCloseTo(errors.aidedMse, 4);
  }
  // Without a model, how far from the mean: the last is loudest.
  const plain = scoresIn(rows[1]);
  expect(Math.max(...(plain as number[]))).toBe(plain.at(-1));
  const unknown = {
    ...data,
    records: async () => ({ records: data.known, classes: ["a", "b"], batches: data.batches }),
  };
  await expect(evaluate(model, [bound("probe", "anomaly")], { ...options, data: unknown })).rejects.toThrow(
    'No class is called "normal": there are a, b',
  );
});

test("how far a student is from the decoder that it imitates is added to the errors of that", async () => {
  const program = programFrom(`
    input   image(size: 16x16, channels: 1)
    tokens  patch(size: 4x4)
    mask    random(ratio: 50%)
    encoder vit(depth: 1, width: 16, heads: 2)
    decoder vit(depth: 2, width: 8, heads: 2)
    target  pixels(normalize: none)
    target  student: imitation {
      decoder branch(after: 1, depth: 1, width: 8, heads: 2)
      loss    mse
    }
    loss    mse`);
  const images = Array.from({ length: 3 }, (_, i) => {
    const random = randomStream(9, "probe", i);
    return Float32Array.from({ length: 256 }, () => random.normal());
  });
  const common = { executor: await executor(), seed: 4, batch: 2, selections: [], sources: ["encoder"] as const };
  const model = { program, weights: initialWeights(program.parameters, 1) };
  const scores = async (values: object) => {
    const probe = bound("probe", "anomaly", { masks: 1, over: "all", error: "absolute", ...values });
    const { rows } = await evaluate(model, [probe], { ...common, data: dataOf("image", images, 2) });
    return scoresIn(rows[0]);
  };
  const imitations = imitatedBy(program);
  const predictor = await openPredictor(model, 1, { ...common, colours: () => null }, imitations);
  const [own, both] = [await scores({}), await scores({ add: ["student"] })];
  for (const [i, image] of images.entries()) {
    const [[told], [imitated]] = (await predictor.run({ image }, Int32Array.of(16 * i))) as never as [
      Predicted[],
      Predicted[],
    ];
    const mean = (of: (k: number) => number) => image.reduce((sum, _, k) => sum + Math.abs(of(k)), 0) / image.length;
    const away = mean((k) => (told?.prediction[k] as number) - (imitated?.prediction[k] as number));
    expect(away).toBeGreaterThan(0.01);
    expect(both[i]).toBeCloseTo((own[i] as number) + away, 5);
  }
  await predictor.close();
});
