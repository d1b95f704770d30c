/** Sound: WAV files of every kind that is read, what is wrong with others in words, and spectrograms as torchaudio has them. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { FrameWindow } from "../../blocks/index.js";
import { openRecording } from "../../runtime/data/recording/open.js";
import { inMemory } from "../../runtime/data/recording/recording.js";
import { resampled } from "../../runtime/data/recording/resample.js";
import { logMel } from "../../runtime/data/sound/filterbank.js";
import { powerSpectrum, transform } from "../../runtime/data/sound/fourier.js";
import { soundFromLogMel } from "../../runtime/data/sound/griffin-lim.js";
import { openPlainFile } from "../../runtime/plain-file.js";
import recorded from "../reference/fbank.json" with { type: "json" };
import others from "../reference/resample.json" with { type: "json" };
import { chunk, riff, wav } from "../support/wav.js";

const folder = mkdtempSync(join(tmpdir(), "mae-sound-"));

async function read(bytes: Uint8Array) {
  const path = join(folder, "sound.wav");
  writeFileSync(path, bytes);
  return readFile(path);
}

async function readFile(path: string) {
  const plain = await openPlainFile(path);
  try {
    const { rate, length, read } = await openRecording(plain, path);
    return { rate, channels: (await read(0, length)).map((values) => [...values]) };
  } finally {
    await plain.file.close();
  }
}

/** The rule of fbank.py, in whole numbers. */
function sound(rate: number, count: number): Float64Array {
  let state = 1;
  return Float64Array.from({ length: count }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const noise = (state >>> 16) % 2048;
    const sweep = ((i * (Math.floor(i / 64) + 200)) % 65536) - 32768;
    const saw = (Math.floor((i * 440 * 65536) / rate) % 65536) - 32768;
    const loud = 1 + (Math.floor(i / 2000) % 4);
    return Math.floor((Math.floor(sweep / 4) + Math.floor(saw / 8) + noise - 1024) / loud) / 2 ** 15;
  });
}

describe("spectrograms are those of torchaudio.compliance.kaldi.fbank", () => {
  test.each(recorded.cases)("$rate Hz, $options.num_mel_bins bands, $options.window_type", (one) => {
    const { rate, count, options } = one;
    const found = logMel({
      rate,
      mels: options.num_mel_bins,
      window: options.window_type as FrameWindow,
      length: options.frame_length ?? 25,
      shift: options.frame_shift,
      low: options.low_freq ?? 20,
      high: options.high_freq ?? null,
    })(sound(rate, count));
    expect(found.length).toBe(one.frames * options.num_mel_bins);
    const differences = one.at.flatMap((t, row) =>
      (one.features[row] as number[]).map((value, m) =>
        Math.abs((found[t * options.num_mel_bins + m] as number) - value),
      ),
    );
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  });
});

describe("resampled sound is that of torchaudio.functional.resample", () => {
  test.each(others.cases)("$rate Hz as $to Hz, $options", async ({ rate, to, count, options, length, at, values }) => {
    const { lowpass_filter_width: width = 6, rolloff = 0.99, beta = null } = options as Record<string, number>;
    const recording = inMemory([sound(rate, count)], { rate, names: null });
    const result = resampled(recording, to, { width, rolloff, beta });
    expect(result.length).toBe(length);
    const [whole] = await result.read(0, length);
    // Recorded in double precision, but for the window, which torchaudio computes in single.
    for (const [k, i] of at.entries()) expect(whole?.[i]).toBeCloseTo(values[k] as number, 6);
    const [part] = await result.read(60, 200);
    expect(part).toEqual(whole?.subarray(60, 200));
  });
});

describe("FLAC and MP3 files", () => {
  test.each(others.files)("are what libsndfile reads: $name", async ({ name, rate, length, at, values }) => {
    const found = await readFile(join(import.meta.dirname, "../reference/sounds", name));
    expect([found.rate, found.channels.map((channel) => channel.length)]).toEqual([
      rate,
      found.channels.map(() => length),
    ]);
    for (const [k, i] of at.entries()) {
      for (const [c, channel] of found.channels.entries()) expect(channel[i]).toBeCloseTo(values[k]?.[c] as number, 5);
    }
  });
});

