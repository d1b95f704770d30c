/** Reconstructions: what is shown, and how far it is from the truth. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import {
  type ArrayShape,
  afterTraining,
  arrayLength,
  arrayOf,
  arrayOfImage,
  type BoundField,
  batchInputs,
  boxLength,
  cutInto,
  filledFromVisible,
  imageOf,
  inPatches,
  type Lattice,
  type ModelProgram,
  maskedBatch,
  normalizePatches,
  patchify,
  patchMeans,
  patchPlaces,
  predictOf,
  registry,
  tokenCount,
  weightsOf,
} from "../../../blocks/index.js";
import { assemble, programOf } from "../../../compiler/assemble/assemble.js";
import { evaluate as compute, createBuilder, randomStream, type Tensor } from "../../../graph/index.js";
import { writePng } from "../../../runtime/data/image/png.js";
import { colourScale } from "../../../runtime/evaluate/colours.js";
import { reconstructionPicture } from "../../../runtime/evaluate/picture.js";
import { meanErrors } from "../../../runtime/evaluate/reconstruction.js";
import { RunError, sampleMasks } from "../../../runtime/index.js";
import { movingFeeds } from "../../../runtime/train/inputs.js";
import { bound } from "../../support/data.js";
import { gridOf, maskOf, reconstructed } from "../../support/one-array.js";
import { recorded } from "../../support/recorded.js";
import { difference, executor, rectangle, reference, square } from "./model.js";

const folder = mkdtempSync(join(tmpdir(), "maelang-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A model that predicts its target exactly. */
const oracle = (program: ModelProgram, normalized: boolean): ModelProgram => ({
  ...program,
  predict(g, _, { image }) {
    const patches = patchify(g, image as never, gridOf(program) as never) as Tensor;
    return normalized ? (normalizePatches(g, patches as never) as Tensor) : patches;
  },
});

/** Mean squared step to the right and down, between hidden pixels. */
function meanStep(
  pixels: Float32Array,
  hidden: Uint8Array,
  { height, width, channels }: { readonly height: number; readonly width: number; readonly channels: number },
): number {
  const steps: number[] = [];
  for (const [at, flag] of hidden.entries()) {
    const [y, x] = [Math.floor(at / width), at % width];
    const next = [...(x + 1 < width ? [at + 1] : []), ...(y + 1 < height ? [at + width] : [])];
    for (const other of next.filter((place) => flag === 1 && hidden[place] === 1)) {
      for (let c = 0; c < channels; c++) {
        steps.push(((pixels[other * channels + c] as number) - (pixels[at * channels + c] as number)) ** 2);
      }
    }
  }
  return steps.reduce((sum, step) => sum + step, 0) / steps.length;
}

const cases = [
  ["mae-rectangle", rectangle, false],
  ["mae-square", square, true],
] as const;

/** A fixture that holds its own spec; `size`: of its batch. */
function opened(name: string) {
  const { fixture, model, weights } = recorded<{ readonly spec: string; readonly batch: number }>(name);
  const image = Float32Array.from(fixture.values("image"));
  return { program: programOf(assemble(model)), weights, image, size: fixture.header.batch };
}

test("needs nothing of a target beside the pixels, and something to show", async () => {
  const options = { executor: await executor(), colours: null, seed: 5 };
  const both = opened("r-mae");
  const found = await reconstructed(both, both.image, options);
  expect(found.every(({ errors }) => Number.isFinite(errors.mse))).toBe(true);
  const alone = opened("rae");
  await expect(reconstructed(alone, alone.image, options)).rejects.toMatchObject({ code: "run/features" });
});

