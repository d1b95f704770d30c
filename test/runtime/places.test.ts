/** Places with classes in the runtime: maps are read as they are stored and follow their samples, a small head learns, and is judged and shown. */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { overlapsOf, probes, type Sample, surfaceDistances } from "../../blocks/index.js";
import { evaluationBatches, trainingBatches } from "../../runtime/data/batches.js";
import { mapFile } from "../../runtime/data/image/beside.js";
import { drawnPlaces, evaluate, openData } from "../../runtime/index.js";
import { bound, indexOf, inMemory, recipe } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { surroundings, trained } from "../support/runs.js";

const here = surroundings("onnx");
const reference = join(import.meta.dirname, "../reference");
const recorded = JSON.parse(readFileSync(join(reference, "maps.json"), "utf8")) as {
  readonly files: Readonly<
    Record<string, { readonly shape: readonly [number, number]; readonly numbers: readonly number[] }>
  >;
  readonly classes: number;
  readonly there: readonly (readonly number[])[];
  readonly said: readonly (readonly number[])[];
  readonly surfaces: readonly {
    readonly sizes: readonly number[];
    readonly there: readonly number[];
    readonly said: readonly number[];
    readonly hd95: readonly (number | null)[];
  }[];
  readonly judged: Readonly<Record<"all" | "without_background", Readonly<Record<string, number>>>>;
};

test.each(Object.entries(recorded.files))("%s has the numbers that were written", async (name, { shape, numbers }) => {
  const [height, width] = shape;
  const { pixels } = await mapFile(join(reference, "maps", name), { height, width }, "classes");
  expect(Array.from(pixels)).toEqual(numbers);
});

const onePart = { overlap: null, weights: null, pictures: null };

test("maps are judged as by scikit-learn", async () => {
  const { classes, there, said, judged } = recorded;
  const samples = there.map((own, i) => ({ overlaps: overlapsOf(said[i] as number[], own, classes) }));
  for (const [name, background] of [
    ["all", true],
    ["without_background", false],
  ] as const) {
    const { scores } = await probes.segmentation.judgePlaces({ background, ...onePart }, samples, { classes });
    for (const [score, value] of Object.entries(judged[name])) expect(scores[score]).toBeCloseTo(value, 12);
  }
});

test("surfaces lie as far apart as by SciPy, in two axes and in three", async () => {
  const judged = recorded.surfaces.map(({ sizes, there, said, hd95 }) => {
    const surfaces = surfaceDistances(said, there, sizes, hd95.length);
    for (const [k, distance] of hd95.entries()) {
      if (distance === null) expect(surfaces[k]).toBeNaN();
      else expect(surfaces[k]).toBeCloseTo(distance, 9);
    }
    return { overlaps: overlapsOf(said, there, hd95.length), surfaces };
  });
  const { scores } = await probes.surfaceDistance.judgePlaces({ background: false, ...onePart }, judged, {
    classes: 5,
  });
  const means = recorded.surfaces.map(({ hd95 }) => ((hd95[1] as number) + (hd95[2] as number)) / 2);
  expect(scores.hd95).toBeCloseTo(((means[0] as number) + (means[1] as number)) / 2, 9);
  // Class 3 of both.
  expect(scores.missed).toBe(2);
});

const side = 32;
const text = (head: string) => `edition 2026
model Small {
  input   image(size: 32x32, channels: 3)
  tokens  patch(size: 8x8)
  encoder vit(depth: 1, width: 24, heads: 2)
  head    segmentation(${head})
  loss    place_cross_entropy
}
`;
const program = programOfText(text("classes: 3, ignore: 9, neck: hybrid, channels: 4"));

/** A picture of which the class of each place can be read: 100 times its class in red, and where nobody says in green. */
function picture(i: number): { readonly pixels: Uint8Array; readonly map: Int32Array } {
  const map = Int32Array.from({ length: side * side }, (_, at) => {
    const [y, x] = [Math.floor(at / side), at % side];
    if (y < 3 && x < 5) return 9;
    return y > 6 + i && y < 20 && x > 4 && x < 18 ? 1 + (i % 2) : 0;
  });
  const pixels = new Uint8Array(3 * map.length);
  for (const [at, kind] of map.entries()) pixels.set(kind === 9 ? [0, 255, 0] : [100 * kind, 0, 0], 3 * at);
  return { pixels, map };
}

const shape = { height: side, width: side, channels: 3 } as const;
const pictures = Array.from({ length: 8 }, (_, i) => picture(i));
const samples = pictures.map(
  ({ pixels, map }): Sample => ({ kind: "pixels", pixels, shape, label: null, map: () => map }),
);

/** The classes that the colours of a batch stand for. */
const classesShown = (image: Float32Array): number[] =>
  Array.from({ length: image.length / 3 }, (_, at) =>
    (image[3 * at + 1] as number) > 0.5 ? -1 : Math.round(((image[3 * at] as number) * 255) / 100),
  );

