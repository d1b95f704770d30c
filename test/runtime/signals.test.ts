/** Records of signals: WFDB, EDF and BDF as other readers have them, filters as scipy has them, and what is wrong with files in words. */

import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type AugmentStep, augmentContext, augments, inputs } from "../../blocks/index.js";
import { defaultsOf } from "../../blocks/params.js";
import { randomStream } from "../../graph/index.js";
import { filtered } from "../../runtime/data/recording/band-pass.js";
import { withRecording } from "../../runtime/data/recording/open.js";
import { inMemory } from "../../runtime/data/recording/recording.js";
import { signalArray } from "../../runtime/data/recording/signal.js";
import { changed } from "../../runtime/data/recording/steps.js";
import { writeNumbers } from "../../runtime/data/write.js";
import recorded from "../reference/signals.json" with { type: "json" };

const records = join(import.meta.dirname, "../reference/records");
const folder = mkdtempSync(join(tmpdir(), "mae-signals-"));

test.each(recorded.cases)("$name is what other readers have, any part of it", async (one) => {
  const { rate, names, length, at, values } = one;
  await withRecording(join(records, one.name), async (recording) => {
    expect([recording.rate, recording.names, recording.length]).toEqual([rate, names, length]);
    const found = await recording.read(0, length);
    for (const [c, channel] of found.entries()) {
      for (const [k, i] of at.entries()) {
        const value = values[c]?.[k];
        if (value === null) expect(channel[i]).toBeNaN();
        else expect(channel[i]).toBeCloseTo(value as number, 9);
      }
    }
    // Missing samples are no numbers, and those that share bytes with others come whole.
    const [from, to] = [101, Math.min(length, 288)];
    expect(await recording.read(from, to)).toEqual(found.map((channel) => channel.slice(from, to)));
  });
});

test.each(recorded.filters)(
  "a filter is scipy's: $low to $high of $rate Hz, order $order",
  ({ result, rate, ...band }) => {
    const values = filtered(Float64Array.from(recorded.signal), rate, band);
    for (const [k, value] of result.entries()) expect(values[10 * k]).toBeCloseTo(value, 7);
  },
);

describe("recipes change recordings", () => {
  const array = inputs.signal.shape({ leads: 2, samples: 4, channels: 1, rate: null });
  const stored = [
    Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7),
    Float64Array.of(9, Number.NaN, Number.NaN, 3, 1, 0, 0, Number.NaN),
  ];
  const recording = inMemory(stored, { rate: 100, names: ["II", "V1"] });
  const carriedOut = async (...steps: readonly AugmentStep[]) => {
    const result = changed(recording, steps, array);
    return (await result.read(0, result.length)).map((values) => [...values]);
  };

  test("by picking, cutting and filling", async () => {
    expect(await carriedOut({ kind: "pick", names: ["v1"] }, { kind: "fill", by: "lines" })).toEqual([
      [9, 7, 5, 3, 1, 0, 0, 0],
    ]);
    expect(await carriedOut({ kind: "fill", by: "zeros" }, { kind: "cut", at: 0.5, pad: false })).toEqual([
      [2, 3, 4, 5],
      [0, 3, 1, 0],
    ]);
    const beginnings = [0, 0.19, 0.21, 0.999].map((at) => carriedOut({ kind: "cut", at, pad: false }));
    expect((await Promise.all(beginnings)).map(([first]) => first?.[0])).toEqual([0, 0, 1, 4]);
    const long = {
      ...array,
      axes: [
        { name: "lead", size: 2 },
        { name: "time", size: 10 },
      ],
    } as typeof array;
    const [padded] = await changed(recording, [{ kind: "cut", at: 0.7, pad: true }], long).read(0, 10);
    expect([...(padded as Float64Array)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0, 0]);
  });

  test("by turning round and making louder", async () => {
    const filled = { kind: "fill", by: "zeros" } as const;
    expect((await carriedOut(filled, { kind: "round", at: 0.49 }))[0]).toEqual([3, 4, 5, 6, 7, 0, 1, 2]);
    expect((await carriedOut(filled, { kind: "gain", by: 0.5 }))[1]).toEqual([4.5, 0, 0, 1.5, 0.5, 0, 0, 0]);
  });

  test("by standardising, each record or each lead", async () => {
    const [one, other] = await carriedOut(
      { kind: "fill", by: "zeros" },
      { kind: "level", over: "channel", nonzero: false },
    );
    const mean = (values: readonly number[] = []) => values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const lead of [one, other]) {
      expect(mean(lead)).toBeCloseTo(0, 12);
      expect(mean(lead?.map((value) => value ** 2))).toBeCloseTo(1, 12);
    }
    const all = (
      await carriedOut({ kind: "fill", by: "zeros" }, { kind: "level", over: "sample", nonzero: false })
    ).flat();
    expect(mean(all)).toBeCloseTo(0, 12);
    expect(mean(all.map((value) => value ** 2))).toBeCloseTo(1, 12);
  });
});