test("draws a mask from the image where it is, in its own colours", async () => {
  const { weights, image, batch } = reference("mae-square");
  const grid = gridOf(square);
  const shape = imageOf(square);
  const count = tokenCount(grid);
  const field: BoundField = {
    kind: "mask",
    block: { name: "brightness" },
    values: {},
    context: { array: arrayOf(square).shape, grid },
    shape: [count],
    dtype: "float32",
    // The first value of each patch.
    compute: ({ array: pixels }) =>
      Float32Array.from({ length: count }, (_, token) => {
        const [first] = patchPlaces(grid, token, shape.channels);
        return pixels[first as number] as number;
      }),
  };
  const brightest = (values: ArrayLike<number>): Int32Array =>
    Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
  const program: ModelProgram = {
    ...square,
    fields: { mask: field },
    masks: { image: { ...maskOf(square), sample: (_, values) => brightest(values ?? []) } },
  };
  const colours = { mean: [0.5, 0.5, 0.5], std: [0.1, 0.1, 0.1] };
  const found = await reconstructed({ program, weights }, image, { executor: await executor(), colours, seed: 5 });
  expect(found).toHaveLength(batch);
  for (const [i, { hidden }] of found.entries()) {
    const own = image.slice((image.length / batch) * i, (image.length / batch) * (i + 1));
    const units = own.map((value) => value * 0.1 + 0.5);
    const order = brightest(field.compute({ array: units, label: null, random: randomStream(5, "field") }));
    for (const [place, token] of order.entries()) {
      const [first] = patchPlaces(grid, token);
      expect(hidden[first as number]).toBe(place < maskOf(square).visible ? 0 : 1);
    }
  }
});

test("shows what a guided mask hides: the same patches as the loss", async () => {
  const { program, weights, image, size } = opened("sma");
  const options = { executor: await executor(), colours: null, seed: 5 };
  const found = await reconstructed({ program, weights }, image, options);
  const g = createBuilder({ batch: size });
  const w = weightsOf(g, program.parameters);
  const batch = maskedBatch(g, program, w);
  const graph = g.finish({ outputs: { total: program.loss(g, w, batch).total, hidden: batch.hidden as Tensor } });
  const samples = Int32Array.from({ length: size }, (_, i) => i);
  const feeds = { image, ...sampleMasks(program, 5, 0, samples), ...movingFeeds(program, afterTraining) };
  const { total, hidden } = compute(graph, feeds, weights).outputs;
  expect(meanErrors(found.map(({ errors }) => errors)).mse).toBeCloseTo(total?.[0] as number, 5);
  const shown = found.flatMap(({ hidden: pixels }) =>
    Array.from({ length: tokenCount(gridOf(program)) }, (_, token) => {
      const [first] = patchPlaces(gridOf(program), token);
      return pixels[first as number] === 1 ? [token] : [];
    }).flat(),
  );
  const each = shown.length / size;
  const expected = Array.from({ length: size }, (_, i) =>
    [...(hidden as Int32Array).slice(i * each, (i + 1) * each)].sort((a, b) => a - b),
  );
  expect(shown).toEqual(expected.flat());
});

