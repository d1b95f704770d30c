/** npy files: types, versions, layouts, and everything that can be wrong with one. */

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { npy } from "../../../blocks/dataset/index.js";
import { DataError, type SampleIndex } from "../../../blocks/index.js";
import { signal } from "../../../blocks/input/index.js";
import { nodeFiles } from "../../../runtime/data/files.js";
import { valuesOf } from "../../support/data.js";
import { filesWith, ofImages } from "./files.js";

interface Header {
  readonly descr: string;
  readonly shape: readonly number[];
  readonly fortran?: boolean;
  readonly version?: 1 | 2 | 3;
  /** NumPy pads headers with spaces so that data begins at a multiple of this. */
  readonly align?: number;
}

/** An .npy file as NumPy writes it. */
function npyFile(
  { descr, shape, fortran = false, version = 1, align = 64 }: Header,
  data: ArrayBufferView,
): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${tuple}, }`;
  const begin = version === 1 ? 10 : 12;
  const length = Math.ceil((begin + text.length + 1) / align) * align - begin;
  const bytes = new Uint8Array(begin + length + data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, length, true);
  else view.setUint32(8, length, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), begin);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), begin + length);
  return bytes;
}

const counting = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const open = (contents: Readonly<Record<string, Uint8Array>>, values: object = {}, context = ofImages) =>
  npy.open(valuesOf(npy, { images: "x.npy", ...values }), filesWith(contents), "train", context);

const pixelsOf = (index: SampleIndex, i: number): readonly number[] => {
  const sample = index.sample(i);
  return sample.kind === "pixels" ? [...sample.pixels] : [];
};

describe("reading", () => {
  test.each([1, 2, 3] as const)("bytes, in version %i", async (version) => {
    const file = npyFile({ descr: "|u1", shape: [2, 2, 3], version }, Uint8Array.from(counting(12)));
    const index = await open({ "x.npy": file });
    expect(index.sample(1)).toMatchObject({ shape: { height: 2, width: 3, channels: 1 }, label: null });
    expect(pixelsOf(index, 1)).toEqual([6, 7, 8, 9, 10, 11]);
  });
  test.each([
    ["<f4", Float32Array],
    ["<f8", Float64Array],
  ] as const)("floats %s, also where the data is not aligned", async (descr, Floats) => {
    const values = counting(8).map((i) => i / 8);
    for (const align of [64, 1]) {
      const index = await open({ "x.npy": npyFile({ descr, shape: [2, 2, 2], align }, Floats.from(values)) });
      const sample = index.sample(1);
      expect(sample.kind === "pixels" && sample.pixels instanceof Float32Array).toBe(true);
      expect(pixelsOf(index, 1)).toEqual([0.5, 0.625, 0.75, 0.875]);
    }
  });
  test("half floats and truth values, in single precision", async () => {
    const halves = npyFile({ descr: "<f2", shape: [1, 1, 4] }, Uint16Array.of(0, 0x3c00, 0x3800, 0x2e66));
    const [zero, one, half, tenth] = pixelsOf(await open({ "x.npy": halves }), 0);
    expect([zero, one, half]).toEqual([0, 1, 0.5]);
    expect(tenth).toBeCloseTo(0.1, 4);
    const truths = npyFile({ descr: "|b1", shape: [1, 1, 2] }, Uint8Array.of(1, 0));
    expect(pixelsOf(await open({ "x.npy": truths }), 0)).toEqual([1, 0]);
  });
  test("what Python 2 writes", async () => {
    const bytes = npyFile({ descr: "|u1", shape: [2, 2, 3] }, Uint8Array.from(counting(12)));
    const text = Buffer.from(bytes.subarray(0, 128)).toString("latin1").replace("(2, 2, 3), }   ", "(2L, 2L, 3L), }");
    const index = await open({ "x.npy": Buffer.concat([Buffer.from(text, "latin1"), bytes.subarray(128)]) });
    expect(pixelsOf(index, 1)).toEqual([6, 7, 8, 9, 10, 11]);
  });
  test.each([
    ["<f4", Float32Array.of(-2.5, 3, 0, 1)],
    ["<i2", Int16Array.of(-2000, 30_000, 0, 1)],
    ["|u1", Uint8Array.of(200, 3, 0, 1)],
    ["<i8", BigInt64Array.of(-5n, 3n, 0n, 1n)],
  ] as const)("any numbers as they are (%s)", async (descr, numbers) => {
    const file = npyFile({ descr, shape: [1, 2, 2] }, numbers);
    const index = await open({ "x.npy": file }, { values: "any" });
    expect(pixelsOf(index, 0)).toEqual(Array.from<number | bigint, number>(numbers, Number));
  });
  test("pieces of a file that is too large for memory, and says when it becomes shorter", async () => {
    const root = mkdtempSync(join(tmpdir(), "maelang-"));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const path = join(root, "x.npy");
    // 2.56 GB of zeros that take no room on the disk.
    const count = 40_000_000;
    writeFileSync(path, npyFile({ descr: "|u1", shape: [count, 8, 8] }, Uint8Array.of(7, 8)));
    truncateSync(path, 128 + count * 64);
    const before = process.memoryUsage().arrayBuffers;
    const index = await npy.open(valuesOf(npy, { images: "x.npy" }), nodeFiles(root), "train", ofImages);
    expect([index.length, pixelsOf(index, 0).slice(0, 3)]).toEqual([count, [7, 8, 0]]);
    expect(pixelsOf(index, count - 1)).toEqual(Array(64).fill(0));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
    truncateSync(path, 1000);
    expect(() => pixelsOf(index, count - 1)).toThrow(/x.npy cannot be read: it has become shorter/);
  });
  test("channels last and channels first to the same pixels", async () => {
    // One image of 1x2 pixels and 3 channels.
    const last = npyFile({ descr: "|u1", shape: [1, 1, 2, 3] }, Uint8Array.of(1, 2, 3, 11, 12, 13));
    const first = npyFile({ descr: "|u1", shape: [1, 3, 1, 2] }, Uint8Array.of(1, 11, 2, 12, 3, 13));
    const shape = { height: 1, width: 2, channels: 3 };
    for (const [file, layout] of [
      [last, "hwc"],
      [first, "chw"],
    ] as const) {
      const index = await open({ "x.npy": file }, { layout });
      expect(index.sample(0)).toMatchObject({ shape });
      expect(pixelsOf(index, 0)).toEqual([1, 2, 3, 11, 12, 13]);
    }
  });
  test.each([
    ["|u1", Uint8Array],
    ["|i1", Int8Array],
    ["<u2", Uint16Array],
    ["<i2", Int16Array],
    ["<u4", Uint32Array],
    ["<i4", Int32Array],
    ["<u8", BigUint64Array],
    ["<i8", BigInt64Array],
  ] as const)("labels of type %s", async (descr, Integers) => {
    const images = npyFile({ descr: "|u1", shape: [3, 1, 1] }, new Uint8Array(3));
    const labels = new Integers(3);
    labels.set(
      [2, 0, 5].map((n) =>
        labels instanceof BigInt64Array || labels instanceof BigUint64Array ? BigInt(n) : n,
      ) as never,
    );
    const index = await open({ "x.npy": images, "y.npy": npyFile({ descr, shape: [3] }, labels) }, { labels: "y.npy" });
    expect([0, 1, 2].map((i) => index.sample(i).label)).toEqual([2, 0, 5]);
    expect(index.classes).toEqual(["0", "1", "2", "3", "4", "5"]);
  });
});

const images = npyFile({ descr: "|u1", shape: [2, 1, 1] }, new Uint8Array(2));
const wrong = [
  ["another file", Uint8Array.from(counting(40)), "x.npy is not an .npy file"],
  [
    "a cut file",
    images.subarray(0, images.length - 1),
    /cut short: its header says \|u1 \(2, 1, 1\), which is 130 bytes, and it has 129/,
  ],
  ["a cut header", images.subarray(0, 20), "x.npy is cut short in its header: 128 bytes expected, 20 found"],
  [
    "Fortran order",
    npyFile({ descr: "|u1", shape: [1, 2, 2], fortran: true }, new Uint8Array(4)),
    "x.npy is stored in Fortran order",
  ],
  [
    "big-endian numbers",
    npyFile({ descr: ">f4", shape: [1, 1, 1] }, new Float32Array(1)),
    "x.npy has elements of type >f4",
  ],
  [
    "complex numbers",
    npyFile({ descr: "<c8", shape: [1, 1, 1] }, new Float64Array(1)),
    "x.npy has elements of type <c8",
  ],
  ["16-bit images", npyFile({ descr: "<u2", shape: [1, 1, 1] }, new Uint16Array(1)), "x.npy holds images of type <u2"],
  [
    "floats beyond 1",
    npyFile({ descr: "<f4", shape: [1, 1, 2] }, Float32Array.of(0.5, 255)),
    "x.npy holds a value of 255 in image 0, and float pixels lie in [0, 1]",
  ],
  [
    "a pixel that is not a number",
    npyFile({ descr: "<f4", shape: [2, 1, 2] }, Float32Array.of(0.5, 0, 1, Number.NaN)),
    "x.npy holds NaN in image 1, which is no finite number of single precision",
  ],
  [
    "two axes",
    npyFile({ descr: "|u1", shape: [2, 4] }, new Uint8Array(8)),
    "x.npy has the shape (2, 4), and images have 3 or 4 axes",
  ],
  [
    "a shape below 0",
    npyFile({ descr: "|u1", shape: [-2, 4, 4] }, new Uint8Array(0)),
    "x.npy has the shape (-2, 4, 4), and shapes are whole numbers",
  ],
  [
    "images of no pixels",
    npyFile({ descr: "<f4", shape: [2 ** 53 - 1, 0, 4] }, new Uint8Array(0)),
    "x.npy holds images of 0x4 pixels and 1 channels",
  ],
  [
    "a header that is longer than any",
    npyFile({ descr: "|u1", shape: [1, 1, 1], version: 2, align: 2 ** 16 }, new Uint8Array(1)),
    "x.npy says that its header has 65,524 bytes",
  ],
  ["no images", npyFile({ descr: "|u1", shape: [0, 4, 4] }, new Uint8Array(0)), "x.npy holds no images"],
] as const;

test.each(wrong)("says what is wrong with %s", async (_, file, what) => {
  const error = await open({ "x.npy": file }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DataError);
  expect((error as DataError).what).toMatch(what);
});

test.each([
  [
    "floats",
    npyFile({ descr: "<f4", shape: [2] }, Float32Array.of(0, 1)),
    "y.npy holds <f4 of shape (2), and labels are one whole number for each image",
  ],
  [
    "labels of three axes",
    npyFile({ descr: "|u1", shape: [2, 1, 2] }, new Uint8Array(4)),
    "y.npy holds |u1 of shape (2, 1, 2), and labels are one whole number for each image",
  ],
  ["a label below 0", npyFile({ descr: "<i8", shape: [2] }, BigInt64Array.of(0n, -1n)), "y.npy holds the label -1"],
  [
    "numbers of samples",
    npyFile({ descr: "<i4", shape: [2] }, Int32Array.of(0, 300_000_000)),
    "y.npy holds 2 different labels up to 300,000,000, and labels number at most 100,000 classes from 0",
  ],
  [
    "too few labels",
    npyFile({ descr: "|u1", shape: [1] }, Uint8Array.of(0)),
    "x.npy holds 2 images and y.npy 1 labels",
  ],
] as const)("says what is wrong with %s as labels", async (_, labels, what) => {
  const error = await open({ "x.npy": images, "y.npy": labels }, { labels: "y.npy" }).catch((e: unknown) => e);
  expect(error).toMatchObject({ name: "DataError", what });
});

test("what a help says that images may be saved as, images accept", async () => {
  const file = npyFile({ descr: "<c8", shape: [1, 1, 1] }, new Float64Array(1));
  const { help } = (await open({ "x.npy": file }).catch((e: unknown) => e)) as DataError;
  const descr: Record<string, string> = { bool: "|b1", uint8: "|u1", float16: "<f2", float32: "<f4", float64: "<f8" };
  const named = [...(help.split(";")[0] as string).matchAll(/bool|u?int\d+|float\d+/g)].map(([name]) => name);
  expect(named).toEqual(Object.keys(descr));
  for (const name of named) {
    const accepted = npyFile({ descr: descr[name] as string, shape: [1, 1, 1] }, new Uint8Array(8));
    const width = Number(/\d/.exec(descr[name] as string));
    expect(pixelsOf(await open({ "x.npy": accepted.subarray(0, 128 + width) }), 0)).toEqual([0]);
  }
});

test.each([
  [
    "signals without leads",
    "<f4",
    [2, 16],
    /has the shape \(2, 16\), and signals have 3 or 4 axes.*samples, lead, time/,
  ],
  ["signals of another length", "<f4", [2, 2, 20], /holds signals of 2x20, and the model reads 2x16 \(lead, time\)/],
  ["no signals", "<f4", [0, 2, 16], /holds no signals/],
  ["complex numbers", "<c8", [2, 2, 16], /elements of type <c8/],
  ["words", "<U1", [2, 2, 16], /elements of type <U1/],
  ["numbers out of the range", "<f4", [2, 2, 16], /a value of 5 in signal 0, and float values lie in.*values: any/],
])("says what is wrong with %s", async (_, descr, shape, words) => {
  const file = npyFile({ descr, shape }, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(5));
  const array = signal.shape({ leads: 2, samples: 16, channels: 1, rate: null });
  await expect(open({ "x.npy": file }, {}, { array })).rejects.toThrow(words);
});

describe("labels as zeros and ones", () => {
  const images = npyFile({ descr: "|u1", shape: [3, 2, 2] }, Uint8Array.from(counting(12)));
  const flags = (values: readonly number[], shape: readonly number[] = [3, 2], descr: "|u1" | "<i2" = "|u1") =>
    npyFile({ descr, shape }, descr === "|u1" ? Uint8Array.from(values) : Int16Array.from(values));
  const labels = { labels: "y.npy", test_images: "x.npy", test_labels: "z.npy" };

  test("give each sample any number of classes", async () => {
    const index = await open(
      { "x.npy": images, "y.npy": flags([0, 1, 0, 0, 1, 1]), "z.npy": flags([0, 0, 0, 0, 0, 1]) },
      labels,
    );
    expect(index).toMatchObject({ several: true, classes: ["0", "1"] });
    expect(counting(3).map((i) => index.sample(i).label)).toEqual([[1], [], [0, 1]]);
  });

  test.each([
    [
      flags([0, 1, 0, 257, 1, 1], [3, 2], "<i2"),
      flags([0, 0, 0, 0, 0, 1]),
      "y.npy holds 257 in row 1 of labels of shape (3, 2)",
    ],
    [
      flags([0, 1, 0, -1, 1, 1], [3, 2], "<i2"),
      flags([0, 0, 0, 0, 0, 1]),
      "y.npy holds -1 in row 1 of labels of shape (3, 2)",
    ],
    [flags([0, 1, 0, 0], [2, 2]), flags([0, 0, 0, 0, 0, 1]), "x.npy holds 3 samples and y.npy 2 labels"],
    [
      flags([0, 1, 0, 0, 1, 1]),
      flags([0, 0, 1], [3, 1]),
      "y.npy holds flags of 2 classes, and z.npy holds flags of 1 classes",
    ],
    [
      flags([0, 1, 0, 0, 1, 1]),
      flags([0, 0, 1], [3]),
      "y.npy holds flags of 2 classes, and z.npy holds one label for each sample",
    ],
    [
      flags(new Array<number>(300_003).fill(0), [3, 100_001]),
      flags([0, 0, 1], [3]),
      "y.npy holds 100,001 different labels, and at most 100,000 classes are told apart",
    ],
  ])("that are wrong are refused: %#", async (own, test, what) => {
    const opened = open({ "x.npy": images, "y.npy": own, "z.npy": test }, labels);
    await expect(opened).rejects.toMatchObject({ what: what.replace("samples", "images") });
  });
});