describe("what does not fit is told:", () => {
  const array = inputs.signal.shape({ leads: 3, samples: 301, channels: 1, rate: 250 });
  const header = readFileSync(join(records, "made212.hea"), "utf8");
  const edf = readFileSync(join(records, "test_generator.edf"));
  const changedEdf = (at: number, text: string, bytes = edf): Buffer => {
    const copy = Buffer.from(bytes);
    copy.write(text, at, "latin1");
    return copy;
  };
  copyFileSync(join(records, "made212.dat"), join(folder, "made212.dat"));

  test.each<[string, string, string | Buffer, string]>([
    ["a gap", "x.hea", header, "sample 100 of aVF is missing"],
    [
      "another rate",
      "x.hea",
      header.replace("3 250", "3 500"),
      "x.hea has 500 samples a second and the model declares 250. Write `resample`",
    ],
    [
      "too few leads",
      "x.hea",
      header.replace("made212 3", "made212 2"),
      "x.hea has 2 leads and the model declares 3: I, aVF",
    ],
    [
      "a record of two years",
      "x.hea",
      header.replace("250 301", "250 99999999999"),
      "made212.dat is cut off: 99,999,999,999 samples",
    ],
    [
      "packed signals",
      "x.hea",
      header.replaceAll("212 400", "516 400"),
      "I has format 516, and formats 16, 24, 32, 61, 80, 160, 212",
    ],
    [
      "two rates",
      "x.hea",
      header.replace("212 400.5", "212x4 400.5"),
      "I has other sampling times than the record (212x4)",
    ],
    [
      "another folder",
      "x.hea",
      header.replaceAll("made212.dat", "../made212.dat"),
      "I lies in ../made212.dat, outside the folder",
    ],
    ["no file", "x.hea", header.replaceAll("made212.dat", "none.dat"), "none.dat cannot be read: "],
    ["segments", "x.hea", "long/12 3 250 9999\n", "it is made of 12 segments"],
    [
      "a header cut off",
      "x.hea",
      header.split("\n").slice(0, 2).join("\n"),
      "it says that it has 3 leads, and 1 are described",
    ],
    ["no header", "x.hea", "I,II\n1,2\n", "it is no WFDB header"],
    ["no rate", "x.hea", header.replace("3 250", "3 0"), "it says that it has 0 samples a second"],
    ["an EDF cut off in its header", "x.edf", edf.subarray(0, 300), "it is cut off in its header: it has 300 bytes"],
    ["an EDF cut off", "x.edf", edf.subarray(0, edf.length - 9), "it says that it has 2 blocks, and 1 are there"],
    ["an EDF of gaps", "x.edf", changedEdf(192, "EDF+D"), "it has gaps in time (EDF+D)"],
    ["an EDF of 9999 signals", "x.edf", changedEdf(252, "9999"), "it says that it has 9999 signals"],
    ["an EDF without range", "x.edf", changedEdf(256 + 4 * 120, "32767   "), "is empty: all its numbers are 32767"],
    [
      "an EDF of two rates",
      "x.edf",
      readFileSync(join(records, "test_generator.bdf")),
      "has 1 lead and the model declares 3",
    ],
    [
      "text by that name",
      "x.edf",
      "hello, world",
      "it is no recording, and WAV, FLAC, MP3, EDF, BDF, WFDB and CSV files are read",
    ],
  ])("%s", async (_, name, content, words) => {
    writeFileSync(join(folder, name), content);
    await expect(signalArray(join(folder, name), array, [])).rejects.toThrow(words);
  });
});

describe("augmentations of spectrograms", () => {
  const array = inputs.spectrogram.shape({ ...defaultsOf(inputs.spectrogram.params), frames: 6, mels: 4 } as never);
  const numbers = Float32Array.from({ length: 24 }, (_, i) => i + 1);
  const written = (...steps: readonly AugmentStep[]) => {
    const out = new Float32Array(24);
    writeNumbers(numbers, array, steps, out);
    return [...out];
  };

  test("hide, move and add where they stand", () => {
    const hidden = written({ kind: "hide", axis: 1, from: 1, to: 3 }, { kind: "hide", axis: 0, from: 4, to: 5 });
    expect(hidden).toEqual([1, 0, 0, 4, 5, 0, 0, 8, 9, 0, 0, 12, 13, 0, 0, 16, 0, 0, 0, 0, 21, 0, 0, 24]);
    const normal = { kind: "normalize", mean: [1], std: [2] } as const;
    expect(written({ kind: "hide", axis: 0, from: 0, to: 6 }, normal)).toEqual(Array(24).fill(-0.5));
    expect(written(normal, { kind: "hide", axis: 0, from: 0, to: 6 })).toEqual(Array(24).fill(0));
    expect(written({ kind: "later", by: 1 }).slice(0, 5)).toEqual([21, 22, 23, 24, 1]);
    expect(written({ kind: "later", by: -2 }).slice(0, 2)).toEqual([9, 10]);
    const noisy = written({ kind: "add", loudness: 0.5, normal: false, seed: 3 });
    const added = noisy.map((value, i) => value - i - 1);
    expect(Math.min(...added)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...added)).toBeLessThan(0.5);
    expect(new Set(added).size).toBeGreaterThan(20);
  });

  test("draw bands as torchaudio does: less than asked for, within the spectrogram", () => {
    const p = { time: 4, frequency: 3, count: 1 };
    const widths = { 0: new Set<number>(), 1: new Set<number>() };
    for (let sample = 0; sample < 200; sample++) {
      const random = randomStream(1, "augment", 0, sample);
      for (const step of augments.specAugment.plan(p, { height: 1, width: 1 }, augmentContext(array), random)) {
        if (step.kind !== "hide") throw new Error("another step");
        widths[step.axis].add(step.to - step.from);
        expect(step.from).toBeGreaterThanOrEqual(0);
        expect(step.to).toBeLessThanOrEqual(step.axis === 0 ? 6 : 4);
      }
    }
    expect([[...widths[0]].sort(), [...widths[1]].sort()]).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2],
    ]);
  });
});