describe.each(cases)("reconstruct with %s", (name, program, normalized) => {
  const { weights, image, batch } = reference(name);
  const { height, width, channels } = imageOf(program);
  const size = height * width * channels;

  test("measures the loss of the model on its own masks", async () => {
    const found = await reconstructed({ program, weights }, image, {
      executor: await executor(),
      colours: null,
      seed: 5,
    });
    const g = createBuilder({ batch });
    const { total } = program.loss(g, weightsOf(g, program.parameters), batchInputs(g, program));
    const masks = sampleMasks(
      program,
      5,
      0,
      Int32Array.from({ length: batch }, (_, i) => i),
    );
    const graph = g.finish({ outputs: { total } });
    const feeds = Object.fromEntries(
      [...graph.feeds.keys()].map((key) => [key, { image, ...masks }[key] as Float32Array]),
    );
    const expected = compute(graph, feeds, weights).outputs.total?.[0] as number;
    expect(meanErrors(found.map(({ errors }) => errors)).mse).toBeCloseTo(expected, 5);
  });

  test("shows the true image when the prediction is true, whatever the colours", async () => {
    const colours = { mean: [0.4, 0.5, 0.6].slice(0, channels), std: [0.1, 0.05, 0.2].slice(0, channels) };
    const found = await reconstructed({ program: oracle(program, normalized), weights }, image, {
      executor: await executor(),
      colours,
      seed: 5,
    });
    const [height, width] = (program.arrays.image as ArrayShape).axes.map((axis) => axis.size) as [number, number];
    for (const [i, { input, output, pasted, aided, hidden, errors }] of found.entries()) {
      const pixels = image
        .slice(i * size, (i + 1) * size)
        .map((value, at) => value * (colours.std[at % channels] as number) + (colours.mean[at % channels] as number));
      expect(errors.trueDetail).toBeCloseTo(meanStep(pixels, hidden, { height, width, channels }), 6);
      const truth = pixels.map((value) => Math.min(Math.max(value, 0), 1));
      expect(difference(input, truth)).toBeLessThan(1e-6);
      expect(aided !== undefined).toBe(normalized);
      expect(difference(aided ?? output, truth)).toBeLessThan(1e-5);
      expect(errors.mse).toBeLessThan(1e-9);
      expect(errors.aidedMse).toBeLessThan(1e-9);
      if (normalized) {
        // True in units of each patch, and not told what these are.
        expect(difference(pasted, truth)).toBeGreaterThan(0.01);
        expect(errors.pixelMse).toBeGreaterThan(1e-4);
      } else {
        expect(difference(pasted, truth)).toBeLessThan(1e-5);
        expect(errors.psnr).toBeGreaterThan(90);
        expect(errors.detail / errors.trueDetail).toBeCloseTo(1, 4);
      }
    }
    expect(found).toHaveLength(batch);
  });

  test("pastes the input over the visible patches only", async () => {
    const [first] = await reconstructed({ program, weights }, image.slice(0, size), {
      executor: await executor(),
      colours: { mean: Array(channels).fill(0.5), std: Array(channels).fill(0.1) },
      seed: 6,
    });
    if (first === undefined) throw new Error("nothing was reconstructed");
    const visible = first.hidden.reduce((count, hidden) => count + 1 - hidden, 0);
    expect(visible).toBe(maskOf(program).visible * boxLength(gridOf(program)));
    const expected = first.input.map((value, at) =>
      first.hidden[Math.floor(at / channels)] === 1 ? (first.output[at] as number) : value,
    );
    expect(first.pasted).toEqual(expected);
    expect(first.output).not.toEqual(first.pasted);
  });
});

test("the mean of each patch is the yardstick of the error", async () => {
  // A quarter of each patch is one, the rest zero: variance 3/16.
  const image = Float32Array.from({ length: 24 * 40 }, (_, at) => (at % 4 === 0 ? 1 : 0));
  const { weights } = reference("mae-rectangle");
  const [found] = await reconstructed({ program: rectangle, weights }, image, {
    executor: await executor(),
    colours: null,
    seed: 0,
  });
  expect(found?.errors.meanMse).toBeCloseTo(3 / 16, 6);
});

