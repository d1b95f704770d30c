/** Batch fields: computed in any thread alike, from the image as the model sees it or from a file beside it. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  arrayOfImage,
  type BoundField,
  bindField,
  bindMask,
  type Field,
  type FieldSample,
  regionSources,
  registry,
  type Sample,
} from "../../blocks/index.js";
import { trainingBatches } from "../../runtime/data/batches.js";
import { RunError, sampleMasks } from "../../runtime/index.js";
import { gridOf } from "../blocks/mask/drawn.js";
import { bound, indexOf, stripes } from "../support/data.js";

const image = { height: 8, width: 8, channels: 1 };
const grid = gridOf(2, 2, [4, 4]);
const array = arrayOfImage(image);
const context = { array, grid };

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "maelang-fields-"));
  mkdirSync(join(root, "images"));
  mkdirSync(join(root, "labels"));
});
afterAll(() => rmSync(root, { recursive: true }));

interface Wanted {
  readonly augment?: readonly unknown[];
  readonly workers?: number;
  readonly start?: number;
}

/** The fields of the first batches, and their images. */
async function batchesOf(
  samples: readonly Sample[],
  fields: Readonly<Record<string, BoundField>>,
  wanted: Wanted = {},
) {
  const batches = await trainingBatches({
    ...{
      index: indexOf(samples),
      arrays: { image: arrayOfImage(image) },
      batch: 2,
      seed: 5,
      root,
      fields,
      note: () => {},
    },
    ...{ augment: (wanted.augment ?? []) as never, workers: wanted.workers ?? 0, start: wanted.start ?? 0 },
  });
  try {
    const drawn = [];
    for (let k = 0; k < 3; k++) {
      const batch = await batches.next();
      const own = Object.entries(batch.fields).map(([name, values]) => [name, Array.from(values)] as const);
      drawn.push({ image: Array.from(batch.arrays.image as Float32Array), fields: Object.fromEntries(own) });
    }
    return drawn;
  } finally {
    await batches.close();
  }
}

const regionsOf = (source: object, more: object = {}): BoundField => {
  const definition = registry.target.find(({ name }) => name === "regions");
  if (!definition) throw new Error("no target regions");
  const values = { source, count: 2, touching: 1, sequences: "regions", ...more };
  return bindField("target", definition, values, context);
};

const superpixels = regionsOf({ block: regionSources.felzenszwalb, values: { scale: [20], sigma: 0.8, min_size: 4 } });

/** A field of a block that no registry knows. */
const asking = (compute: (sample: FieldSample) => Float32Array, more: Partial<Field> = {}): BoundField =>
  bindField(
    "target",
    { name: "asking", field: () => ({ shape: [8, 8], dtype: "float32", compute, ...more }) },
    {},
    context,
  );

