/** Features through an executor against PyTorch's, and what cannot be read. */

import { describe, expect, test } from "vitest";
import { arrayLength, arrayOf, arrayOfImage } from "../../../blocks/index.js";
import {
  collectFeatures,
  encoderReader,
  featuresOf,
  type LabelledBatch,
  type Selection,
} from "../../../runtime/evaluate/features.js";
import { pixelBlock, pixelReader } from "../../../runtime/evaluate/plain-values.js";
import { RunError } from "../../../runtime/index.js";
import { tinyProgram } from "../../support/tiny-program.js";
import { difference, executor, rectangle, reference, square } from "./model.js";

async function* batchesOf(...batches: LabelledBatch[]): AsyncGenerator<LabelledBatch> {
  yield* batches;
}

const selections = [1, 2, "last"].flatMap((layer) =>
  (["cls", "mean"] as const).map((pool) => ({ pool, layer }) as Selection),
);

/** PyTorch's tokens [B, 1 + N, D] after a layer, pooled. */
function expected(name: "mae-rectangle" | "mae-square", { pool, layer }: Selection): number[] {
  const { fixture } = reference(name);
  const tensor = `features/${layer === "last" ? 2 : layer}`;
  const [batch, tokens, width] = fixture.shape(tensor) as readonly [number, number, number];
  const values = fixture.values(tensor);
  return Array.from({ length: batch * width }, (_, at) => {
    const [b, d] = [Math.floor(at / width), at % width];
    const token = (t: number) => values[(b * tokens + t) * width + d] as number;
    if (pool === "cls") return token(0);
    let sum = 0;
    for (let t = 1; t < tokens; t++) sum += token(t);
    return sum / (tokens - 1);
  });
}

describe.each([
  ["mae-rectangle", rectangle],
  ["mae-square", square],
] as const)("features of %s", (name, program) => {
  const { weights, image, batch } = reference(name);
  const labels = Int32Array.from({ length: batch }, (_, i) => i);

  test("are PyTorch's, of every layer and pool", async () => {
    const reader = await encoderReader({ program, weights }, await executor(), selections, batch);
    const kinds = await reader.read({ arrays: { image }, labels, count: batch });
    for (const [i, selection] of selections.entries()) {
      expect(difference(kinds[i] as Float32Array, expected(name, selection)), JSON.stringify(selection)).toBeLessThan(
        1e-5,
      );
    }
    await reader.close();
  });

  test("of an array are PyTorch's too, normalised as told, whatever the number of images computed at once", async () => {
    const colours = { mean: [0.4], std: [0.25] };
    const pixels = image.map((value) => value * 0.25 + 0.4);
    const selection = { pool: "cls", layer: 1 } as const;
    for (const size of [1, batch + 1]) {
      const options = { executor: await executor(), colours, batch: size, ...selection };
      const { values, count, width } = await featuresOf({ program, weights }, pixels, options);
      expect([count, values.length]).toEqual([batch, batch * width]);
      expect(difference(values, expected(name, selection))).toBeLessThan(1e-5);
    }
    const part = featuresOf({ program, weights }, pixels.subarray(1), { executor: await executor() });
    await expect(part).rejects.toMatchObject({ code: "run/image-size" });
  });

  test("are the same at each reading, and do not depend on the other images of a batch", async () => {
    const selection = { pool: "mean", layer: "last" } as const;
    const reader = await encoderReader({ program, weights }, await executor(), [selection], batch);
    const read = async (batches: AsyncIterable<LabelledBatch>) => {
      const [[features] = []] = await collectFeatures([reader], batches, batch);
      return features;
    };
    const whole = await read(batchesOf({ arrays: { image }, labels, count: batch }));
    expect(await read(batchesOf({ arrays: { image }, labels, count: batch }))).toEqual(whole);
    // The same images one after the other, each with something else behind it in its batch.
    const size = image.length / batch;
    const alone = Array.from(labels, (label) => {
      const shifted = new Float32Array(image.length).fill(0.5);
      shifted.set(image.subarray(label * size, (label + 1) * size));
      return { arrays: { image: shifted }, labels: Int32Array.of(label), count: 1 };
    });
    const single = await read(batchesOf(...alone));
    expect(single?.count).toBe(batch);
    expect(single?.labels).toEqual(whole?.labels);
    expect(difference(single?.values ?? [], whole?.values ?? [])).toBeLessThan(1e-6);
    await reader.close();
  });
});

