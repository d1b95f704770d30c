/** Clips of video files and animations: the frames that FFmpeg and Pillow have, wherever they begin, and what is wrong with files in words. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { folder } from "../../blocks/dataset/index.js";
import { inputs } from "../../blocks/index.js";
import { defaultsOf } from "../../blocks/params.js";
import { evaluationBatches } from "../../runtime/data/batches.js";
import { nodeFiles } from "../../runtime/data/files.js";
import { withRecording } from "../../runtime/data/recording/open.js";
import { readClip } from "../../runtime/data/video/video-file.js";
import { writeMedia } from "../../runtime/evaluate/media.js";
import type { Reconstruction } from "../../runtime/evaluate/reconstruct.js";
import recorded from "../reference/videos.json" with { type: "json" };
import { bound, valuesOf } from "../support/data.js";

const videos = join(import.meta.dirname, "../reference/videos");
const [height, width] = recorded.size as [number, number];
const right = (frame: number): number => (2 * frame) % (width - 8);

test.each(recorded.cases)(
  "$name is read frame by frame from any beginning",
  async ({ name, frames, square, beside }) => {
    for (const [count, stride, first] of [
      [3, 1, 0],
      [4, 5, 1],
      [2, 7, 13],
      [3, 1, 21],
      [1, 1, 11],
    ] as const) {
      let told = -1;
      const beginning = (most: number): number => {
        told = Math.max(told, most);
        return Math.min(first, most);
      };
      const clip = await readClip(join(videos, name), { count, stride, beginning }, 3);
      // Of a variable rate, how many frames there are is not known before.
      if (name !== "odd.mkv") expect(told).toBe(frames - (count - 1) * stride - 1);
      expect(clip.size).toEqual({ height, width });
      for (const [k, { pixels }] of clip.frames.entries()) {
        const at = first + k * stride;
        const colours = (row: number, column: number) => [
          ...pixels.subarray(3 * (row * width + column), 3 * (row * width + column) + 3),
        ];
        for (const [c, value] of colours(13, right(at) + 4).entries())
          expect(Math.abs(value - (square[at]?.[c] as number))).toBeLessThan(4);
        for (const [c, value] of colours(26, 24).entries())
          expect(Math.abs(value - (beside[at]?.[c] as number))).toBeLessThan(4);
      }
    }
  },
);

test("a folder holds videos, animations and folders of frames, and labels are folders", async () => {
  const root = mkdtempSync(join(tmpdir(), "mae-videos-"));
  for (const [name, path] of [
    ["moving.mp4", "a/x.mp4"],
    ["moving.webp", "a/y.webp"],
    ["moving.gif", "b/z.GIF"],
  ] as const) {
    cpSync(join(videos, name), join(root, "clips", path));
  }
  const array = inputs.video.shape({ frames: 2, size: [16, 16], channels: 3 });
  const values = valuesOf(folder, { path: "clips", stride: 4 });
  const index = await folder.open(values, nodeFiles(root), "train", { array });
  const augment = [bound("augment", "resize")];
  const options = { index, augment, arrays: { x: array }, batch: 3, root, workers: 0, note: () => {} };
  for await (const { arrays, labels } of evaluationBatches(options)) {
    expect([...labels]).toEqual([0, 0, 1]);
    const [first, second] = [0, 1].map((k) => (arrays.x as Float32Array).slice(k * 1536, (k + 1) * 1536));
    // The same clip, lossless and not.
    for (const [i, value] of (first as Float32Array).entries())
      expect(Math.abs(value - (second?.[i] as number))).toBeLessThan(0.08);
  }
});

const mp4 = readFileSync(join(videos, "moving.mp4"));
const gif = readFileSync(join(videos, "moving.gif"));
test.each<[string, string, Buffer, string]>([
  ["empty", "x.mp4", Buffer.alloc(0), "it is empty"],
  ["text", "x.mp4", Buffer.from("hello, world, hello, world"), "it is no MP4, MOV, WebM, Matroska, GIF or WebP file"],
  ["cut off", "x.mp4", mp4.subarray(0, 1500), "it is damaged, or no video that is read: Invalid data"],
  ["without what holds it together", "x.mp4", mp4.subarray(0, 100), "it is damaged, or no video that is read"],
  [
    "short",
    "x.gif",
    readFileSync(join(videos, "moving.gif")),
    "it has 24 frames, and a clip of the model takes 31 of them",
  ],
  ["short", "x.mp4", mp4, "it has 24 frames, and a clip of the model takes 31 of them"],
  ["a picture", "x.gif", readFileSync(join(import.meta.dirname, "../reference/sounds/mono.mp3")), "it is no MP4"],
  ["an animation cut off in its header", "x.gif", gif.subarray(0, 9), "it is damaged"],
])("what is of no use is told: %s", async (_, name, bytes, words) => {
  const path = join(mkdtempSync(join(tmpdir(), "mae-video-")), name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, bytes);
  const read = readClip(path, { count: 4, stride: 10, beginning: () => 0 }, 3);
  await expect(read).rejects.toThrow(words);
});

test("reconstructions of clips are written as animations, of spectrograms as sounds", async () => {
  const root = mkdtempSync(join(tmpdir(), "mae-shown-"));
  const one = (length: number, places: number): Reconstruction => {
    const values = Float32Array.from({ length }, (_, i) => (i % 7) / 7);
    return { input: values, output: values, pasted: values, hidden: new Uint8Array(places), errors: {} as never };
  };
  const clip = inputs.video.shape({ frames: 3, size: [8, 8], channels: 3 });
  expect(await writeMedia(join(root, "shown.png"), clip, [one(576, 192)])).toEqual([join(root, "shown.webp")]);
  const facts = await sharp(join(root, "shown.webp"), { pages: -1 }).metadata();
  expect([facts.pages, facts.delay]).toEqual([3, [150, 150, 150]]);
  const sound = inputs.spectrogram.shape({ ...defaultsOf(inputs.spectrogram.params), frames: 8, mels: 16 } as never);
  const files = await writeMedia(join(root, "heard.png"), sound, [one(128, 128)]);
  expect(files).toEqual(["input", "pasted"].map((name) => join(root, `heard-1-${name}.wav`)));
  await withRecording(files[0] as string, async ({ rate, length }) =>
    expect([rate, length]).toEqual([16_000, 400 + 7 * 160]),
  );
});