describe("a field", () => {
  test("is the same in any number of threads, and from any start", async () => {
    const samples = stripes(7);
    const fields = { region: superpixels };
    const whole = await batchesOf(samples, fields);
    expect(whole[0]?.fields.region?.length).toBe(2 * 8 * 8 * 2);
    expect(await batchesOf(samples, fields, { workers: 2 })).toEqual(whole);
    expect((await batchesOf(samples, fields, { start: 1 }))[0]).toEqual(whole[1]);
    expect(whole[0]?.fields).not.toEqual(whole[2]?.fields);
  });

  test("is computed from what the model sees, before colours are normalised", async () => {
    const seen = asking((sample) => sample.array);
    const augment = [
      bound("augment", "horizontal_flip", { probability: 1 }),
      bound("augment", "normalize", { mean: [0.5], std: [0.25] }),
    ];
    const [first] = await batchesOf(stripes(2), { seen }, { augment });
    const expected = first?.fields.seen?.map((value) => (value - 0.5) / 0.25) as number[];
    for (const [i, value] of (first?.image ?? []).entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
    const [plain] = await batchesOf(stripes(2), { seen });
    const mirrored = plain?.fields.seen?.map((_, i, all) => all[i - (i % 8) + 7 - (i % 8)]);
    expect(first?.fields.seen).toEqual(mirrored);
  });

  test("has a stream of its own in each epoch", async () => {
    const drawing = (): BoundField => asking(({ random }) => Float32Array.from({ length: 64 }, () => random.uniform()));
    const drawn = await batchesOf(stripes(2), { one: drawing(), other: drawing() });
    const streams = drawn.flatMap(({ fields }) => Object.values(fields)).map((values) => values.join());
    expect(new Set(streams).size).toBe(6);
  });
});

test("a mask follows the field that it asks for", async () => {
  const definition = registry.mask.find(({ name }) => name === "regions") as (typeof registry.mask)[number];
  const source = { block: regionSources.felzenszwalb, values: { scale: [5], sigma: 0.8, min_size: 4 } };
  const values = { source, ratio: 0.5, round: null };
  const fields = { region: superpixels, mask: bindField("mask", definition, values, context) };
  const program = { fields, masks: { image: bindMask(definition, values as never, grid) } };
  const samples = Int32Array.of(0, 1);
  const own = Int32Array.of(0, 1, 1, 0, 3, 3, 2, 2);
  const hiddenIn = (seed: number) =>
    Array.from(sampleMasks(program, seed, 0, samples, { fields: { mask: own } }).hidden as Int32Array);
  for (let seed = 0; seed < 20; seed++) {
    const hidden = hiddenIn(seed).map((token, i) => own[(i < 2 ? 0 : 4) + token]);
    expect([hidden[0] === hidden[1], hidden[2] === hidden[3]]).toEqual([true, true]);
  }
  const [one, two] = [await batchesOf(stripes(4), fields), await batchesOf(stripes(4), fields, { workers: 2 })];
  expect(one[0]?.fields.mask?.length).toBe(8);
  expect(two).toEqual(one);
});

describe("a file beside the image", () => {
  const write = async (name: string, side: { readonly height: number; readonly width: number }) => {
    const pixels = Uint8Array.from({ length: side.height * side.width }, (_, i) => (7 * i) % 251);
    const grey = sharp(pixels, { raw: { ...side, channels: 1 } });
    await grey
      .toColourspace("b-w")
      .png()
      .toFile(join(root, "images", `${name}.png`));
    return { pixels, grey };
  };
  const sample = (name: string): Sample => ({
    kind: "file",
    path: `images/${name}.png`,
    within: `${name}.png`,
    label: null,
  });
  const labels = asking(({ beside }) => Float32Array.from(beside?.at(-1) as Int32Array), { beside: "labels" });

  const numpy = (shape: string, data: Uint8Array): Uint8Array => {
    const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117).concat("\n");
    return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(header), data]);
  };

  test("is cropped, resized and flipped with it", async () => {
    const { grey } = await write("followed", { height: 12, width: 20 });
    await grey
      .toColourspace("b-w")
      .png()
      .toFile(join(root, "labels", "followed.png"));
    const augment = [
      bound("augment", "random_resized_crop", { scale: [0.05, 0.3], ratio: [0.5, 2], filter: "nearest" }),
      bound("augment", "horizontal_flip", {}),
    ];
    const twice = [sample("followed"), sample("followed")];
    for (const { image, fields } of await batchesOf(twice, { labels }, { augment })) {
      expect(new Set(image).size).toBeGreaterThan(10);
      expect(fields.labels).toEqual(image.map((value) => Math.round(value * 255)));
    }
  });

  test("may have 16 bits, or several maps", async () => {
    await write("deep", image);
    const deep = Uint16Array.from({ length: 64 }, (_, i) => 1000 * i);
    const png = sharp(deep, { raw: { height: 8, width: 8, channels: 1 } })
      .toColourspace("grey16")
      .png();
    await png.toFile(join(root, "labels", "deep.png"));
    const [first] = await batchesOf([sample("deep"), sample("deep")], { labels });
    expect(first?.fields.labels?.slice(0, 64)).toEqual(Array.from(deep));
    await write("maps", image);
    const both = Uint8Array.from({ length: 128 }, (_, i) => i);
    writeFileSync(join(root, "labels", "maps.npy"), numpy("2, 8, 8", both));
    const [maps] = await batchesOf([sample("maps"), sample("maps")], { labels });
    expect(maps?.fields.labels?.slice(0, 64)).toEqual(Array.from(both.subarray(64)));
  });

  test("gives regions, all but the ignored ones", async () => {
    await write("halves", image);
    const halves = Uint8Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 3 : 255));
    writeFileSync(join(root, "labels", "halves.npy"), numpy("8, 8", halves));
    const source = { block: regionSources.labelMaps, values: { folder: "labels", ignore: 255 } };
    const [first] = await batchesOf(
      [sample("halves"), sample("halves")],
      { region: regionsOf(source) },
      { workers: 1 },
    );
    const expected = Array.from(halves, (label) => (label === 3 ? [1, 1] : [0, 0])).flat();
    expect(first?.fields.region?.slice(0, 128)).toEqual(expected);
  });

  test("that is missing, of another size or no map ends the run and is named", async () => {
    const failure = async (name: string): Promise<unknown> =>
      batchesOf([sample(name), sample(name)], { labels }).catch((error: unknown) => error);
    await write("alone", image);
    const missing = await failure("alone");
    expect(missing).toBeInstanceOf(RunError);
    expect(missing).toMatchObject({ code: "run/data", what: expect.stringContaining("alone.png") });
    await write("larger", image);
    writeFileSync(join(root, "labels", "larger.npy"), numpy("9, 8", new Uint8Array(72)));
    expect(await failure("larger")).toMatchObject({ code: "run/data", what: expect.stringContaining("9x8") });
    await write("coloured", image);
    const colours = sharp({ create: { height: 8, width: 8, channels: 3, background: "#123456" } });
    await colours.png().toFile(join(root, "labels", "coloured.png"));
    expect(await failure("coloured")).toMatchObject({ code: "run/data", what: expect.stringContaining("colours") });
    await write("flat", image);
    writeFileSync(join(root, "labels", "flat.npy"), numpy("64", new Uint8Array(64)));
    expect(await failure("flat")).toMatchObject({ code: "run/data", what: expect.stringContaining("(64)") });
    writeFileSync(join(root, "labels", "alone.png"), "no image");
    expect(await failure("alone")).toMatchObject({ code: "run/data", what: expect.stringContaining("decoded") });
    expect(await batchesOf(stripes(2), { labels }).catch((error: unknown) => error)).toMatchObject({
      code: "run/data",
    });
  });
});
