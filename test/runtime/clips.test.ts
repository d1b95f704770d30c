/** Clips and other arrays on their way to a model: the pictures of a sample are treated alike, and what does not fit is named. */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import type { ArrayShape, Sample, SampleIndex } from "../../blocks/index.js";
import { trainingBatches } from "../../runtime/data/batches.js";
import { viewOf } from "../../runtime/evaluate/views.js";
import { evaluationBatches, openData } from "../../runtime/index.js";
import { bound, indexOf } from "../support/data.js";

const root = mkdtempSync(join(tmpdir(), "maelang-clips-"));
afterAll(() => rmSync(root, { recursive: true }));

const clip = (frames: number, side: number): ArrayShape => ({
  axes: [
    { name: "time", size: frames },
    { name: "row", size: side },
    { name: "column", size: side },
  ],
  channels: 1,
});

/** Frames that differ by a constant: what is done to one can be told from another. */
function sampleOf(frames: number, side: number): Sample {
  const numbers = Uint8Array.from({ length: frames * side * side }, (_, at) => {
    const [frame, place] = [Math.floor(at / side / side), at % (side * side)];
    return 16 * frame + (7 * (place % side) + 3 * Math.floor(place / side)) / 4;
  });
  return { kind: "array", numbers, shape: clip(frames, side), label: 0 };
}

async function batch(index: SampleIndex, array: ArrayShape, augment: readonly string[], workers = 0) {
  const batches = await trainingBatches({
    ...{ index, arrays: { clip: array }, batch: 2, seed: 3, root, workers, start: 0, note: () => {} },
    augment: augment.map((name) => bound("augment", name)),
  });
  try {
    return Array.from((await batches.next()).arrays.clip as Float32Array);
  } finally {
    await batches.close();
  }
}

test("all frames of a clip are cropped, resized and flipped alike, in any thread", async () => {
  const index = indexOf([sampleOf(3, 8), sampleOf(3, 8)]);
  const augment = ["random_resized_crop", "horizontal_flip"];
  const values = await batch(index, clip(3, 4), augment);
  for (const first of [0, 48]) {
    for (let at = 0; at < 16; at++) {
      // Frames differ by 16 levels everywhere, up to what is rounded.
      for (const frame of [1, 2]) {
        const difference = (values[first + 16 * frame + at] as number) - (values[first + at] as number);
        expect(Math.abs(255 * difference - 16 * frame)).toBeLessThanOrEqual(1.01);
      }
    }
  }
  expect(await batch(index, clip(3, 4), augment, 2)).toEqual(values);
});

