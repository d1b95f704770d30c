/** Detection in the runtime: objects follow the views of their images, a small detector learns, and what it finds is judged and shown. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { denseTargets } from "../../blocks/detection/dense.js";
import type { Annotated, ImageObject, Sample } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { evaluationBatches, trainingBatches } from "../../runtime/data/batches.js";
import { drawnObjects, evaluate, newestCheckpoint, openData } from "../../runtime/index.js";
import { bound, indexOf, inMemory, recipe } from "../support/data.js";
import { analyzed, programOfText } from "../support/model.js";
import { surroundings, trained } from "../support/runs.js";

const here = surroundings("onnx");
const side = 32;
const slots = `
  input   image(size: 32x32, channels: 3)
  tokens  patch(size: 8x8)
  encoder vit(depth: 1, width: 24, heads: 2)`;
const text = `edition 2026
model Small {${slots}
  head    detector(classes: 2, scales: (2, 1), channels: 16, depth: 0, outline: 4)
  loss    detection
}
`;
const program = programOfText(text);

/** A bright square or a dark one on grey. */
function square(i: number): Sample & { readonly annotated: Annotated } {
  const random = randomStream(21, "probe", i);
  const [x, y, size, category] = [random.integer(20), random.integer(20), 8 + random.integer(5), random.integer(2)];
  const pixels = new Uint8Array(side * side * 3).fill(128);
  for (let v = y; v < y + size; v++)
    pixels.fill(category === 0 ? 250 : 5, (v * side + x) * 3, (v * side + x + size) * 3);
  const polygons = [[x, y, x + size, y, x + size, y + size, x, y + size]];
  const objects: ImageObject[] = [
    { category, box: { x, y, width: size, height: size }, polygons, area: size ** 2, crowd: false },
  ];
  return {
    ...{ kind: "pixels", pixels, shape: { height: side, width: side, channels: 3 }, label: null },
    annotated: { size: { height: side, width: side }, objects },
  };
}

const squares = Array.from({ length: 16 }, (_, i) => square(i));

test("what places are to say follows flips, in every thread alike", async () => {
  const common = {
    index: indexOf(squares),
    arrays: program.arrays,
    batch: 4,
    seed: 3,
    root: here.folder,
    note: () => {},
  };
  const augment = [bound("augment", "horizontal_flip", { probability: 1 })];
  const fields = program.fields ?? {};
  const read = async (workers: number) => {
    const batches = await trainingBatches({ ...common, augment, fields, workers, start: 0 });
    const { fields: found, samples } = await batches.next();
    await batches.close();
    return { labels: found.labels as Float32Array, samples };
  };
  const [own, others] = [await read(0), await read(1)];
  expect(others.labels).toEqual(own.labels);
  const [first] = own.samples as unknown as [number];
  const { objects } = (squares[first] as (typeof squares)[number]).annotated;
  const mirrored = objects.map((one) => ({
    ...one,
    box: { ...one.box, x: side - one.box.x - one.box.width },
    polygons: one.polygons?.map((outline) => outline.map((value, i) => (i % 2 === 0 ? side - value : value))) ?? null,
  }));
  const expected = denseTargets(mirrored, program.detector as never);
  expect(own.labels.subarray(0, expected.length)).toEqual(expected);
});

test("data without objects, and objects without labels of samples, are told", async () => {
  const plain = squares.map(({ annotated: _, ...rest }) => rest as Sample);
  const classes = ["bright", "dark"];
  const run = (model: typeof program, samples: readonly Sample[], name: string) =>
    trained(model, recipe(inMemory(samples, classes), { steps: 1 }), {
      directory: join(here.folder, name),
      executor: here.executor,
    });
  await expect(run(program, plain, "none")).rejects.toThrow("the data name none");
  const classifier = programOfText(
    text.replace(/head {4}.*\n {2}loss.*/, "head    classifier(classes: 3)\n  loss cross_entropy"),
  );
  await expect(run(classifier, squares, "unlabelled")).rejects.toThrow("no class of whole samples");
});

