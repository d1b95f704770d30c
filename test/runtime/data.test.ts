/** From files and arrays to batches: decoding, augmentation, broken files, worker threads. */

import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arrayOfImage, type ImageShape, type registry, type Sample } from "../../blocks/index.js";
import { trainingBatches } from "../../runtime/data/batches.js";
import { nodeFiles } from "../../runtime/data/files.js";
import { batchOrder } from "../../runtime/data/order.js";
import { openPool } from "../../runtime/data/pool.js";
import { type Bound, evaluationBatches, openData, RunError, readTensorFile } from "../../runtime/index.js";
import { bound, indexOf, stripes } from "../support/data.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "maelang-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

const failure = async (promise: Promise<unknown>): Promise<RunError> => {
  const error = await promise.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(RunError);
  return error as RunError;
};

/** Pixels of an image file, each a function of its place. */
const pixels = (
  height: number,
  width: number,
  channels: 1 | 2 | 3 | 4,
  value: (x: number, y: number, c: number) => number,
) =>
  sharp(
    Uint8Array.from({ length: height * width * channels }, (_, i) =>
      value(Math.floor(i / channels) % width, Math.floor(i / channels / width), i % channels),
    ),
    { raw: { height, width, channels } },
  );

/** Writes an image and gives it as a sample. */
async function file(name: string, image: ReturnType<typeof pixels>, label: number | null = null): Promise<Sample> {
  await image.toFile(join(folder, name));
  return { kind: "file", path: name, label };
}

interface Wanted {
  readonly augment?: Bound<(typeof registry.augment)[number]>[];
  readonly batch?: number;
  readonly workers?: number;
  readonly start?: number;
}

/** The first `count` batches of training, and what was noted. */
async function train(samples: readonly Sample[], image: ImageShape, count: number, wanted: Wanted = {}) {
  const notes: string[] = [];
  const batches = await trainingBatches({
    index: indexOf(samples),
    augment: (wanted.augment ?? []) as never,
    arrays: { image: arrayOfImage(image) },
    batch: wanted.batch ?? 1,
    seed: 5,
    root: folder,
    workers: wanted.workers ?? 0,
    start: wanted.start ?? 0,
    note: (text) => notes.push(text),
  });
  try {
    const result = [];
    for (let k = 0; k < count; k++) {
      const { arrays, samples, epoch } = await batches.next();
      result.push({ image: Array.from(arrays.image as Float32Array), samples: Array.from(samples), epoch });
    }
    return { batches: result, notes };
  } finally {
    await batches.close();
  }
}

/** One image as training sees it, in bytes. */
const seen = async (sample: Sample, image: ImageShape, augment: Wanted["augment"] = []) => {
  const { batches, notes } = await train([sample], image, 1, { augment });
  return { bytes: batches[0]?.image.map((value) => Math.round(value * 255)), notes };
};