describe("without the statistics of hidden patches", () => {
  /** 6 x 4 pixels in patches of 2 x 2, of which the first row and the last patch are visible. */
  const context = (channels: number) => {
    const array = arrayOfImage({ height: 6, width: 4, channels });
    return { array, grid: cutInto(array, [2, 2]) as Lattice };
  };
  const isHidden = (token: number): boolean => [2, 3, 4].includes(token);
  const clip = {
    array: { axes: [{ name: "time", size: 12 }], channels: 2 } as ArrayShape,
    grid: [{ name: "time", count: 6, size: 2 }] as Lattice,
  };

  test.each([
    ["pixels", { normalize: "patch", times: null }, context(3)],
    ["pixels", { normalize: "channel", times: null }, context(3)],
    ["pixels", { normalize: "patch", times: 6 }, clip],
    ["low_pass", { normalize: "patch", radius: 1, times: null }, context(1)],
  ])("%s %o shows nothing of them", (name, values, { array, grid }) => {
    const target = registry.target.find((one) => one.name === name);
    const picture = target?.picture?.(values as never, { array, grid } as never);
    const length = arrayLength(array);
    const random = randomStream(1, "augment");
    const image = Float32Array.from({ length }, () => random.normal());
    const other = image.slice();
    for (let token = 0; token < 6; token++) {
      if (isHidden(token))
        for (const place of patchPlaces(grid, token, array.channels)) other[place] = random.normal() * 9;
    }
    const size = values.times === 6 ? length / 2 : length;
    const prediction = Float32Array.from({ length: size }, () => random.normal());
    const shown = picture?.unaided?.(prediction, image, isHidden) as Float32Array;
    expect(picture?.unaided?.(prediction, other, isHidden)).toEqual(shown);
    expect(picture?.pixels(prediction, other)).not.toEqual(picture?.pixels(prediction, image));
    expect(picture?.unaided?.(prediction, image, () => false)).toEqual(picture?.pixels(prediction, image));
    expect(picture?.unaided?.(prediction, image, () => true)).toEqual(
      picture?.unaided?.(prediction, other, () => true),
    );
  });

  test("a hidden patch has the means of those around it that have theirs already", () => {
    const { array, grid } = context(1);
    const image = inPatches(grid, Float64Array.of(1, 3, 9, 9, 9, 5));
    const filled = filledFromVisible(grid, array.channels, image, isHidden);
    // 2 lies under 0, 3 between 1 and 5, and 4 under 2 and beside 5: 2 has its mean in the same step, so that 4 has that of 5 alone.
    expect([...patchMeans(grid, 1, filled)]).toEqual([1, 3, 1, 4, 5, 5]);
  });

  test("a model that knows nothing is as far off as filling in those means", async () => {
    const { weights } = reference("mae-square");
    const random = randomStream(2, "augment");
    const image = Float32Array.from({ length: arrayLength(arrayOf(square).shape) }, () => random.uniform());
    const nothing: ModelProgram = {
      ...square,
      predict: (g, w, batch) => g.mul(predictOf(square)(g, w, batch), 0),
    };
    const options = { executor: await executor(), colours: null, seed: 0 };
    const [found] = await reconstructed({ program: nothing, weights }, image, options);
    const { pixelMse, aidedMse, fillMse } = found?.errors ?? { pixelMse: 0, aidedMse: 0, fillMse: 0 };
    // The statistics of patches run over channels together, those of the filling do not.
    expect(pixelMse / fillMse).toBeCloseTo(1, 1);
    expect(aidedMse).toBeLessThan(pixelMse);
  });
});

test("a model that predicts no pixels cannot be shown", async () => {
  const { weights, image } = reference("mae-rectangle");
  const program: ModelProgram = { ...rectangle, picture: undefined };
  const shown = reconstructed({ program, weights }, image, { executor: await executor(), colours: null, seed: 0 });
  await expect(shown).rejects.toMatchObject({ code: "run/features" });
});

describe("colourScale", () => {
  const image = arrayOfImage({ height: 4, width: 4, channels: 3 });
  const normalize = (mean: number[], std: number[]) => bound("augment", "normalize", { statistics: null, mean, std });

  test("joins all normalisations of a recipe", () => {
    const scale = colourScale([normalize([0.1, 0.2, 0.3], [0.5, 0.4, 0.2]), normalize([1, 0, -1], [2, 1, 4])], image);
    // ((x - 0.1) / 0.5 - 1) / 2 = (x - 0.6) / 1
    expect(difference(scale?.mean ?? [], [0.6, 0.2, 0.1])).toBeLessThan(1e-12);
    expect(difference(scale?.std ?? [], [1, 0.4, 0.8])).toBeLessThan(1e-12);
  });

  test("is null without any", () => {
    expect(colourScale([bound("augment", "horizontal_flip")], image)).toBeNull();
  });
});