const flac = readFileSync(join(import.meta.dirname, "../reference/sounds/stereo-24.flac"));
const [mp3 = flac, mono = flac] = ["stereo.mp3", "mono.mp3"].map((name) =>
  readFileSync(join(import.meta.dirname, "../reference/sounds", name)),
);
/** A text or a picture of 200 bytes, as players write them before sound. */
const tag = Buffer.concat([Buffer.from("ID3\x04\0\0\0\0\x01\x48", "latin1"), Buffer.alloc(200, 255)]);

test("an MP3 with texts before, between and behind its frames is the sound alone", async () => {
  const behind = Buffer.from("TAG".padEnd(128, "x"));
  expect(await read(Buffer.concat([tag, mp3, behind, Buffer.alloc(64)]))).toEqual(await read(mp3));
});

const damaged = (bytes: Buffer): Buffer => Buffer.from(bytes).fill(7, 1500, 1600);
const longer = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(0xffff_ffff, 22);
  return copy;
};

describe("WAV files", () => {
  const values = [0, 0.5, -0.5, 0.25, -1, 0.75];

  test.each([
    ["whole numbers", 8],
    ["whole numbers", 16],
    ["whole numbers", 24],
    ["whole numbers", 32],
    ["floats", 32],
    ["floats", 64],
  ] as const)("are read: %s of %i bits, plain and extensible, with parts of odd length before", async (kind, bits) => {
    for (const extensible of [false, true]) {
      const before = [chunk("LIST", Buffer.from("odd"))];
      const bytes = wav(values, { rate: 8000, channels: 2, bits, kind, extensible, before });
      expect(await read(bytes)).toEqual({
        rate: 8000,
        channels: [
          [0, -0.5, -1],
          [0.5, 0.25, 0.75],
        ],
      });
    }
  });

  test("of a stream, whose length was not known, are read to their end", async () => {
    const bytes = wav(values, { rate: 8000 });
    bytes.writeUInt32LE(0xffff_ffff, 40);
    expect((await read(bytes)).channels).toEqual([values]);
  });

  const good = wav(values, { rate: 8000 });
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(good);
    change(bytes);
    return bytes;
  };

  test.each<[string, Uint8Array, string]>([
    ["empty", Buffer.alloc(0), "it is empty"],
    ["three bytes", good.subarray(0, 3), "it is cut off: it has 3 bytes"],
    ["only a beginning", good.subarray(0, 12), "it says nothing of its format (no part `fmt `)"],
    [
      "cut off in the format",
      good.subarray(0, 30),
      "it is cut off: a part `fmt ` of 16 bytes begins at byte 20, and the file has 30",
    ],
    [
      "cut off in the sound",
      good.subarray(0, 50),
      "it is cut off: it says that it has 12 bytes of sound, and 6 are there",
    ],
    ["without sound", good.subarray(0, 36), "it has no sound (no part `data`)"],
    ["with no sample", wav([], { rate: 8000 }), "it holds no sound: its part `data` is empty"],
    ["sound first", riff([chunk("data", Buffer.alloc(4))]), "its sound comes before the words on its format (`fmt `)"],
    ["no channels", changed((b) => b.writeUInt16LE(0, 22)), "it says that it has 0 channels"],
    ["no rate", changed((b) => b.writeUInt32LE(0, 24)), "it says that it has 0 samples a second"],
    [
      "a wrong block",
      changed((b) => b.writeUInt16LE(3, 32)),
      "it says that 1 channel of 16 bits take 3 bytes, and they take 2",
    ],
    [
      "12 bits",
      changed((b) => b.writeUInt16LE(12, 34)),
      "its sound is of 12 bits, and whole numbers of 8, 16, 24 and 32 bits and floats of 32 and 64 are read",
    ],
    [
      "mu-law",
      changed((b) => b.writeUInt16LE(7, 20)),
      "its sound is packed as mu-law, and whole numbers of 8, 16, 24 and 32 bits and floats of 32 and 64 are read",
    ],
    [
      "a part of 4 GB",
      changed((b) => b.writeUInt32LE(0xffff_fff0, 16)),
      "it is cut off: a part `fmt ` of 4,294,967,280 bytes begins at byte 20, and the file has 56",
    ],
    [
      "sound of 4 GB",
      changed((b) => b.writeUInt32LE(0xffff_fff0, 40)),
      "it is cut off: it says that it has 4,294,967,280 bytes of sound, and 12 are there",
    ],
    ["no number", wav([0, Number.NaN], { rate: 8000, kind: "floats", bits: 32 }), "its sample 1 is NaN"],
    [
      "Ogg",
      Buffer.from("OggS\0\0\0\0\0\0\0\0"),
      "it is an Ogg file, and WAV, FLAC, MP3, EDF, BDF, WFDB and CSV files are read",
    ],
    ["a cut FLAC", flac.subarray(0, 2000), "it is cut off or damaged: 0 samples"],
    ["a damaged FLAC", damaged(flac), "it is cut off or damaged: 0 samples"],
    ["a FLAC of 2^36 samples", longer(flac), "numbers of it are needed at once, and at most 33,554,432 are held"],
    ["a cut MP3", mp3.subarray(0, 2000), "it is cut off: it says that it has"],
    ["an MP3 with a hole", Buffer.from(mp3).fill(1, 1200, 2600), "it is damaged: after"],
    ["an MP3 that goes on as another", Buffer.concat([mp3, tag, mono]), "its sampling rate or its channels change"],
    ["an MP3 without sound", Buffer.from(`ID3\x04${"\0".repeat(400)}`), "it holds no sound, or none that is MP3"],
    [
      "text",
      Buffer.from("lead,I,II,III\n"),
      "it is no recording, and WAV, FLAC, MP3, EDF, BDF, WFDB and CSV files are read",
    ],
    [
      "FLAC",
      Buffer.from("fLaC\0\0\0\x22...."),
      "it is cut off or damaged: a FLAC file begins with the words on its sound (STREAMINFO)",
    ],
  ])("that are of no use: %s", async (_, bytes, words) => {
    await expect(read(bytes)).rejects.toThrow(words);
  });
});

