/** Volumes from NIfTI files and DICOM series: as nibabel and pydicom have them, any box of them, and what is wrong with files in words. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { folder } from "../../blocks/dataset/index.js";
import { type ArrayShape, augments, inputs, type Training } from "../../blocks/index.js";
import { defaultsOf } from "../../blocks/params.js";
import { evaluationBatches } from "../../runtime/data/batches.js";
import { nodeFiles } from "../../runtime/data/files.js";
import { respaced } from "../../runtime/data/volume/respace.js";
import { type Triple, triple, turned, type Volume } from "../../runtime/data/volume/volume.js";
import { withVolume } from "../../runtime/data/volume/volume-file.js";
import recorded from "../reference/scans.json" with { type: "json" };
import { valuesOf } from "../support/data.js";

const scans = join(import.meta.dirname, "../reference/scans");
const namesIn = (name: string): readonly string[] => (name === "series" ? readdirSync(join(scans, name)) : []);
const open = <T>(name: string, use: (volume: Volume) => Promise<T>): Promise<T> =>
  withVolume(join(scans, name), namesIn(name), use);

const whole = (volume: Volume): Promise<Float32Array> => volume.read([0, 0, 0], volume.size);

interface Recorded {
  readonly size: readonly number[];
  readonly channels: number;
  readonly at: readonly (readonly number[])[];
  readonly values: readonly (readonly (number | null)[])[];
}

async function compare(volume: Volume, { size, channels, at, values }: Recorded): Promise<void> {
  expect([volume.size, volume.channels]).toEqual([size, channels]);
  const found = await whole(volume);
  for (const [k, [z, y, x]] of (at as readonly Triple[]).entries()) {
    for (const [c, value] of (values[k] as readonly (number | null)[]).entries()) {
      const own = found[((z * volume.size[1] + y) * volume.size[2] + x) * channels + c] as number;
      if (value === null) expect(own).toBeNaN();
      else expect(own).toBeCloseTo(value, 3);
    }
  }
  // Any box is that of the whole.
  const from = triple((a) => Math.min(1, volume.size[a] - 1));
  const to = triple((a) => Math.max(from[a] + 1, volume.size[a] - 1));
  const box = await volume.read(from, to);
  let at0 = 0;
  for (let z = from[0]; z < to[0]; z++) {
    for (let y = from[1]; y < to[1]; y++) {
      const start = ((z * volume.size[1] + y) * volume.size[2] + from[2]) * channels;
      const row = (to[2] - from[2]) * channels;
      expect(box.subarray(at0, at0 + row)).toEqual(found.subarray(start, start + row));
      at0 += row;
    }
  }
}

test.each(recorded.cases)("$name is what nibabel and pydicom read", async (one) => {
  await open(one.name, async (volume) => {
    for (const [a, spacing] of one.spacing.entries()) expect(volume.spacing?.[a]).toBeCloseTo(spacing, 5);
    await compare(volume, one);
  });
});

test.each(recorded.spaced)("$name in voxels of $to mm is what nibabel resamples", (one) =>
  open(one.name, (volume) => compare(respaced(volume, one.to as unknown as Triple, "lines"), one)),
);

/** The volumes of a folder, one after another. */
async function read(array: ArrayShape, path: string, augment: Training["augment"]) {
  const index = await folder.open(valuesOf(folder, { path: "scans" }), nodeFiles(path), "train", { array });
  const options = { index, augment, arrays: { x: array }, batch: index.length, root: path, workers: 0, note: () => {} };
  for await (const { arrays, labels } of evaluationBatches(options)) {
    return { numbers: arrays.x as Float32Array, labels: [...labels], length: index.length };
  }
  throw new Error("no batch");
}

const use = (definition: Training["augment"][number]["definition"], values: object = {}) => ({
  definition,
  values: { ...defaultsOf(definition.params), ...values },
});

const input = (size: Triple, spacing: Triple | null = null, channels = 1): ArrayShape =>
  inputs.volume.shape({ size, channels, spacing });

test("a folder of files and series becomes volumes of one size and spacing", async () => {
  const path = mkdtempSync(join(tmpdir(), "mae-scans-"));
  cpSync(join(scans, "oblique-int16.nii"), join(path, "scans/ct/a.nii"));
  cpSync(join(scans, "series"), join(path, "scans/mr/b"), { recursive: true });
  const steps = [
    use(augments.respace),
    use(augments.randomBox, { pad: true }),
    use(augments.intensity, { range: [0, 500] }),
  ];
  const { numbers, labels, length } = await read(input([4, 6, 6], [3, 1, 1]), path, steps as never);
  expect([length, labels]).toEqual([2, [0, 1]]);
  const size = [4, 6, 6] as const;
  const expected = await withVolume(join(path, "scans/ct/a.nii"), [], async (volume) => {
    const fine = respaced(volume, [3, 1, 1], "lines");
    const begin = triple((a) => Math.floor(0.5 * (fine.size[a] - size[a] + 1)));
    return fine.read(
      begin,
      triple((a) => begin[a] + size[a]),
    );
  });
  expect([...numbers.subarray(0, 144)]).toEqual(
    [...expected].map((value) => Math.fround(Math.min(1, Math.max(0, value / 500)))),
  );
});

