/** What threads keep of small files from one epoch to the next: the same numbers, without opening the file again. */

import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { type ArrayShape, arrayLength, arrayOfImage, inputs, type Training } from "../../blocks/index.js";
import { defaultsOf } from "../../blocks/params.js";
import { type Kept, keepUpTo } from "../../runtime/data/kept.js";
import type { Source } from "../../runtime/data/preparation.js";
import { prepare } from "../../runtime/data/prepare.js";
import { bound } from "../support/data.js";
import { wav } from "../support/wav.js";

const folder = mkdtempSync(join(tmpdir(), "mae-kept-"));
const reference = join(import.meta.dirname, "../reference");

interface Case {
  readonly what: string;
  readonly array: ArrayShape;
  readonly augment: Training["augment"];
  /** Writes the file and gives it as a source. */
  readonly write: () => Promise<Source>;
}

const augment = (name: string, values: object = {}): Training["augment"][number] =>
  bound("augment", name, values as never) as never;

const path = (name: string): string => join(folder, name);
const file = (name: string): Source => ({ kind: "file", path: path(name), within: null });
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * i * 7 + 3 * i) % 251));
const picture = (height: number, width: number) =>
  sharp(noise(3 * height * width), { raw: { height, width, channels: 3 } });

const image = arrayOfImage({ height: 12, width: 12, channels: 3 });
const cases: readonly Case[] = [
  {
    what: "a picture that is cropped and enlarged",
    array: image,
    augment: [augment("random_resized_crop"), augment("horizontal_flip")],
    write: async () => {
      await picture(11, 13).png().toFile(path("a.png"));
      return file("a.png");
    },
  },
  {
    what: "the frames of a clip",
    array: inputs.video.shape({ frames: 2, size: [8, 8], channels: 3 }),
    augment: [augment("multi_scale_crop")],
    write: async () => {
      for (const i of [0, 1, 2])
        await picture(9, 10)
          .rotate(180 * (i % 2))
          .jpeg()
          .toFile(path(`${i}.jpg`));
      return { kind: "frames", path: folder, names: ["0.jpg", "1.jpg", "2.jpg"], count: 2, stride: 1 };
    },
  },
  {
    what: "a window of a sound",
    array: inputs.spectrogram.shape({
      ...defaultsOf(inputs.spectrogram.params),
      ...{ frames: 4, mels: 8, rate: 8000 },
    } as never),
    augment: [augment("random_window")],
    write: async () => {
      writeFileSync(
        path("a.wav"),
        wav(
          Float64Array.from({ length: 3000 }, (_, i) => Math.sin(i * i)),
          { rate: 8000 },
        ),
      );
      return file("a.wav");
    },
  },
  {
    what: "a whole sound, of which bands are hidden",
    array: inputs.spectrogram.shape({
      ...defaultsOf(inputs.spectrogram.params),
      ...{ frames: 4, mels: 8, rate: 8000 },
    } as never),
    augment: [augment("spec_augment", { time: 0, frequency: 6 })],
    write: async () => {
      writeFileSync(
        path("b.wav"),
        wav(
          Float64Array.from({ length: 900 }, (_, i) => Math.sin(i * i)),
          { rate: 8000 },
        ),
      );
      return file("b.wav");
    },
  },
  {
    what: "a box of a volume in another spacing",
    array: inputs.volume.shape({ size: [3, 4, 3], channels: 1, spacing: [3, 2, 2] }),
    augment: [augment("respace"), augment("random_box")],
    write: async () => {
      copyFileSync(join(reference, "scans/oblique-int16.nii"), path("a.nii"));
      return file("a.nii");
    },
  },
];

/** What training sees of a source in an epoch. */
async function seen({ array, augment }: Case, source: Source, epoch: number, kept?: Kept): Promise<Float32Array> {
  const out = new Float32Array(arrayLength(array));
  const preparation = { augment, arrays: { x: array }, seed: 1, mode: "train", fields: {}, root: folder } as const;
  const item = { sources: { x: source }, label: null, epoch, sample: 0 };
  const places = { arrays: { x: out }, fields: {} };
  await prepare(item, kept ? { ...preparation, kept } : preparation, places, () => undefined);
  return out;
}

describe("what is kept gives the same numbers without its file", () => {
  test.each(cases)("$what", async (one) => {
    const source = await one.write();
    const expected = await Promise.all([0, 1, 2, 3].map((epoch) => seen(one, source, epoch)));
    expect(new Set(expected.map((numbers) => numbers.join())).size).toBeGreaterThan(1);
    const [kept, full] = [keepUpTo(2 ** 20), keepUpTo(10)];
    for (const epoch of [0, 1, 2]) {
      expect(await seen(one, source, epoch, kept)).toEqual(expected[epoch]);
      expect(await seen(one, source, epoch, full)).toEqual(expected[epoch]);
    }
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    expect(await seen(one, source, 3, kept)).toEqual(expected[3]);
    await expect(seen(one, source, 3, full)).rejects.toMatchObject({ code: "run/unreadable" });
  });
});

test("of a picture that is cut off, the part that is there comes as it does without keeping", async () => {
  const whole = await picture(200, 40).png({ compressionLevel: 0 }).toBuffer();
  writeFileSync(path("cut.png"), whole.subarray(0, whole.length - 2000));
  const one: Case = { what: "", array: image, augment: [augment("center_crop")], write: async () => file("cut.png") };
  const tell = (kept?: Kept) => seen(one, file("cut.png"), 0, kept).catch((error: unknown) => String(error));
  expect(await tell(keepUpTo(2 ** 20))).toEqual(await tell());
});
