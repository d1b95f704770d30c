/** Folders of sounds and of records: samples as the model reads them, and what does not fit it told with the file and the way out. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder } from "../../blocks/dataset/index.js";
import { type ArrayShape, augments, bindField, heads, inputs, type Training } from "../../blocks/index.js";
import { defaultsOf } from "../../blocks/params.js";
import { evaluationBatches, trainingBatches } from "../../runtime/data/batches.js";
import { nodeFiles } from "../../runtime/data/files.js";
import type { FieldArray } from "../../runtime/data/preparation.js";
import { inMemory } from "../../runtime/data/recording/recording.js";
import { resampled } from "../../runtime/data/recording/resample.js";
import { logMel } from "../../runtime/data/sound/filterbank.js";
import { valuesOf } from "../support/data.js";
import { wav } from "../support/wav.js";

const spectrogram = inputs.spectrogram.shape({
  ...defaultsOf(inputs.spectrogram.params),
  ...{ frames: 6, mels: 4, rate: 8000 },
} as never);
const signal = inputs.signal.shape({ leads: 2, samples: 3, channels: 1, rate: null });

/** The arrays of a folder with these files, one after another, and the notes. */
async function read(
  array: ArrayShape,
  files: Readonly<Record<string, Uint8Array | string>>,
  augment: Training["augment"] = [],
) {
  const root = mkdtempSync(join(tmpdir(), "mae-media-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, "data", path)), { recursive: true });
    writeFileSync(join(root, "data", path), content);
  }
  const index = await folder.open(valuesOf(folder, { path: "data" }), nodeFiles(root), "train", { array });
  const notes: string[] = [];
  const note = (text: string) => notes.push(text);
  const options = { index, augment, arrays: { x: array }, batch: index.length, root, workers: 0, note };
  for await (const { arrays, labels } of evaluationBatches(options)) {
    return { numbers: [...(arrays.x as Float32Array)], labels: [...labels], classes: index.classes, notes };
  }
  throw new Error("no batch");
}

const otherTone = (length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.round(6000 * Math.sin(i / 3)) / 2 ** 15);

const tone = (length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.round(9000 * Math.sin(i)) / 2 ** 15);

test("sounds become spectrograms: the beginning of long ones, zeros behind short ones, channels side by side", async () => {
  const bank = { ...(spectrogram.sound as NonNullable<ArrayShape["sound"]>), mels: 4 };
  const whole = [...logMel(bank)(tone(600))].map(Math.fround);
  expect(whole.length).toBe(6 * 4);
  const { numbers, labels, classes } = await read(spectrogram, {
    "a/long.wav": wav(tone(5000), { rate: 8000 }),
    "b/short.WAV": wav(tone(360), { rate: 8000, bits: 32 }),
  });
  expect(numbers).toEqual([...whole, ...whole.slice(0, 3 * 4), ...Array(3 * 4).fill(0)]);
  expect([labels, classes]).toEqual([
    [0, 1],
    ["a", "b"],
  ]);
  const both = Float64Array.from({ length: 1200 }, (_, i) => (i % 2 === 0 ? (tone(600)[i / 2] as number) : 0));
  const stereo = await read({ ...spectrogram, channels: 2 }, { "x.wav": wav(both, { rate: 8000, channels: 2 }) });
  expect(stereo.numbers).toEqual(whole.flatMap((value) => [value, Math.fround(Math.log(2 ** -23))]));
});

test("sounds of any rate and any channels are read where the recipe says how", async () => {
  const bank = { ...(spectrogram.sound as NonNullable<ArrayShape["sound"]>), mels: 4 };
  const low = Float64Array.from({ length: 2400 }, (_, i) => Math.sin(i / 40) / 2);
  const both = Float64Array.from({ length: 4800 }, (_, i) => (low[i >> 1] as number) * (i % 2 === 0 ? 1.5 : 0.5));
  const files = { "x.wav": wav(both, { rate: 32_000, channels: 2, bits: 64, kind: "floats" }) };
  const steps = [
    { definition: augments.mix, values: {} },
    { definition: augments.resample, values: defaultsOf(augments.resample.params) },
  ];
  const { numbers } = await read(spectrogram, files, steps as never);
  const filter = { width: 6, rolloff: 0.99, beta: null };
  const [expected] = await resampled(inMemory([low], { rate: 32_000, names: null }), 8000, filter).read(0, 600);
  expect(numbers).toEqual([...logMel(bank)(expected as Float64Array)].map(Math.fround));
});

describe("sounds that are mixed", () => {
  const sounds = { "a/x.wav": wav(tone(600), { rate: 8000 }), "b/y.wav": wav(otherTone(360), { rate: 8000 }) };
  const mixing = { definition: augments.mixSounds, values: { alpha: 10, probability: 1 } };

  /** What training sees of two sounds in some epochs: the array, the labels and the number of each sample. */
  async function trained(files: Readonly<Record<string, Uint8Array>>, note: (text: string) => void = () => undefined) {
    const root = mkdtempSync(join(tmpdir(), "mae-mixed-"));
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, "data", path)), { recursive: true });
      writeFileSync(join(root, "data", path), content);
    }
    const index = await folder.open(valuesOf(folder, { path: "data" }), nodeFiles(root), "train", {
      array: spectrogram,
    });
    const field = bindField("head", heads.classifier, { classes: 2 } as never, { array: spectrogram } as never);
    const options = { index, augment: [mixing], arrays: { x: spectrogram }, fields: { labels: field }, seed: 3 };
    const batches = await trainingBatches({ ...options, batch: 2, root, workers: 0, note, start: 0 } as never);
    const seen: { readonly numbers: readonly number[]; readonly labels: readonly number[]; readonly sample: number }[] =
      [];
    for (let epoch = 0; epoch < 12; epoch++) {
      const { arrays, fields, samples } = await batches.next();
      for (const [i, sample] of samples.entries()) {
        const own = (all: FieldArray | undefined): readonly number[] =>
          [...(all ?? [])].slice((i * (all?.length ?? 0)) / 2, ((i + 1) * (all?.length ?? 0)) / 2);
        seen.push({ numbers: own(arrays.x), labels: own(fields.labels), sample });
      }
    }
    await batches.close();
    return seen;
  }

  test("are so before spectrograms are made of them, and their labels alike", async () => {
    const bank = { ...(spectrogram.sound as NonNullable<ArrayShape["sound"]>), mels: 4 };
    const waves = [tone(600), Float64Array.from({ length: 600 }, (_, i) => otherTone(360)[i] ?? 0)];
    const seen = await trained(sounds);
    let mixed = 0;
    for (const { numbers, labels, sample } of seen) {
      const ownShare = labels[sample] as number;
      expect((labels[0] as number) + (labels[1] as number)).toBeCloseTo(1, 6);
      // With itself a sound stays what it is.
      if (ownShare < 1) mixed++;
      const [own, other] = [waves[sample], waves[1 - sample]] as [Float64Array, Float64Array];
      const length = sample === 0 ? 600 : 360;
      const together = own.slice(0, length).map((value, i) => ownShare * value + (1 - ownShare) * (other[i] as number));
      const expected = [...logMel(bank)(together), ...Array(24).fill(0)].slice(0, 24);
      expect(Math.max(...numbers.map((value, i) => Math.abs(value - expected[i])))).toBeLessThan(1e-4);
    }
    expect(mixed).toBeGreaterThan(4);
    expect(mixed).toBeLessThan(seen.length);
    expect(await trained(sounds)).toEqual(seen);
  });

  test("a broken one is told by its own name, whatever it was to be mixed with", async () => {
    const notes: string[] = [];
    const whole = Array.from({ length: 4 }, (_, i) => [`a/${i}.wav`, wav(tone(600), { rate: 8000 })] as const);
    const broken = { "b/broken.wav": wav(tone(600), { rate: 8000 }).subarray(0, 400) };
    await trained({ ...Object.fromEntries(whole), ...broken }, (text) => notes.push(text));
    expect(notes).toEqual([expect.stringContaining("b/broken.wav cannot be decoded")]);
  });
});