describe("an image file", () => {
  it("comes as floats in [0, 1], channel fastest", async () => {
    const sample = await file(
      "plain.png",
      pixels(2, 3, 3, (x, y, c) => 100 * y + 10 * x + c),
    );
    const { batches, notes } = await train([sample], { height: 2, width: 3, channels: 3 }, 1);
    const expected = [0, 1, 2, 10, 11, 12, 20, 21, 22, 100, 101, 102, 110, 111, 112, 120, 121, 122];
    expect(batches[0]?.image).toEqual(expected.map((value) => Math.fround(value / 255)));
    expect(notes).toEqual([]);
  });

  it("is turned as its EXIF orientation says", async () => {
    const turned = pixels(2, 3, 3, (x, y) => 100 * y + 10 * x).withMetadata({ orientation: 6 });
    const { bytes } = await seen(await file("turned.png", turned), { height: 3, width: 2, channels: 3 });
    expect(bytes?.filter((_, i) => i % 3 === 0)).toEqual([100, 0, 110, 10, 120, 20]);
  });

  it("with transparency is laid over white, and that is said", async () => {
    const glass = await file(
      "glass.png",
      pixels(1, 2, 4, (x, _, c) => (c === 3 ? 255 * x : 10)),
    );
    const { bytes, notes } = await seen(glass, { height: 1, width: 2, channels: 3 });
    expect(bytes).toEqual([255, 255, 255, 10, 10, 10]);
    expect(notes).toEqual([expect.stringMatching(/glass.png has transparency/)]);
    expect((await seen(glass, { height: 1, width: 2, channels: 4 })).bytes).toEqual([10, 10, 10, 0, 10, 10, 10, 255]);
  });

  it("that is grey joins a colour set, and that is said", async () => {
    const grey = await file("grey.png", pixels(1, 2, 1, (x) => 40 + x).toColourspace("b-w"));
    const colour = await file(
      "colour.png",
      pixels(1, 2, 3, (x, _, c) => 7 * c + x),
    );
    const { batches, notes } = await train([grey, colour], { height: 1, width: 2, channels: 3 }, 1, { batch: 2 });
    const place = batches[0]?.samples.indexOf(0) as number;
    const bytes = batches[0]?.image.slice(place * 6, place * 6 + 6).map((value) => Math.round(value * 255));
    expect(bytes).toEqual([40, 40, 40, 41, 41, 41]);
    expect(notes).toEqual([expect.stringMatching(/grey.png is grey/)]);
  });

  it("stops the run where all files are grey and colour is declared, or one is coloured and grey is declared", async () => {
    const grey = await file("grey-only.png", pixels(1, 2, 1, (x) => x).toColourspace("b-w"));
    const error = await failure(train([grey, grey], { height: 1, width: 2, channels: 3 }, 1));
    expect(error).toMatchObject({ code: "run/channels", help: expect.stringContaining("channels: 1") });
    const colour = await file(
      "colour-only.png",
      pixels(1, 2, 3, (x, _, c) => x + 9 * c),
    );
    const other = await failure(train([colour], { height: 1, width: 2, channels: 1 }, 1));
    expect(other).toMatchObject({ code: "run/channels", help: expect.stringContaining("channels: 3") });
    const odd = await failure(train([colour], { height: 1, width: 2, channels: 5 }, 1));
    expect(odd.code).toBe("run/channels");
  });

  it("of another size than the input stops the run, unless the recipe resizes", async () => {
    const large = await file(
      "large.png",
      pixels(6, 8, 3, () => 77),
    );
    const image = { height: 4, width: 4, channels: 3 };
    const error = await failure(seen(large, image));
    expect(error).toMatchObject({ code: "run/image-size", help: expect.stringContaining("resize(") });
    expect(error.what).toMatch(/large.png is 6x8 .* 4x4/);
    const crop = bound("augment", "center_crop", { size: [9, 9] });
    expect(await failure(seen(large, image, [crop]))).toMatchObject({ code: "run/image-size" });
    const { bytes } = await seen(large, image, [bound("augment", "random_resized_crop")]);
    expect(new Set(bytes)).toEqual(new Set([77]));
  });

  it("is cut, resized and turned like the same pixels given raw", async () => {
    const value = (x: number, y: number, c: number) => 20 * x + 5 * y + 40 * c;
    const compressed = await file("pattern.png", pixels(9, 7, 3, value));
    const raw = await pixels(9, 7, 3, value).raw().toBuffer();
    const sample: Sample = { kind: "pixels", pixels: raw, shape: { height: 9, width: 7, channels: 3 }, label: null };
    for (const [height, width] of [
      [4, 4],
      [20, 20],
      [3, 12],
    ] as const) {
      const augment = [bound("augment", "random_resized_crop"), bound("augment", "horizontal_flip")];
      const [a, b] = [
        await seen(compressed, { height, width, channels: 3 }, augment),
        await seen(sample, { height, width, channels: 3 }, augment),
      ];
      const differences = (a.bytes as number[]).map((byte, i) => Math.abs(byte - (b.bytes?.[i] as number)));
      // The two resamplers widen and round their filters differently.
      expect(Math.max(...differences)).toBeLessThanOrEqual(8);
    }
  });
});

describe("normalisation", () => {
  it("is carried out after the bytes became [0, 1]", async () => {
    const sample: Sample = {
      kind: "pixels",
      pixels: Uint8Array.of(0, 51, 255, 102),
      shape: { height: 1, width: 2, channels: 2 },
      label: null,
    };
    const normalize = bound("augment", "normalize", { mean: [0.5, 0.2], std: [0.5, 0.1] });
    const { batches } = await train([sample], { height: 1, width: 2, channels: 2 }, 1, { augment: [normalize] });
    const expected = [-1, 0, 1, 2];
    for (const [i, value] of (batches[0]?.image ?? []).entries()) expect(value).toBeCloseTo(expected[i] as number, 6);
  });
});

