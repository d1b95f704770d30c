/** The wording of progress, and how often it speaks. */

import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createProgress,
  duration,
  eventLines,
  liveLine,
  plainLine,
  type StepEvent,
  shortNumber,
} from "../../cli/words/progress.js";
import { count, grouped, plainColors } from "../../cli/words/terminal.js";

const step = (more: Partial<StepEvent> = {}): StepEvent => ({
  kind: "step",
  step: 120,
  epoch: 3,
  loss: 0.41237,
  terms: {},
  lr: 1.5e-4,
  imagesPerSecond: 1234.5,
  waiting: 0.034,
  secondsLeft: 754,
  memoryBytes: 300 * 2 ** 20,
  ...more,
});

const course = { total: 1000, sample: "image" };

describe("the live line", () => {
  it("says everything where there is room", () => {
    expect(liveLine(step(), course, 120, plainColors())).toBe(
      "██░░░░░░░░░░░░░░ 120/1000  loss 0.4124  12 min 34 s left  1235 images/s  lr 1.50e-4  waiting 3%  300 MiB",
    );
  });

  it("says what a loss of several terms is made of", () => {
    const terms = { mse: 0.98, adversarial: -1.2, adversary: 0.61234 };
    expect(liveLine(step({ terms }), course, 120, plainColors())).toContain(
      "left  mse 0.98  adversarial -1.2  adversary 0.6123  1235 images/s",
    );
    expect(plainLine(step({ terms }), course)).toContain("loss 0.4124  mse 0.98  adversarial -1.2");
    expect(liveLine(step({ terms: { mse: 0.98 } }), course, 110, plainColors())).not.toContain("mse");
  });

  it("counts samples as their medium calls them", () => {
    expect(plainLine(step(), { total: 1000, sample: "clip" })).toContain("1235 clips/s");
  });

  it("is never wider than the terminal, and keeps the step and the loss", () => {
    fc.assert(
      fc.property(fc.integer({ min: 24, max: 200 }), fc.nat(1e7), fc.nat(1e7), (columns, at, total) => {
        const line = stripVTControlCharacters(
          liveLine(step({ step: at }), { total, sample: "image" }, columns, plainColors()),
        );
        expect(line.length).toBeLessThan(columns);
        expect(line).toContain(`${at}/${total}`);
      }),
    );
    expect(liveLine(step(), course, 40, plainColors())).toContain("loss 0.4124");
  });
});

describe("plain lines", () => {
  let written: string[] = [];
  beforeEach(() => {
    written = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("come every five seconds and at the end, however fast the steps", () => {
    let now = 0;
    const progress = createProgress("image", () => now);
    progress({ kind: "start", step: 0, totalSteps: 100, stepsPerEpoch: 10, samples: 640, parameters: 1, notes: [] });
    for (let i = 1; i <= 100; i++) {
      now += 130;
      progress(step({ step: i }));
    }
    const steps = written.filter((line) => line.startsWith("step ")).map((line) => line.split(" ")[1]);
    expect(steps).toEqual(["1/100", "40/100", "79/100", "100/100"]);
  });

  it("read like a sentence", () => {
    expect(plainLine(step(), course)).toBe(
      "step 120/1000 (12.0%)  loss 0.4124  1235 images/s  lr 1.50e-4  waiting 3%  300 MiB  12 min 34 s left",
    );
  });
});

describe("other events", () => {
  it("are told in words", () => {
    const started = {
      kind: "start",
      step: 50,
      totalSteps: 9380,
      stepsPerEpoch: 1,
      samples: 60_000,
      parameters: 214_577,
    } as const;
    expect(eventLines({ ...started, notes: ["left out 2 files"] })).toEqual([
      "214,577 parameters, 60,000 samples, 9,380 steps, going on from step 50",
      "left out 2 files",
    ]);
    expect(eventLines({ kind: "probe", step: 10, name: "knn", scores: { top1: 0.93456, top5: 1 } })).toEqual([
      "knn at step 10: top1 0.9346, top5 1",
    ]);
  });
});

describe("numbers", () => {
  it.each([
    [0, "0"],
    [0.00012345, "1.23e-4"],
    [0.5, "0.5"],
    [12.3456, "12.35"],
    [123456.7, "123457"],
    [1.3880793e38, "1.39e+38"],
    [Number.NaN, "NaN"],
  ])("%d is %s", (value, text) => expect(shortNumber(value)).toBe(text));

  it.each([
    [0.4, "0 s"],
    [59.6, "1 min 00 s"],
    [3725, "1 h 02 min"],
    [Number.POSITIVE_INFINITY, "unknown time"],
  ])("%d seconds are %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  it("are grouped by thousands", () => {
    expect([0, 999, 1000, 1_234_567].map(grouped)).toEqual(["0", "999", "1,000", "1,234,567"]);
    expect([count(1, "file"), count(1000, "file")]).toEqual(["1 file", "1,000 files"]);
  });
});