test("a loss and a head of another kind are told", () => {
  const messages = (head: string, loss: string) =>
    analyzed(`edition 2026\nmodel Small {${slots}\n  head ${head}\n  loss ${loss}\n}\n`).diagnostics.map(
      ({ code }) => code,
    );
  expect(messages("detector(classes: 2)", "cross_entropy")).toEqual(["check/loss-of-another-kind"]);
  expect(messages("classifier(classes: 2)", "detection")).toEqual(["check/loss-of-another-kind"]);
  expect(messages("detector(classes: 2)", "detection")).toEqual([]);
  expect(messages("detector(classes: 2)", "detection\n  mask random(ratio: 50%)")).toContain("head/detector/whole");
});

describe("a detector of squares in files", () => {
  test("learns, is judged by average precision, and is drawn", async () => {
    mkdirSync(join(here.folder, "images"));
    const files = squares.map(({ annotated }, i) => ({ id: i + 1, file_name: `${i}.png`, ...annotated.size }));
    for (const [i, one] of squares.entries()) {
      if (one.kind !== "pixels") throw new Error("a square is pixels");
      const { pixels } = one;
      await sharp(pixels as Uint8Array, { raw: { width: side, height: side, channels: 3 } })
        .png()
        .toFile(join(here.folder, `images/${i}.png`));
    }
    const annotations = squares.flatMap(({ annotated }, i) =>
      annotated.objects.map(({ category, box: { x, y, width, height }, polygons, area }, k) => ({
        ...{ id: 100 * i + k + 1, image_id: i + 1, category_id: category + 1, bbox: [x, y, width, height] },
        ...{ segmentation: polygons, area, iscrowd: 0 },
      })),
    );
    const categories = ["bright", "dark"].map((name, i) => ({ id: i + 1, name }));
    writeFileSync(join(here.folder, "a.json"), JSON.stringify({ images: files, annotations, categories }));
    const data = [bound("dataset", "coco", { images: "images", annotations: "a.json", test_annotations: "a.json" })];
    const directory = join(here.folder, "run");
    const training = recipe(data as never, { steps: 80, schedule: bound("schedule", "constant") });
    const circumstances = { directory, executor: here.executor, root: here.folder };
    const { losses } = await trained(program, training, circumstances);
    expect(losses.at(-1)).toBeLessThan(0.6 * (losses[0] as number));

    const { state } = await newestCheckpoint(directory, "weights");
    const index = await openData(training.data, "test", here.folder, program);
    const batches = () =>
      evaluationBatches({
        index,
        augment: [],
        arrays: program.arrays,
        batch: 8,
        root: here.folder,
        workers: 0,
        note: () => {},
      });
    const labelled = { train: batches, test: batches, classes: index.classes };
    const model = { program, weights: state as never };
    const options = {
      data: labelled,
      batch: 8,
      executor: here.executor,
      sources: ["encoder"] as const,
      selections: [],
      seed: 0,
    };
    const { rows, samples } = await evaluate(model, [bound("probe", "detection", {})], options);
    expect(samples).toEqual({ train: 0, test: 16 });
    const [row] = rows;
    expect(row?.scores.ap50).toBeGreaterThan(0.4);
    expect(row?.scores.mask_ap50).toBeGreaterThan(0.4);
    expect(row?.scores.ap_large).toBeNaN();
    expect(row?.details?.per_class).toHaveLength(2);
    for await (const batch of batches()) {
      const { canvas, there } = await drawnObjects(model, batch, { executor: here.executor, colours: null });
      expect(there).toBe(8);
      // A box of the first class is drawn in its colour.
      const red = [230, 60, 60];
      const pixels = Array.from({ length: canvas.pixels.length / 3 }, (_, i) => 3 * i);
      expect(pixels.some((at) => red.every((value, c) => canvas.pixels[at + c] === value))).toBe(true);
      break;
    }
  });
});