describe("broken files", () => {
  const image = { height: 8, width: 8, channels: 3 };
  const good = async (count: number): Promise<Sample[]> =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        file(
          `good-${i}.jpg`,
          pixels(8, 8, 3, (x, y) => 9 * i + x + y),
        ),
      ),
    );
  const truncated = async (name: string): Promise<Sample> => {
    const whole = await pixels(8, 8, 3, (x, y) => 30 * (x ^ y))
      .jpeg()
      .toBuffer();
    await writeFile(join(folder, name), whole.subarray(0, whole.length - 20));
    return { kind: "file", path: name, label: null };
  };

  it("are named once and replaced by the next sample, whatever the number of workers", async () => {
    const samples = [...(await good(5)), await truncated("cut.jpg"), ...(await good(2))];
    const expected = await train(samples, image, 5, { batch: 4 });
    // Why is told in words of the decoder, which threads share and now and then take from each other.
    const notes = [expect.stringMatching(/cut.jpg cannot be decoded and the next sample takes its place: ./)];
    expect(expected.notes).toEqual(notes);
    for (const workers of [1, 3]) {
      expect(await train(samples, image, 5, { batch: 4, workers })).toEqual({ ...expected, notes });
    }
    const [first] = expected.batches;
    const all = await train([...samples.slice(0, 5), samples[6] as Sample, ...samples.slice(6)], image, 1, {
      batch: 4,
    });
    expect(first?.samples).toEqual(all.batches[0]?.samples);
    expect(first?.image).toEqual(all.batches[0]?.image);
  });

  it("are those that are empty, too", async () => {
    await writeFile(join(folder, "empty.png"), "");
    const empty: Sample = { kind: "file", path: "empty.png", label: null };
    const { notes } = await train([...(await good(3)), empty], image, 1, { batch: 4 });
    expect(notes).toEqual([expect.stringMatching(/empty.png cannot be decoded .*: it is empty$/)]);
  });

  // Windows refuses such names.
  it.skipIf(process.platform === "win32")("cannot steer a terminal or a log by their names", async () => {
    const path = "y\u001b]0;x\u0007\n::error::\u202egnp.png";
    await writeFile(join(folder, path), "not an image");
    const odd: Sample = { kind: "file", path, label: null };
    const shown = "y\\u001b]0;x\\u0007\\n::error::\\u202egnp.png";
    const { notes } = await train([...(await good(3)), odd], image, 1, { batch: 4 });
    expect(notes).toEqual([expect.stringContaining(`${shown} cannot be decoded`)]);
    const alone = await failure(train([odd], image, 1));
    expect([alone.why, alone.message]).toEqual([expect.stringContaining(shown), expect.stringContaining(shown)]);
    const gone = await failure(train([{ ...odd, path: `${path}\r` }], image, 1));
    expect(gone.what).toContain(`${shown}\\r`);
  });

  it("end the run where there is nothing else, by what is wrong with most", async () => {
    const small = await file(
      "small.png",
      pixels(6, 6, 3, () => 1),
    );
    expect((await failure(train([small, await truncated("alone.jpg"), small], image, 1))).code).toBe("run/image-size");
    expect((await failure(train([await truncated("alone.jpg")], image, 1))).code).toBe("run/too-many-broken-files");
    const { notes } = await train([...(await good(3)), small], image, 1, { batch: 4 });
    expect(notes).toEqual([expect.stringMatching(/small.png is 6x6 .*; the next sample takes its place$/)]);
  });

  it("stop the run when there are many", async () => {
    const samples = [...(await good(2)), ...(await Promise.all([0, 1, 2, 3].map((i) => truncated(`cut-${i}.jpg`))))];
    const error = await failure(train(samples, image, 2, { batch: 6 }));
    expect(error.code).toBe("run/too-many-broken-files");
    expect(error.why).toMatch(/cut-\d.jpg: ./);
  });

  it("that vanished stop the run at once", async () => {
    const gone: Sample = { kind: "file", path: "gone.png", label: null };
    const error = await failure(train([gone], image, 1));
    expect(error).toMatchObject({ code: "run/unreadable", what: expect.stringContaining("gone.png") });
  });

  // Other systems refuse such names.
  it.runIf(process.platform === "linux")("are told apart from those whose names are no text", async () => {
    await mkdir(join(folder, "names"));
    await writeFile(Buffer.concat([Buffer.from(join(folder, "names/")), Buffer.of(0xff), Buffer.from(".png")]), "");
    const [listed = ""] = await nodeFiles(folder).list("names");
    const sample: Sample = { kind: "file", path: join("names", listed), label: null };
    expect((await failure(train([sample], image, 1))).help).toContain("not to be UTF-8: rename it");
  });
});

