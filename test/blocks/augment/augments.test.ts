/** Flips, sizes, the centre and normalisation: the steps they plan and the mistakes they find. */

import { describe, expect, test } from "vitest";
import {
  type Augment,
  augments,
  centerCrop,
  horizontalFlip,
  normalize,
  resize,
  verticalFlip,
} from "../../../blocks/augment/index.js";
import { arrayOfImage, augmentContext, DataError } from "../../../blocks/index.js";
import { randomStream } from "../../../graph/index.js";

const context = (channels = 3) => augmentContext(arrayOfImage({ height: 224, width: 192, channels }));
const current = { height: 300, width: 401 };

const plan = (augment: Augment, values: object, sample = 0, size = current) =>
  augment.plan(values as never, size, context(), randomStream(0, "augment", sample));

const broken = (augment: Augment, values: object, channels = 3) =>
  (augment.requires ?? []).filter((r) => !r.holds(values as never, context(channels)));

describe.each([
  { flip: horizontalFlip, axis: "horizontal" },
  { flip: verticalFlip, axis: "vertical" },
])("a $axis flip", ({ flip, axis }) => {
  const flips = (probability: number) => {
    let count = 0;
    for (let sample = 0; sample < 2000; sample++) {
      const steps = plan(flip, { probability }, sample);
      if (steps.length > 0) expect(steps).toEqual([{ kind: "flip", axis }]);
      count += steps.length;
    }
    return count;
  };
  test("happens as often as asked", () => {
    expect([flips(0), flips(1)]).toEqual([0, 2000]);
    expect(Math.abs(flips(0.3) - 600)).toBeLessThan(5 * Math.sqrt(2000 * 0.3 * 0.7));
  });
});

describe("resize", () => {
  const values = { size: null, shorter: null, filter: "nearest" } as const;
  test("goes to the input's size, to a size, or to a shorter side", () => {
    const to = (p: object) => plan(resize, { ...values, ...p })[0];
    expect(to({})).toEqual({ kind: "resize", height: 224, width: 192, filter: "nearest" });
    expect(to({ size: [10, 20] })).toEqual({ kind: "resize", height: 10, width: 20, filter: "nearest" });
    expect(to({ shorter: 150 })).toEqual({ kind: "resize", height: 150, width: 200, filter: "nearest" });
  });
  test("takes one of the two", () => {
    expect(broken(resize, { ...values, size: [1, 1], shorter: 1 }).map((r) => r.name)).toEqual(["size-or-shorter"]);
    expect(broken(resize, values)).toEqual([]);
  });
});

describe("center_crop", () => {
  test("cuts the middle", () => {
    expect(plan(centerCrop, { size: [100, 101] })).toEqual([
      { kind: "crop", top: 100, left: 150, height: 100, width: 101 },
    ]);
    expect(plan(centerCrop, { size: null })).toEqual([{ kind: "crop", top: 38, left: 104, height: 224, width: 192 }]);
  });
  test("refuses an image that is too small, with a way out", () => {
    const small = () => plan(centerCrop, { size: [224, 224] }, 0, { height: 300, width: 200 });
    expect(small).toThrow(DataError);
    expect(small).toThrow(/300x200 pixels is smaller than the centre crop of 224x224.*resize\(shorter: 224\)/);
  });
  test("after resize(shorter: 256) is the evaluation of ImageNet models", () => {
    const [large] = plan(resize, { size: null, shorter: 256, filter: "bicubic" });
    if (large?.kind !== "resize") throw new Error("not a resize");
    expect(plan(centerCrop, { size: [224, 224] }, 0, large)).toEqual([
      { kind: "crop", top: 16, left: 59, height: 224, width: 224 },
    ]);
  });
});

describe("normalize", () => {
  const none = { statistics: null, mean: null, std: null };
  test("takes published or written numbers", () => {
    expect(plan(normalize, { ...none, statistics: "imagenet" })).toEqual([
      { kind: "normalize", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    ]);
    expect(plan(normalize, { ...none, mean: [0.5, 0.5, 0.5], std: [1, 2, 3] })).toEqual([
      { kind: "normalize", mean: [0.5, 0.5, 0.5], std: [1, 2, 3] },
    ]);
  });
  test.each([
    [none, 3, ["one-source"], "`normalize` needs a `mean` and a `std`, or the name of published statistics"],
    [
      { ...none, mean: [0.5] },
      1,
      ["one-source"],
      "`normalize` needs a `mean` and a `std`, or the name of published statistics",
    ],
    [
      { ...none, statistics: "mnist", mean: [0.5] },
      1,
      ["one-source"],
      "the statistics of `mnist` already say `mean` and `std`",
    ],
    [{ ...none, statistics: "imagenet" }, 1, ["one-number-a-channel"], "`normalize` has 3 numbers for 1 channel"],
    [
      { ...none, mean: [0.5, 0.5, 0.5], std: [1, 1] },
      3,
      ["one-number-a-channel"],
      "`normalize` has 2 numbers for 3 channels",
    ],
    [{ ...none, mean: [0.5], std: [0] }, 1, ["std-above-zero"], "`std` (0) divides by 0"],
  ])("finds %j with %i channels", (values, channels, names, sentence) => {
    const found = broken(normalize, values, channels);
    expect(found.map((r) => r.name)).toEqual(names);
    expect(found[0]?.say(values as never, context(channels))).toBe(sentence);
    expect(found[0]?.help?.(values as never, context(channels))).toMatch(/\w \w/);
  });
});

/** Values of those that cannot do without. */
const written: Readonly<Record<string, object>> = {
  intensity: { range: [0, 1] },
  leads: { names: "I, II" },
  normalize: { statistics: "imagenet" },
  pixel_shift: { most: 8 },
  spec_augment: { time: 8, frequency: 8 },
};

test("only those that say so vary a sample, and they vary it by their stream alone", () => {
  for (const augment of augments as readonly Augment[]) {
    const defaults = Object.fromEntries(Object.entries(augment.params).map(([name, p]) => [name, p.default]));
    const values = { ...defaults, ...written[augment.name] };
    const drawn = (sample: number): string =>
      JSON.stringify([
        plan(augment, values, sample),
        augment.mix?.(values as never, current, randomStream(0, "pairs", sample)),
        augment.ownShare?.(values as never, randomStream(0, "pairs", sample)),
      ]);
    const plans = Array.from({ length: 40 }, (_, sample) => drawn(sample));
    expect(new Set(plans).size > 1, augment.name).toBe(augment.random);
    expect(drawn(3)).toBe(plans[3]);
  }
});