describe("maps follow their pictures", () => {
  const augment = [
    bound("augment", "horizontal_flip", { probability: 0.5 }),
    bound("augment", "vertical_flip", { probability: 0.5 }),
  ];
  const common = { arrays: program.arrays, batch: 8, seed: 3, note: () => {}, augment, fields: program.fields ?? {} };

  test("in memory, in every thread alike", async () => {
    for (const workers of [0, 1]) {
      const batches = await trainingBatches({
        ...common,
        index: indexOf(samples),
        root: here.folder,
        workers,
        start: 0,
      });
      const { arrays, fields } = await batches.next();
      await batches.close();
      expect(Array.from(fields.labels as Int32Array)).toEqual(classesShown(arrays.image as Float32Array));
    }
  });

  test("in files found by name and named in a table, and cropped, and samples without a map are left out", async () => {
    const root = join(here.folder, "maps");
    mkdirSync(join(root, "images"), { recursive: true });
    mkdirSync(join(root, "maps"));
    for (const [i, { pixels, map }] of pictures.entries()) {
      const enlarged = sharp(pixels, { raw: shape }).resize(48, 48, { kernel: "nearest" });
      await enlarged.png().toFile(join(root, "images", `${i}.png`));
      if (i === 7) continue;
      const grey = sharp(Uint8Array.from(map), { raw: { ...shape, channels: 1 } }).resize(48, 48, {
        kernel: "nearest",
      });
      await grey
        .toColourspace("b-w")
        .png()
        .toFile(join(root, "maps", `${i}.png`));
    }
    writeFileSync(
      join(root, "pairs.csv"),
      `path,map\n${[0, 1, 2, 3, 4, 5, 6].map((i) => `${i}.png,maps/${i}.png`).join("\n")}\n`,
    );
    for (const maps of ["maps", "pairs.csv"]) {
      const data = bound("dataset", "folder", { path: "images", maps });
      const index = await openData([data] as never, "train", root, program);
      expect(index.length).toBe(7);
      expect(index.notes.join()).toContain("left out 1 image without a map");
      const cropped = [...augment, bound("augment", "random_resized_crop", { scale: [0.4, 1], ratio: [1, 1] })];
      const options = { ...common, augment: cropped, batch: 7, index, root, workers: 0, start: 0 };
      const batches = await trainingBatches(options);
      const { arrays, fields } = await batches.next();
      await batches.close();
      // Bicubic pictures ring at edges, where nearest maps do not: what lies within classes is the same.
      const shown = classesShown(arrays.image as Float32Array);
      const same = shown.filter((kind, at) => kind === (fields.labels as Int32Array)[at]).length;
      expect(same / shown.length).toBeGreaterThan(0.93);
    }
  });

  test("what is no map, or has a number that is no class, is told", async () => {
    const root = join(here.folder, "wrong");
    mkdirSync(root);
    copyFileSync(join(reference, "maps", "palette-8.png"), join(root, "other.png"));
    await expect(mapFile(join(root, "other.png"), { height: 5, width: 5 }, "classes")).rejects.toThrow(
      "is 13x19 and its image 5x5",
    );
    writeFileSync(join(root, "cut.png"), readFileSync(join(root, "other.png")).subarray(0, 90));
    await expect(mapFile(join(root, "cut.png"), { height: 13, width: 19 }, "classes")).rejects.toThrow(
      "cannot be decoded",
    );
    const few = programOfText(text("classes: 2"));
    const read = async (one: Sample): Promise<unknown> => {
      const options = { ...common, fields: few.fields ?? {}, batch: 1, index: indexOf([one]), root: here.folder };
      const batches = await trainingBatches({ ...options, workers: 0, start: 0 });
      return batches.next().finally(() => batches.close());
    };
    await expect(read(samples[1] as Sample)).rejects.toThrow("and the model tells classes 0 to 1 apart");
    const { map: _, ...plain } = samples[0] as Sample & { readonly kind: "pixels" };
    await expect(read(plain)).rejects.toThrow("The model says what stands at each place, and the data do not");
  });
});

test("a head learns places, is judged in its own scores, and shown", async () => {
  const training = recipe(inMemory(samples, []), { steps: 50, schedule: bound("schedule", "constant") });
  const directory = join(here.folder, "run");
  const { state } = await trained(program, training, { directory, executor: here.executor });
  const model = { program, weights: state as never };
  const common = { arrays: program.arrays, batch: 8, note: () => {}, augment: [], root: here.folder, workers: 0 };
  const places = () => evaluationBatches({ ...common, index: indexOf(samples), fields: program.fields ?? {} });
  const asked = [bound("probe", "segmentation"), bound("probe", "surface_distance")];
  const { rows, samples: counted } = await evaluate(model, asked, {
    ...{ executor: here.executor, batch: 8, sources: ["encoder"], selections: [], seed: 0 },
    data: { train: places, test: places, places, classes: [] },
  });
  expect(counted).toEqual({ train: 0, test: 8 });
  expect(rows[0]?.scores.right).toBeGreaterThan(0.9);
  expect(rows[1]?.scores.hd95).toBeLessThan(4);
  for await (const batch of places()) {
    const { canvas, right } = await drawnPlaces(model, batch, { executor: here.executor, colours: null });
    expect(right).toBeCloseTo(rows[0]?.scores.right as number, 12);
    expect(canvas.pixels).toHaveLength(3 * canvas.width * canvas.height);
  }
});