test("a rough sound of a spectrogram has nearly that spectrogram", () => {
  const bank = { rate: 8000, mels: 40, window: "hanning", length: 25, shift: 10, low: 20, high: null } as const;
  const tones = Float64Array.from(
    { length: 4000 },
    (_, i) => 0.4 * Math.sin(i * (i < 2000 ? 0.3 : 0.9)) + 0.2 * Math.sin(i * 0.05),
  );
  const energies = logMel(bank)(tones);
  const rough = soundFromLogMel(energies, bank);
  expect(Math.max(...rough.map(Math.abs))).toBeCloseTo(0.7, 6);
  const again = logMel(bank)(rough);
  // Loudness apart, and where there is something to hear.
  const heard = [...energies.keys()].filter((i) => (energies[i] as number) > 2);
  const differences = heard.map((i) => (again[i] as number) - (energies[i] as number));
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  const spread = Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / differences.length);
  expect(heard.length).toBeGreaterThan(100);
  expect(spread).toBeLessThan(1);
});

test.each([1, 2, 4, 8, 32, 64, 256])("the transform of %i numbers is the sum that defines it", (length) => {
  const values = sound(8000, 2 * length);
  const expected = Array.from({ length }, (_, k) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < length; n++) {
      const [a, b] = [values[2 * n] as number, values[2 * n + 1] as number];
      const [cos, sin] = [Math.cos((2 * Math.PI * k * n) / length), -Math.sin((2 * Math.PI * k * n) / length)];
      [re, im] = [re + a * cos - b * sin, im + a * sin + b * cos];
    }
    return [re, im];
  }).flat();
  const found = transform(length)(values);
  for (const [i, one] of expected.entries()) expect(found[i]).toBeCloseTo(one, 10);
  // Of real numbers, the transform of the same with imaginary parts of zero.
  const wide = Float64Array.from({ length: 4 * length }, (_, i) => (i % 2 === 0 ? (values[i / 2] as number) : 0));
  const whole = transform(2 * length)(wide);
  const power = new Float64Array(length);
  powerSpectrum(2 * length)(values, power);
  for (const [k, one] of power.entries())
    expect(one).toBeCloseTo((whole[2 * k] as number) ** 2 + (whole[2 * k + 1] as number) ** 2, 10);
});
