/** Two frames of a video as views of it: how far apart they are, that what is drawn for both is the same, and what evaluation sees. */

import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ModelProgram, SampleIndex, Training } from "../../blocks/index.js";
import { trainingBatches } from "../../runtime/data/batches.js";
import { evaluationBatches, openData } from "../../runtime/index.js";
import { bound, indexOf } from "../support/data.js";
import { programOfText } from "../support/model.js";

const root = mkdtempSync(join(tmpdir(), "maelang-pairs-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Frames of 8x8 pixels whose level is ten times their number, from 1, and brighter to the right. */
beforeAll(async () => {
  for (const [name, frames] of [
    ["long", 12],
    ["short", 4],
  ] as const) {
    mkdirSync(join(root, "videos", name), { recursive: true });
    for (let number = 1; number <= frames; number++) {
      const pixels = Buffer.from(Array.from({ length: 64 }, (_, at) => 10 * number + (at % 8)));
      await sharp(pixels, { raw: { width: 8, height: 8, channels: 1 } })
        .toColourspace("b-w")
        .png()
        .toFile(join(root, "videos", name, `${number}.png`));
    }
  }
  mkdirSync(join(root, "films"));
  cpSync(join(import.meta.dirname, "../reference/videos/moving.gif"), join(root, "films/moving.gif"));
});

const model = (views: string, size = "8x8", channels = 1): ModelProgram =>
  programOfText(`edition 2026
model Pairs {
  input   image(size: ${size}, channels: ${channels})
  views   ${views}
  tokens  patch(size: 4x4)
  encoder vit(depth: 1, width: 8, heads: 2)
  mask    random(ratio: 50%, on: [second])
  decoder cross(depth: 1, width: 8, heads: 2, asks: [first])
  target  pixels
  loss    mse(on: hidden)
}`);

const open = (program: ModelProgram, path = "videos", stride: number | null = null): Promise<SampleIndex> =>
  openData([bound("dataset", "folder", { path, stride })], "train", root, program);

/** The first pixels of both frames of each sample, epoch after epoch, in levels of a byte. */
async function pairs(
  program: ModelProgram,
  index: SampleIndex,
  { augment = [], epochs = 40, workers = 0 }: { augment?: Training["augment"]; epochs?: number; workers?: number } = {},
): Promise<readonly { readonly sample: number; readonly first: number[]; readonly second: number[] }[]> {
  const { arrays, views: streams } = program;
  const options = { index, augment, arrays, streams, batch: index.length, seed: 5, root, workers, start: 0 };
  const batches = await trainingBatches({ ...options, note: () => undefined });
  const seen = [];
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const { arrays: rows, samples } = await batches.next();
      for (const [i, sample] of samples.entries()) {
        const levels = (name: string): number[] => {
          const all = rows[name] as Float32Array;
          const length = all.length / samples.length;
          return Array.from(all.subarray(i * length, (i + 1) * length), (value) => 255 * value);
        };
        seen.push({ sample, first: levels("first"), second: levels("second") });
      }
    }
  } finally {
    await batches.close();
  }
  return seen;
}

const numberOf = (levels: readonly number[]): number => Math.floor(Math.round(levels[0] as number) / 10);

test("every gap is drawn, of a short video what it allows, and every place of the first", async () => {
  const program = model("frames(gap: 2..5)");
  const all = await pairs(program, await open(program), { epochs: 80 });
  const gapsOf = (sample: number): number[] =>
    all.filter((one) => one.sample === sample).map(({ first, second }) => numberOf(second) - numberOf(first));
  expect([...new Set(gapsOf(0))].sort()).toEqual([2, 3, 4, 5]);
  expect([...new Set(gapsOf(1))].sort()).toEqual([2, 3]);
  const beginnings = new Set(all.filter(({ sample }) => sample === 0).map(({ first }) => numberOf(first)));
  expect([...beginnings].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("a stride of the data counts first", async () => {
  const program = model("frames(gap: 1..2)");
  const index = await open(program, "videos", 3);
  const gaps = (await pairs(program, index)).map(({ first, second }) => numberOf(second) - numberOf(first));
  expect(new Set(gaps)).toEqual(new Set([3, 6]));
});

test("what has no label is drawn once for both, in any thread, or for each", async () => {
  const augment = [bound("augment", "random_resized_crop", { scale: [0.2, 0.5] }), bound("augment", "horizontal_flip")];
  const shared = model("frames(gap: 1..1)");
  const seen = await pairs(shared, await open(shared), { augment, epochs: 4 });
  for (const { first, second } of seen) {
    // The next frame is ten levels brighter everywhere, up to what is rounded.
    for (const [at, level] of first.entries()) expect(Math.abs((second[at] as number) - level - 10)).toBeLessThan(1.01);
  }
  expect(await pairs(shared, await open(shared), { augment, epochs: 4, workers: 1 })).toEqual(seen);
  const own = model("frames(gap: 1..1, shared: false)");
  const apart = await pairs(own, await open(own), { augment, epochs: 4 });
  const isAlike = apart.map(({ first, second }) =>
    first.every((level, at) => Math.abs((second[at] as number) - level - 10) < 1.01),
  );
  expect(isAlike).toContain(false);
});

test("a whole sample is the frame in the middle", async () => {
  const program = model("frames(gap: 2..3)");
  const index = await open(program);
  const options = { index, arrays: program.arrays, augment: [], batch: 2, root, workers: 0, note: () => undefined };
  for await (const { arrays } of evaluationBatches(options)) {
    const rows = arrays.image as Float32Array;
    expect([0, 64].map((from) => numberOf([255 * (rows[from] as number)]))).toEqual([6, 2]);
  }
});

test("frames of one file are those of a folder, and of an array in memory", async () => {
  const program = model("frames(gap: 3..3)", "32x48", 3);
  const index = await open(program, "films");
  const [pair] = await pairs(program, index, { epochs: 1 });
  expect(pair?.first).not.toEqual(pair?.second);
  const grey = model("frames(gap: 3..3)");
  const axes = (["time", "row", "column"] as const).map((name, i) => ({ name, size: i === 0 ? 4 : 8 }));
  const numbers = Uint8Array.from({ length: 4 * 64 }, (_, at) => 10 * (1 + Math.floor(at / 64)));
  const stored = indexOf([{ kind: "array", numbers, shape: { axes, channels: 1 }, label: 0 }]);
  const [inMemory] = await pairs(grey, stored, { epochs: 1 });
  expect([inMemory?.first, inMemory?.second].map((levels = []) => numberOf(levels))).toEqual([1, 4]);
});

test("a video without two such frames is refused, and what is no video too", async () => {
  const long = model("frames(gap: 6..9)");
  await expect(open(long)).rejects.toThrow("holds 4 frames, and a clip of 2 frames, 6 apart, needs 7");
  const images = openData([bound("dataset", "idx", { images: "x" })], "train", root, long);
  await expect(images).rejects.toThrow(/has data for image/);
});