describe("worker threads", () => {
  const augment = [bound("augment", "random_resized_crop"), bound("augment", "horizontal_flip")];
  const image = { height: 16, width: 16, channels: 3 };

  it("give the same batches in any number, from any start", async () => {
    const files = await Promise.all(
      Array.from({ length: 11 }, (_, i) =>
        file(
          `many-${i}.png`,
          pixels(20, 24, 3, (x, y, c) => (x * y * (i + 1) + c) % 256),
        ),
      ),
    );
    const expected = await train(files, image, 5, { augment, batch: 4 });
    expect(expected.batches.map(({ epoch }) => epoch)).toEqual([0, 0, 1, 1, 2]);
    for (const workers of [1, 3])
      expect(await train(files, image, 5, { augment, batch: 4, workers })).toEqual(expected);
    const later = await train(files, image, 2, { augment, batch: 4, workers: 2, start: 3 });
    expect(later.batches).toEqual(expected.batches.slice(3));
  });

  it("take raw pixels too", async () => {
    const samples = stripes(7, 80, 3);
    const expected = await train(samples, image, 4, { augment, batch: 3 });
    expect(await train(samples, image, 4, { augment, batch: 3, workers: 2 })).toEqual(expected);
  });

  it("say what failed in them", async () => {
    const large = await file(
      "too-large.png",
      pixels(6, 8, 3, () => 77),
    );
    const error = await failure(train([large, large], image, 1, { batch: 2, workers: 2 }));
    expect(error).toMatchObject({ code: "run/image-size", help: expect.stringContaining("resize(") });
  });

  it("that die fail what was asked of them instead of hanging", async () => {
    // Without the shapes of arrays the thread cannot begin its work and ends.
    const common = { augment: [], seed: 0, mode: "train", fields: {}, root: folder } as const;
    const pool = openPool(1, { ...common, arrays: undefined as never }, 0);
    const ask = () => pool.prepare({ buffers: { arrays: {}, fields: {} }, items: [] });
    expect(await failure(ask())).toMatchObject({ code: "run/worker" });
    expect(await failure(ask())).toMatchObject({ code: "run/worker" });
    await pool.close();
  });
});

describe("order", () => {
  it("is a permutation, another in each epoch, and leaves out what fills no batch", () => {
    const epochOf = (seed: number, epoch: number) => {
      const order = batchOrder(48, 8, seed);
      return [0, 1, 2, 3, 4, 5].flatMap((batch) => [...order(6 * epoch + batch).samples]);
    };
    const first = epochOf(1, 0);
    expect(first.toSorted((a, b) => a - b)).toEqual([...Array(48).keys()]);
    expect(epochOf(1, 0)).toEqual(first);
    expect(epochOf(1, 1)).not.toEqual(first);
    expect(epochOf(2, 0)).not.toEqual(first);
    const uneven = batchOrder(50, 8, 1);
    const seen = [0, 1, 2, 3, 4, 5].flatMap((batch) => [...uneven(batch).samples]);
    expect(new Set(seen).size).toBe(48);
    expect(uneven(6).epoch).toBe(1);
  });
});

describe("evaluation", () => {
  it("gives every sample once in order, with labels, without random augmentation", async () => {
    const samples = stripes(7, 12);
    const batches = [];
    const options = {
      index: indexOf(samples),
      arrays: { image: arrayOfImage({ height: 8, width: 8, channels: 1 }) },
      batch: 3,
      root: folder,
      workers: 0,
    };
    const augment = [bound("augment", "horizontal_flip")] as never;
    for await (const batch of evaluationBatches({ ...options, augment, note: () => {} })) {
      batches.push({ ...batch, image: Array.from(batch.arrays.image as Float32Array) });
    }
    expect(batches.map(({ count }) => count)).toEqual([3, 3, 1]);
    expect(batches.flatMap(({ samples }) => [...samples])).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(batches.flatMap(({ labels }) => [...labels])).toEqual([0, 1, 2, 0, 1, 2, 0]);
    const again = evaluationBatches({ ...options, augment, note: () => {}, limit: 2 });
    for await (const { arrays, count } of again) {
      expect(count).toBe(2);
      expect(Array.from(arrays.image?.subarray(0, 128) ?? [])).toEqual(batches[0]?.image.slice(0, 128));
    }
  });
});