describe("picture", () => {
  /** 3 x 2 pixels, the first of them hidden. */
  const shape = { height: 2, width: 3, channels: 1 };
  const values = (value: number) => new Float32Array(6).fill(value);
  const one = {
    input: values(0.2),
    output: values(0.4),
    pasted: values(1),
    hidden: Uint8Array.of(1, 0, 0, 0, 0, 0),
    errors: { mse: 0, meanMse: 0, pixelMse: 0, aidedMse: 0, fillMse: 0, psnr: 0, detail: 0, trueDetail: 0 },
  };
  const picture = reconstructionPicture(arrayOfImage(shape), [one, one]);
  const at = (x: number, y: number) => [
    ...picture.pixels.slice((y * picture.width + x) * 3, (y * picture.width + x) * 3 + 3),
  ];
  const grey = (value: number) => [value, value, value];

  test("enlarges small images by a whole number, with gutters between", () => {
    // 2 pixels high: 56 times; four tiles of 168 x 112, a gutter of 4, a margin of 8.
    expect(picture.width).toBe(8 + 4 * 168 + 3 * 4 + 8);
    const top = picture.height - 8 - 112 - 4 - 112;
    expect([at(8, top), at(8 + 167, top + 111)]).toEqual([grey(51), grey(51)]);
    expect([at(8 + 168, top), at(7, top), at(8, top + 112)]).toEqual([grey(255), grey(255), grey(255)]);
    // Second column: the hidden pixel is grey, its neighbour is the input's.
    const visible = 8 + 172;
    expect([at(visible + 55, top + 55), at(visible + 56, top + 55), at(visible, top + 56)]).toEqual([
      grey(128),
      grey(51),
      grey(51),
    ]);
    expect([at(8 + 2 * 172, top), at(8 + 3 * 172, top)]).toEqual([grey(102), grey(255)]);
  });

  test("stays of a size that can be looked at, whatever the images' is", () => {
    for (const [height, width, tile] of [
      [1, 3200, [1, 800]],
      [3200, 1, [800, 1]],
      [3000, 2050, [1000, 684]],
      [1, 1, [112, 112]],
    ] as const) {
      const pixels = Float32Array.from({ length: height * width }, (_, i) => (i === (height - 1) * width ? 1 : 0));
      const long = { ...one, input: pixels, output: pixels, pasted: pixels, hidden: new Uint8Array(pixels.length) };
      const { width: columns, height: rows } = reconstructionPicture(arrayOfImage({ height, width, channels: 1 }), [
        long,
      ]);
      expect(rows).toBe(8 + 22 + tile[0] + 8);
      expect(columns).toBe(8 + 4 * Math.max(tile[1], 82) + 3 * 4 + 8);
    }
  });

  test("has a heading over each column", () => {
    const inkIn = (left: number): boolean => {
      for (let y = 8; y < 22; y++) for (let x = left; x < left + 168; x++) if (at(x, y)[0] !== 255) return true;
      return false;
    };
    expect([0, 1, 2, 3].map((column) => inkIn(8 + column * 172))).toEqual([true, true, true, true]);
  });

  test("shows the first three of many channels as colours", () => {
    const colours = { ...one, input: Float32Array.of(...Array(6).fill([0, 0.2, 1, 0.7]).flat()) };
    const coloured = { ...colours, output: colours.input, pasted: colours.input };
    const many = reconstructionPicture(arrayOfImage({ ...shape, channels: 4 }), [coloured]);
    const place = ((many.height - 9) * many.width + 8) * 3;
    expect([...many.pixels.slice(place, place + 3)]).toEqual([0, 51, 255]);
  });

  test("is written as PNG without loss", async () => {
    const path = join(folder, "deep", "er", "grid.png");
    await writePng(path, picture);
    const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: picture.width, height: picture.height, channels: 3 });
    expect(Buffer.compare(data, Buffer.from(picture.pixels))).toBe(0);
  });

  test("says so when it cannot be written", async () => {
    writeFileSync(join(folder, "file"), "");
    const error = await writePng(join(folder, "file", "grid.png"), picture).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunError);
    expect((error as RunError).code).toBe("run/unwritable");
  });
});
