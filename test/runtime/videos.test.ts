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
import { checkDecoded } from "../../runtime/data/video/clip.js";
import { readClip } from "../../runtime/data/video/video-file.js";
import { writeMedia } from "../../runtime/evaluate/media.js";
import type { Reconstruction } from "../../runtime/evaluate/reconstruction.js";
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
      // Just before a key frame, which is decoded before it is seen.
      [1, 1, 7],
    ] as const) {
      let told = -1;
      const beginning = (most: number): number => {
        told = Math.max(told, most);
        return Math.min(first, most);
      };
      const clip = await readClip(join(videos, name), { count, stride: () => stride, only: null, beginning }, 3);
      // Of a variable rate, how many frames there are is not known before.
      if (!name.startsWith("odd")) expect(told).toBe(frames - (count - 1) * stride - 1);
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

/** The video with numbers of 16.16 bits in the matrix of its track. */
function turnedBy(...matrix: readonly [number, number, number, number]): Buffer {
  const bytes = Buffer.from(mp4);
  const at = bytes.indexOf("tkhd") + 44;
  for (const [i, number] of matrix.entries()) bytes.writeInt32BE(number * 2 ** 16, at + ([0, 4, 12, 16][i] as number));
  return bytes;
}

test.each<[string, Parameters<typeof turnedBy>, (row: number, column: number) => readonly [number, number]]>([
  ["a quarter to the right", [0, 1, -1, 0], (row, column) => [column, height - 1 - row]],
  ["a quarter to the left", [0, -1, 1, 0], (row, column) => [width - 1 - column, row]],
  ["half round", [-1, 0, 0, -1], (row, column) => [height - 1 - row, width - 1 - column]],
  ["mirrored", [-1, 0, 0, 1], (row, column) => [row, width - 1 - column]],
])("frames are seen as a telephone was held: %s", async (_, matrix, seenAt) => {
  const path = join(mkdtempSync(join(tmpdir(), "mae-turned-")), "x.mp4");
  writeFileSync(path, turnedBy(...matrix));
  const wanted = { count: 2, stride: () => 3, only: null, beginning: () => 4 };
  const [stored, seen] = [await readClip(join(videos, "moving.mp4"), wanted, 3), await readClip(path, wanted, 3)];
  expect(seen.size).toMatchObject(matrix[0] === 0 ? { height: width, width: height } : { height, width });
  for (const [k, { pixels }] of seen.frames.entries()) {
    for (let i = 0; i < pixels.length; i++) {
      const place = Math.floor(i / 3);
      const [row, column] = seenAt(Math.floor(place / width), place % width);
      const own = pixels[3 * (row * seen.size.width + column) + (i % 3)];
      if (own !== stored.frames[k]?.pixels[i]) expect([row, column, own]).toEqual(stored.frames[k]?.pixels[i]);
    }
  }
});

const gif = readFileSync(join(videos, "moving.gif"));
const still = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
  .gif()
  .toBuffer();
const damaged = Buffer.from(mp4).fill(0xff, mp4.indexOf("mdat") + 4, mp4.indexOf("moov") - 4);
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
  ["an animation cut off", "x.webp", readFileSync(join(videos, "moving.webp")).subarray(0, 900), "it is damaged"],
  ["a still picture", "x.gif", still, "it has 1 frame, and a clip of the model takes 31 of them"],
])("what is of no use is told: %s", async (_, name, bytes, words) => {
  const path = join(mkdtempSync(join(tmpdir(), "mae-video-")), name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, bytes);
  const read = readClip(path, { count: 4, stride: () => 10, only: null, beginning: () => 0 }, 3);
  await expect(read).rejects.toThrow(words);
});

test.each<[string, Buffer, string]>([
  ["turned askew", turnedBy(0.7, 0.7, -0.7, 0.7), "its frames are turned by an angle that is no quarter"],
  [
    "frames packed in another way",
    Buffer.from(mp4.toString("latin1").replace("avc1", "xyz1").replace("avc1", "xyz1"), "latin1"),
    "its frames are packed in a form that has no name here, and H.264, H.265, VP8, VP9 and AV1 are read",
  ],
  ["damaged", damaged, "it cannot be decoded"],
])("what cannot be decoded is told: %s", async (_, bytes, words) => {
  const path = join(mkdtempSync(join(tmpdir(), "mae-video-")), "x.mp4");
  writeFileSync(path, bytes);
  await expect(readClip(path, { count: 4, stride: () => 1, only: null, beginning: () => 9 }, 3)).rejects.toThrow(words);
});

test("frames that take more than is held are not decoded", () => {
  const most = { codedHeight: 8192, codedWidth: 4096 };
  expect(() => checkDecoded(most, 4)).not.toThrow();
  expect(() => checkDecoded(most, 5)).toThrow("5 frames of 8192x4096 take more than 512 MiB");
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