describe("a sample that takes another's place in evaluation", () => {
  it("comes with its own label", async () => {
    const value = (x: number): number => x;
    const samples = [
      await file("first.png", pixels(8, 8, 3, value), 4),
      await file("small-one.png", pixels(6, 6, 3, value), 5),
    ];
    const crop = [bound("augment", "center_crop", { size: [8, 8] })] as never;
    const common = {
      index: indexOf(samples),
      augment: crop,
      arrays: { image: arrayOfImage({ height: 8, width: 8, channels: 3 }) },
      batch: 2,
      root: folder,
      workers: 0,
      note: () => {},
    };
    for await (const { labels } of evaluationBatches(common)) expect([...labels]).toEqual([4, 4]);
  });
});

describe("files", () => {
  it("are read, unpacked and listed", async () => {
    const files = nodeFiles(folder);
    await mkdir(join(folder, "set/b"), { recursive: true });
    await writeFile(join(folder, "set/a.bin.gz"), gzipSync("hello"));
    await writeFile(join(folder, "set/Z.txt"), "z");
    expect(await files.list("set")).toEqual(["Z.txt", "a.bin.gz", "b/"]);
    expect(new TextDecoder().decode(await files.read("set/a.bin.gz"))).toBe("hello");
    expect([await files.exists("set/Z.txt"), await files.exists("set/y")]).toEqual([true, false]);
  });

  // Windows lets nobody make links who has not asked for it.
  it.skipIf(process.platform === "win32")("are listed behind links, but no folder within itself", async () => {
    await mkdir(join(folder, "linked/one/two"), { recursive: true });
    await symlink(join(folder, "set"), join(folder, "linked/other"));
    const files = nodeFiles(folder);
    expect(await files.list("linked")).toEqual(["one/", "other/"]);
    await symlink("..", join(folder, "linked/one/two/loop"));
    const error = await failure(files.list("linked/one/two"));
    expect(error).toMatchObject({ code: "run/data", what: expect.stringMatching(/loop is a link to a folder that/) });
  });

  it.runIf(process.platform === "linux")(
    "that are pipes are passed over: reading one would wait for ever",
    async () => {
      await mkdir(join(folder, "pipes"));
      execFileSync("mkfifo", [join(folder, "pipes/p.png")]);
      expect(await nodeFiles(folder).list("pipes")).toEqual([]);
    },
  );

  it.runIf(process.platform === "linux")("that are no plain files are refused where a file is named", async () => {
    await mkdir(join(folder, "strange/folder.npy"), { recursive: true });
    execFileSync("mkfifo", [join(folder, "strange/pipe.npy")]);
    await symlink("/dev/zero", join(folder, "strange/device.npy"));
    const files = nodeFiles(join(folder, "strange"));
    for (const kind of ["folder", "pipe", "device"]) {
      const what = `${kind}.npy is a ${kind}, and a file is needed`;
      const told = { code: "run/unreadable", what };
      expect(await failure(files.read(`${kind}.npy`))).toMatchObject(told);
      expect(await failure(files.open(`${kind}.npy`, () => ({ size: 1 })))).toMatchObject(told);
      const tensors = await failure(readTensorFile(join(folder, `strange/${kind}.npy`)));
      expect(tensors.what).toMatch(new RegExp(`${kind}.npy is a ${kind}, and a file is needed`));
    }
  });

  it("that are missing or damaged are refused with the nearest names", async () => {
    const files = nodeFiles(folder);
    await mkdir(join(folder, "train-images"), { recursive: true });
    const typo = await failure(files.list("train-imges"));
    expect(typo).toMatchObject({ code: "run/data", what: "train-imges does not exist" });
    expect(typo.help).toMatch(/Did you mean .*train-images\?/);
    const deep = await failure(files.read("train-imges/a/b.bin"));
    expect(deep.help).toMatch(/Did you mean .*train-images\?/);
    const far = await failure(files.read("train-images/nothing-like-it"));
    expect(far.help).toMatch(/train-images is empty/);
    await writeFile(join(folder, "cut.gz"), gzipSync(Buffer.alloc(1000)).subarray(0, 15));
    expect((await failure(files.read("cut.gz"))).what).toMatch(/cut.gz cannot be decompressed/);
    expect((await failure(files.read("train-images"))).code).toBe("run/unreadable");
  });

  it("that are no data set are refused in the runtime's words", async () => {
    await mkdir(join(folder, "empty"), { recursive: true });
    const values = bound("dataset", "folder").values;
    const data = { definition: bound("dataset", "folder").definition, values: { ...values, path: "empty" } };
    const error = await failure(
      openData([data] as never, "train", folder, {
        arrays: { image: arrayOfImage({ height: 8, width: 8, channels: 3 }) },
      }),
    );
    expect(error.code).toBe("run/data");
  });
});