test("records become signals, lead by lead", async () => {
  const { numbers } = await read(signal, { "x.csv": "I,II\n1,4\n2,5\n3,6\n" });
  expect(numbers).toEqual([1, 2, 3, 4, 5, 6]);
});

test.each<[string, ArrayShape, string, Uint8Array | string, RegExp]>([
  [
    "another rate",
    spectrogram,
    "x.wav",
    wav(tone(600), { rate: 16000 }),
    /x\.wav has 16,000 samples a second and the model declares 8,000\. Write `resample` .* `rate: 16000 Hz`/,
  ],
  [
    "stereo",
    spectrogram,
    "x.wav",
    wav(tone(600), { rate: 8000, channels: 2 }),
    /x\.wav is stereo and the model declares mono\. Write `mix` .* `channels: 2`/,
  ],
  [
    "less than a frame",
    spectrogram,
    "x.wav",
    wav(tone(100), { rate: 8000 }),
    /x\.wav: it has 100 samples, and a frame of 25 ms takes 200/,
  ],
  [
    "a cut file",
    spectrogram,
    "x.wav",
    wav(tone(600), { rate: 8000 }).subarray(0, 400),
    /it is cut off: it says that it has 1,200 bytes of sound/,
  ],
  [
    "no sounds",
    spectrogram,
    "x.ogg",
    "OggS",
    /data holds no sounds \(left out 1 file that cannot be read as sounds: 1 \.ogg\)\. Name a folder with \.wav, \.flac or \.mp3 files/,
  ],
  [
    "a column of times",
    signal,
    "x.csv",
    "time,I,II\n0,1,2\n1,1,2\n2,1,2\n",
    /has 3 leads and the model declares 2: time, I, II\. Name those that are wanted .* `leads\("\.\.\."\)`/,
  ],
  ["a table turned round", signal, "x.csv", "1,2,3\n4,5,6\n", /Save the table turned round/],
  [
    "too many rows",
    signal,
    "x.csv",
    "1,2\n1,2\n1,2\n1,2\n",
    /has 4 samples of each lead and the model declares 3\. Write `random_window` .* `samples: 4`/,
  ],
  ["too few rows", signal, "x.csv", "I,II\n1,2\n", /has 1 sample of each lead and the model declares 3/],
  ["rows of other lengths", signal, "x.csv", "1,2\n1\n1,2\n", /line 2 has 1 value, and line 1 has 2/],
  ["no value", signal, "x.csv", "1,2\nnan,2\n1,2\n", /line 2, column 1 is `nan`, which is no number/],
  ["more than a number holds", signal, "x.csv", "1,2\n1e999,2\n1,2\n", /line 2, column 1 is 1e999, more than single/],
  ["names alone", signal, "x.csv", "I,II\n", /has the names of 2 columns and no numbers/],
  ["an empty record", signal, "x.csv", "", /it is empty/],
  ["an empty sound", spectrogram, "x.wav", "", /it is empty/],
  ["a sound without sound", spectrogram, "x.wav", wav([], { rate: 8000 }), /holds no sound: its part `data` is empty/],
  [
    "another file by the name of a sound",
    spectrogram,
    "x.wav",
    `ID3${"\0".repeat(99)}`,
    /it holds no sound, or none that is MP3/,
  ],
  ["no number", signal, "x.csv", "I,II\n1,2\n1,x\n1,2\n", /line 3, column 2 \(II\) is `x`, which is no number/],
  [
    "features",
    { ...signal, channels: 2 },
    "x.csv",
    "1,2\n1,2\n1,2\n",
    /one value for each lead and time, and the model declares 2 channels/,
  ],
])("what does not fit is told: %s", async (_, array, name, content, words) => {
  await expect(read(array, { [name]: content })).rejects.toThrow(words);
});
