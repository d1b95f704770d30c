/** Folders of sounds and of records: samples as the model reads them, and what does not fit it told with the file and the way out. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { folder } from "../../blocks/dataset/index.js";
import { type ArrayShape, inputs } from "../../blocks/index.js";
import { defaultsOf } from "../../blocks/params.js";
import { evaluationBatches } from "../../runtime/data/batches.js";
import { nodeFiles } from "../../runtime/data/files.js";
import { logMel } from "../../runtime/data/sound/filterbank.js";
import { wav } from "../support/wav.js";

const spectrogram = inputs.spectrogram.shape({
  ...defaultsOf(inputs.spectrogram.params),
  ...{ frames: 6, mels: 4, rate: 8000 },
} as never);
const signal = inputs.signal.shape({ leads: 2, samples: 3, channels: 1 });

/** The arrays of a folder with these files, one after another, and the notes. */
async function read(array: ArrayShape, files: Readonly<Record<string, Uint8Array | string>>) {
  const root = mkdtempSync(join(tmpdir(), "mae-media-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, "data", path)), { recursive: true });
    writeFileSync(join(root, "data", path), content);
  }
  const values = { path: "data", test: null, holdout: 0, stride: null, labels: null, test_labels: null };
  const index = await folder.open(values, nodeFiles(root), "train", { array });
  const notes: string[] = [];
  const note = (text: string) => notes.push(text);
  const options = { index, augment: [], arrays: { x: array }, batch: index.length, root, workers: 0, note };
  for await (const { arrays, labels } of evaluationBatches(options)) {
    return { numbers: [...(arrays.x as Float32Array)], labels: [...labels], classes: index.classes, notes };
  }
  throw new Error("no batch");
}

const tone = (length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.round(9000 * Math.sin(i)) / 2 ** 15);

test("sounds become spectrograms: the beginning of long ones, zeros behind short ones, channels side by side", async () => {
  const bank = { ...(spectrogram.sound as NonNullable<ArrayShape["sound"]>), mels: 4 };
  const whole = [...logMel(tone(600), bank)].map(Math.fround);
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
    /x\.wav has 16,000 samples a second and the model declares 8,000\. Convert .* -ar 8000 .* `rate: 16000 Hz`/,
  ],
  [
    "stereo",
    spectrogram,
    "x.wav",
    wav(tone(600), { rate: 8000, channels: 2 }),
    /x\.wav is stereo and the model declares mono\. Convert .* -ac 1 .* `channels: 2`/,
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
    "x.mp3",
    "ID3",
    /data holds no sounds \(left out 1 file that cannot be read as sounds: 1 \.mp3\)\. Name a folder with \.wav files/,
  ],
  [
    "a column of times",
    signal,
    "x.csv",
    "time,I,II\n0,1,2\n1,1,2\n2,1,2\n",
    /has 3 columns and the model declares 2 leads; the first is `time`\. Leave out columns that are no leads/,
  ],
  ["a table turned round", signal, "x.csv", "1,2,3\n4,5,6\n", /Save the table turned round/],
  [
    "too many rows",
    signal,
    "x.csv",
    "1,2\n1,2\n1,2\n1,2\n",
    /has 4 rows of values and the model declares 3 samples\. Cut .* `samples: 4`/,
  ],
  ["too few rows", signal, "x.csv", "I,II\n1,2\n", /has 1 row of values and the model declares 3 samples/],
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
    /it is an MP3 file, and WAV files are read/,
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