describe("what does not fit is told:", () => {
  const nifti = readFileSync(join(scans, "scaled-int16.nii"));
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(nifti);
    change(bytes);
    return bytes;
  };
  const one = input([4, 4, 6]);

  test.each<[string, Buffer, ArrayShape, string]>([
    [
      "another number of slices",
      nifti,
      input([5, 4, 6]),
      "is 4x4x6 and the model's input is 5x4x6 (depth x row x column)",
    ],
    [
      "another spacing",
      nifti,
      input([4, 4, 6], [2, 1, 1]),
      "has voxels of 1, 1, 1 mm and the model declares 2, 1, 1. Write `respace`",
    ],
    [
      "four axes",
      readFileSync(join(scans, "two-channels-float32.nii")),
      input([5, 3, 4]),
      "has 2 values for each voxel and the model declares 1",
    ],
    ["cut off", nifti.subarray(0, 500), one, "it is cut off: 544 bytes are said to be there, and 500 are"],
    ["cut off in the header", nifti.subarray(0, 200), one, "it is no NIfTI file, or cut off in its header"],
    ["empty", Buffer.alloc(0), one, "it is empty"],
    ["text", Buffer.from("hello ".repeat(100)), one, "it is no NIfTI file"],
    ["2^45 voxels", changed((b) => [42, 44, 46].map((at) => b.writeInt16LE(32767, at))), one, "it is cut off: 70,36"],
    ["no voxels", changed((b) => b.writeInt16LE(-4, 44)), one, "it has 3 axes of 6x-4x4"],
    ["two axes", changed((b) => b.writeInt16LE(2, 40)), one, "it has 2 axes of 6x4, and a volume has three"],
    ["complex numbers", changed((b) => b.writeInt16LE(32, 70)), one, "it holds complex numbers"],
    [
      "axes that are not at right angles",
      changed((b) => b.writeFloatLE(0.4, 284)),
      one,
      "its axes are not at right angles",
    ],
    ["voxels without a size", changed((b) => b.writeFloatLE(0, 280)), one, "its voxels have no size"],
    [
      "a file of its own for voxels",
      changed((b) => b.write("ni1", 344)),
      one,
      "its voxels lie in a file of their own (.img)",
    ],
    ["compressed and cut off", gzipSync(nifti).subarray(0, 150), one, "it cannot be unpacked: unexpected end of file"],
    [
      "no numbers",
      readFileSync(join(scans, "resampled_anat_moved.nii")),
      input([3, 21, 17]),
      "voxels of it are no numbers, the first (0, 0, 0)",
    ],
  ])("%s", async (_, bytes, array, words) => {
    const path = mkdtempSync(join(tmpdir(), "mae-scan-"));
    mkdirSync(join(path, "scans"));
    writeFileSync(join(path, "scans/x.nii"), bytes);
    await expect(read(array, path, [])).rejects.toThrow(words);
  });

  test.each<[string, (folder: string) => void, string]>([
    [
      "a slice is missing",
      (f) => rmSync(join(f, "a.dcm")),
      "slices are missing: 9.00 mm lie between c.dcm and d.dcm, and 4.50 mm",
    ],
    ["a slice is there twice", (f) => cpSync(join(f, "a.dcm"), join(f, "e.dcm")), "lie at the same place"],
    [
      "a slice of another series",
      (f) => cpSync(join(scans, "packed.dcm"), join(f, "e.dcm")),
      "e.dcm is packed as JPEG 2000; unpack",
    ],
    [
      "a slice cut off",
      (f) => writeFileSync(join(f, "b.dcm"), readFileSync(join(f, "b.dcm")).subarray(0, 1500)),
      "b.dcm is cut off in its pixels",
    ],
    [
      "a slice that lies beside the others",
      (f) => {
        const text = readFileSync(join(f, "b.dcm"), "latin1");
        writeFileSync(join(f, "b.dcm"), text.replace("\\-91.2", "\\-93.2"), "latin1");
      },
      "mm beside",
    ],
    ["a text", (f) => writeFileSync(join(f, "e.dcm"), "hello"), "e.dcm is no DICOM file, or damaged"],
    ["one slice", (f) => ["a", "b", "d"].map((n) => rmSync(join(f, `${n}.dcm`))), "it is a single slice"],
    ["a slice that is a link to nothing", (f) => renameSync(join(f, "a.dcm"), join(f, "z.txt")), "slices are missing"],
  ])("of a series, %s", async (_, change, words) => {
    const path = mkdtempSync(join(tmpdir(), "mae-series-"));
    cpSync(join(scans, "series"), path, { recursive: true });
    change(path);
    const names = readdirSync(path).filter((name) => name.endsWith(".dcm"));
    await expect(withVolume(path, names, whole)).rejects.toThrow(words);
  });
});

test("nothing is read of what a header says alone", async () => {
  const stored = { size: [9999, 9999, 9999] as const, channels: 1, read: () => Promise.reject(new Error("read")) };
  const volume = turned(stored, [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  await expect(whole(volume)).rejects.toThrow("999,700,029,999 numbers of it are needed at once");
});