test("an array that is none of the model's is refused with both sizes", async () => {
  const index = indexOf([sampleOf(3, 8), sampleOf(3, 8)]);
  const refused = (array: ArrayShape) => batch(index, array, []).catch((error: Error) => error.message);
  expect(await refused(clip(2, 8))).toMatch(/3x8x8 and the model's input is 2x8x8 \(time, row, column\)/);
  expect(await refused({ ...clip(3, 8), channels: 3 })).toMatch(/1 channels and the model declares 3/);
});

/** Grey frames whose levels are the numbers of their names. */
async function writeVideo(path: string, numbers: readonly number[], side = 4): Promise<void> {
  mkdirSync(join(root, path), { recursive: true });
  for (const number of numbers) {
    const raw = { width: side, height: side, channels: 1 } as const;
    await sharp(Buffer.alloc(side * side, 10 * number), { raw })
      .toColourspace("b-w")
      .png()
      .toFile(join(root, path, `${number}.png`));
  }
}

test("a folder of frames is a video: in the order of its numbers, every so manieth, the middle where it is judged", async () => {
  await writeVideo(
    "videos/jump/a",
    [1, 2, 3, 8, 9, 10, 11].map((_, i) => i + 5),
  );
  await writeVideo("videos/walk/b", [1, 2, 3]);
  const arrays = { clip: clip(2, 4) };
  const open = (stride: number | null) =>
    openData([bound("dataset", "folder", { path: "videos", stride })], "train", root, { arrays });
  const index = await open(2);
  expect(index.classes).toEqual(["jump", "walk"]);
  const options = { index, arrays, augment: [], batch: 2, root, workers: 0, note: () => {} };
  for await (const { arrays: found, labels } of evaluationBatches(options)) {
    const levels = Array.from(found.clip as Float32Array, (value) => Math.round(25.5 * value));
    // Of 5 to 11, 7 and 9 are the middle, though 10 and 11 come before them by their letters.
    expect([levels[0], levels[16], levels[32], levels[48]]).toEqual([7, 9, 1, 3]);
    expect([...labels]).toEqual([0, 1]);
  }
  await expect(open(3)).rejects.toMatchObject({ what: expect.stringContaining("videos/walk/b holds 3 frames") });
  await writeVideo("videos/walk/b", [5, 6]);
  await expect(open(1)).rejects.toMatchObject({ what: expect.stringContaining("between 3.png and 5.png") });
});

test("evaluation looks at several parts of a sample: clips from its first frame to its last, crops along its longer side", async () => {
  const folder = "views/jump/a";
  mkdirSync(join(root, folder), { recursive: true });
  for (let frame = 0; frame < 7; frame++) {
    // Each column has a level of its own, and each frame.
    const pixels = Buffer.from(Array.from({ length: 4 * 10 }, (_, at) => 20 * frame + (at % 10)));
    await sharp(pixels, { raw: { width: 10, height: 4, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toFile(join(root, folder, `${frame}.png`));
  }
  const arrays = { clip: clip(2, 4) };
  const index = await openData([bound("dataset", "folder", { path: "views", stride: 2 })], "train", root, { arrays });
  const common = { index, arrays, batch: 4, root, workers: 0, note: () => {} };
  const firsts: number[] = [];
  const found: number[] = [];
  const augment = [bound("augment", "center_crop")];
  for await (const one of evaluationBatches({ ...common, augment, views: { clips: 3, crops: 2 } })) {
    const levels = Array.from(one.arrays.clip as Float32Array, (value) => Math.round(255 * value));
    for (let row = 0; row < one.count; row++) firsts.push(levels[32 * row] as number, levels[32 * row + 16] as number);
    found.push(...one.samples);
  }
  // Begins at frames 0, 2 and 4 of 7, of which a clip takes three, and at columns 0 and 6 of 10.
  expect(firsts).toEqual([0, 40, 6, 46, 40, 80, 46, 86, 80, 120, 86, 126]);
  expect(found).toEqual([0, 0, 0, 0, 0, 0]);
  // Where nothing is cut, pictures are covered first: here they are as high as the input.
  for await (const { arrays: own } of evaluationBatches({ ...common, augment: [], views: { clips: 1, crops: 2 } }))
    expect([0, 32].map((at) => Math.round(255 * ((own.clip as Float32Array)[at] as number)))).toEqual([40, 46]);
  const signal: ArrayShape = {
    axes: [
      { name: "lead", size: 1 },
      { name: "time", size: 4 },
    ],
    channels: 1,
  };
  const long = { ...signal, axes: [signal.axes[0] as ArrayShape["axes"][0], { name: "time" as const, size: 12 }] };
  const record: Sample = { kind: "array", numbers: Float32Array.from(Array(12).keys()), shape: long, label: 0 };
  const ofSignals = { ...common, index: indexOf([record]), arrays: { signal }, views: { clips: 3, crops: 1 } };
  for (const cuts of [[], [bound("augment", "random_window")]]) {
    for await (const { arrays: own } of evaluationBatches({ ...ofSignals, augment: cuts }))
      expect([0, 4, 8].map((at) => (own.signal as Float32Array)[at])).toEqual([0, 4, 8]);
  }
});

test("curves are drawn where their values are, and hidden times are shaded", () => {
  const array: ArrayShape = {
    axes: [
      { name: "lead", size: 1 },
      { name: "time", size: 512 },
    ],
    channels: 1,
  };
  const truth = Float32Array.from({ length: 512 }, (_, t) => t);
  const marked = Uint8Array.from({ length: 512 }, (_, t) => (t < 256 ? 1 : 0));
  const { shape, pixels } = viewOf(array, truth, { truth, marked });
  const inked = (x: number) =>
    Array.from({ length: shape.height }, (_, y) => y).filter(
      (y) => (pixels[(y * shape.width + x) * 3] as number) < 0.5,
    );
  expect(inked(100)).toEqual([]);
  const [low, high] = [inked(260), inked(511)] as const;
  expect(Math.min(...high)).toBeLessThan(Math.min(...low));
  expect(shape.width).toBe(512);
});
