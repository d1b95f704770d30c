/** npy files: types, versions, layouts, and everything that can be wrong with one. */

import { describe, expect, test } from "vitest";
import { npy } from "../../../blocks/dataset/index.js";
import { DataError, type SampleIndex } from "../../../blocks/index.js";
import { filesWith } from "./files.js";

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

const open = (contents: Readonly<Record<string, Uint8Array>>, values: object = {}) =>
  npy.open(
    { images: "x.npy", labels: null, test_images: null, test_labels: null, layout: "hwc", ...values },
    filesWith(contents),
    "train",
  );

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
    "x.npy holds a pixel of 255, and float pixels lie in [0, 1]",
  ],
  [
    "a pixel that is not a number",
    npyFile({ descr: "<f4", shape: [1, 1, 2] }, Float32Array.of(0.5, Number.NaN)),
    "x.npy holds a pixel of NaN, and float pixels lie in [0, 1]",
  ],
  [
    "two axes",
    npyFile({ descr: "|u1", shape: [2, 4] }, new Uint8Array(8)),
    "x.npy has the shape (2, 4), and images have 3 or 4 axes",
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
    "y.npy holds <f4 of shape (2), and labels are one whole number an image",
  ],
  [
    "one-hot labels",
    npyFile({ descr: "|u1", shape: [2, 2] }, new Uint8Array(4)),
    "y.npy holds |u1 of shape (2, 2), and labels are one whole number an image",
  ],
  ["a label below 0", npyFile({ descr: "<i8", shape: [2] }, BigInt64Array.of(0n, -1n)), "y.npy holds the label -1"],
  [
    "too few labels",
    npyFile({ descr: "|u1", shape: [1] }, Uint8Array.of(0)),
    "x.npy holds 2 images and y.npy 1 labels",
  ],
] as const)("says what is wrong with %s as labels", async (_, labels, what) => {
  const error = await open({ "x.npy": images, "y.npy": labels }, { labels: "y.npy" }).catch((e: unknown) => e);
  expect(error).toMatchObject({ name: "DataError", what });
});