describe("pixels", () => {
  test("are kept as they are where they are few", async () => {
    const { image, batch } = reference("mae-rectangle");
    const reader = pixelReader(rectangle);
    expect(reader.widths).toEqual([960]);
    const [pixels] = await reader.read({ arrays: { image }, labels: new Int32Array(batch), count: 2 });
    expect(pixels).toEqual(image.slice(0, 2 * 960));
  });

  test("are averaged over squares where they are many", async () => {
    const shape = arrayOfImage({ height: 48, width: 32, channels: 2 });
    expect(pixelBlock(shape)).toEqual([2, 2]);
    // Each value is its row, so a mean of two rows lies between them.
    const image = Float32Array.from({ length: 48 * 32 * 2 }, (_, at) => Math.floor(at / 64));
    const [means] = await pixelReader({ arrays: { image: shape } }).read({
      arrays: { image },
      labels: Int32Array.of(0),
      count: 1,
    });
    expect(means).toEqual(Float32Array.from({ length: 24 * 16 * 2 }, (_, at) => 2 * Math.floor(at / 32) + 0.5));
  });

  test.each([
    [28, 28, 1, 1],
    [64, 64, 3, 4],
    [224, 224, 3, 14],
    [97, 61, 1, 1],
  ])("of %ix%ix%i come in squares of %i", (height, width, channels, block) => {
    expect(pixelBlock(arrayOfImage({ height, width, channels }))).toEqual([block, block]);
  });
});

describe("refusals", () => {
  const selection = { pool: "mean", layer: "last" } as const;
  const { weights, image, batch } = reference("mae-rectangle");
  const codeOf = async (body: () => Promise<unknown>): Promise<string> => {
    const error = await body().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunError);
    return (error as RunError).code;
  };
  const reading = async (model: { weights: typeof weights }, labels: Int32Array) => {
    const reader = await encoderReader({ program: rectangle, ...model }, await executor(), [selection], batch);
    try {
      return await collectFeatures([reader], batchesOf({ arrays: { image }, labels, count: batch }), 3);
    } finally {
      await reader.close();
    }
  };

  test("a layer that is not there", async () => {
    for (const layer of [0, 3, 1.5]) {
      const asked = async () =>
        encoderReader({ program: rectangle, weights }, await executor(), [{ pool: "mean", layer }], 1);
      expect(await codeOf(asked)).toBe("run/features");
    }
  });

  test("a class token that is not there", async () => {
    const program = tinyProgram();
    const asked = async () =>
      encoderReader({ program, weights: {} }, await executor(), [{ pool: "cls", layer: "last" }], 1);
    expect(await codeOf(asked)).toBe("run/features");
  });

  test("images without a class", async () => {
    expect(await codeOf(() => reading({ weights }, Int32Array.of(0, -1, 1)))).toBe("run/data");
  });

  test("a sample that is no numbers, by its name", async () => {
    const length = arrayLength(arrayOf(rectangle).shape);
    const pixels = Float32Array.from({ length: 5 * length }, (_, i) => (i === 3 * length + 7 ? Number.NaN : 0.5));
    const error = await featuresOf({ program: rectangle, weights }, pixels, {
      executor: await executor(),
      batch: 2,
    }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "run/data", what: "Image 3 holds numbers that are not finite" });
    expect((error as RunError).why).toBe(
      `1 of the ${length} values of its \`image\` are NaN or infinite as the model sees them`,
    );
  });

  test("weights that are no numbers", async () => {
    const broken = { ...weights, "norm.bias": new Float32Array(24).fill(Number.NaN) };
    expect(await codeOf(() => reading({ weights: broken }, Int32Array.of(0, 1, 2)))).toBe("run/weights-not-finite");
  });
});
