/** Data of several inputs: samples that find each other, labels of any of them, crops and flips in common or of their own. */

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ArrayShape, arrayOfImage, type Sample, type SampleIndex, type Training } from "../../blocks/index.js";
import { trainingBatches } from "../../runtime/data/batches.js";
import { digestOf } from "../../runtime/data/digest.js";
import { evaluationBatches, openData, RunError } from "../../runtime/index.js";
import { bound, indexOf, inMemory } from "../support/data.js";
import { wav } from "../support/wav.js";

const root = mkdtempSync(join(tmpdir(), "maelang-several-"));
afterAll(() => rmSync(root, { recursive: true }));

const image = arrayOfImage({ height: 8, width: 8, channels: 1 });
const audio: ArrayShape = {
  axes: [
    { name: "time", size: 4 },
    { name: "frequency", size: 8 },
  ],
  channels: 1,
  sound: { rate: 16_000, window: "hanning", length: 25, shift: 10, low: 20, high: null },
};
const arrays = { image, audio };

const names = ["dog/1", "dog/2", "dog/10", "cat/3", "cat/4", "cat/5", "cat/6"];
const levelOf = (name: string): number => Number(name.split("/")[1]);

async function write(path: string, content: Buffer | Promise<Buffer>): Promise<void> {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), await content);
}

const picture = (level: number): Promise<Buffer> =>
  sharp(Buffer.alloc(64, 10 * level), { raw: { width: 8, height: 8, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toBuffer();

const sound = (level: number): Buffer =>
  wav(
    Array.from({ length: 1000 }, (_, i) => 0.01 * level * Math.sin(i ** 1.5)),
    { rate: 16_000 },
  );

beforeAll(async () => {
  for (const name of names) {
    await write(`images/${name}.png`, picture(levelOf(name)));
    await write(`sounds/${name}.wav`, sound(levelOf(name)));
  }
});

const folder = (input: string, path: string, more: object = {}): Training["data"][number] => ({
  ...bound("dataset", "folder", { path, ...more }),
  input,
});

const both = (more: object = {}): Training["data"] => [
  folder("image", "images", more),
  folder("audio", "sounds", more),
];

const refusal = (opened: Promise<unknown>): Promise<RunError> =>
  opened.then(
    () => expect.fail("it was opened"),
    (error: unknown) => {
      expect(error).toBeInstanceOf(RunError);
      return error as RunError;
    },
  );

describe("files of several folders", () => {
  test("belong together by their paths without endings, in the order of the first input", async () => {
    const index = await openData(both(), "train", root, { arrays });
    expect(index.classes).toEqual(["cat", "dog"]);
    const common = { augment: [], batch: 7, root, workers: 0, note: () => {} };
    const alone = await openData([bound("dataset", "folder", { path: "sounds" })], "train", root, {
      arrays: { audio },
    });
    for await (const single of evaluationBatches({ index: alone, arrays: { audio }, ...common })) {
      for await (const { arrays: found, labels } of evaluationBatches({ index, arrays, ...common })) {
        const levels = Array.from({ length: 7 }, (_, i) => Math.round(25.5 * (found.image?.[64 * i] as number)));
        expect(levels).toEqual([3, 4, 5, 6, 1, 10, 2]);
        expect([...labels]).toEqual([0, 0, 0, 0, 1, 1, 1]);
        expect(found.audio).toEqual(single.arrays.audio);
      }
    }
  });

  test("are held out together", async () => {
    const [train, test] = await Promise.all(
      (["train", "test"] as const).map((split) => openData(both({ holdout: 0.4 }), split, root, { arrays })),
    );
    expect([train, test].map((index) => (index as SampleIndex).length).reduce((sum, n) => sum + n)).toBe(7);
    const error = await refusal(
      openData([folder("image", "images", { holdout: 0.4 }), folder("audio", "sounds")], "train", root, { arrays }),
    );
    expect(error.help).toContain("write the same share for each input");
  });

  test("without a partner are refused, with their number and the first names", async () => {
    renameSync(join(root, "sounds/cat/4.wav"), join(root, "sounds/cat/7.wav"));
    const error = await refusal(openData(both(), "train", root, { arrays }));
    expect(error.what).toBe("1 sample of image has no audio: cat/4, and 1 sample of audio has no image: cat/7");
    renameSync(join(root, "sounds/cat/7.wav"), join(root, "sounds/cat/4.wav"));
    for (let i = 20; i < 25; i++) await write(`sounds/dog/${i}.wav`, sound(i));
    const many = await refusal(openData(both(), "train", root, { arrays }));
    expect(many.what).toBe("5 samples of audio have no image: dog/20, dog/21, dog/22 and 2 more");
    for (let i = 20; i < 25; i++) rmSync(join(root, `sounds/dog/${i}.wav`));
  });

  test("that differ in their endings alone cannot be told apart", async () => {
    await write("images/cat/3.webp", picture(3));
    expect((await refusal(openData(both(), "train", root, { arrays }))).what).toContain("two samples cat/3");
    rmSync(join(root, "images/cat/3.webp"));
  });

  test("each count for what a run keeps of its data", async () => {
    const digest = async () => digestOf(await openData(both(), "train", root, { arrays }), root);
    const before = await digest();
    await write("sounds/cat/4.wav", sound(9));
    const after = await digest();
    await write("sounds/cat/4.wav", sound(4));
    expect(after.contents).not.toBe(before.contents);
    expect({ ...after, contents: before.contents }).toEqual(before);
    expect(await digest()).toEqual(before);
  });

  test("a broken one is named, and the next sample takes the place of the whole", async () => {
    await write("sounds/cat/5.wav", Buffer.from("RIFF"));
    const notes: string[] = [];
    const index = await openData(both(), "train", root, { arrays });
    const options = {
      index,
      arrays,
      augment: [],
      batch: 7,
      root,
      workers: 0,
      note: (text: string) => notes.push(text),
    };
    for await (const { shown, arrays: found } of evaluationBatches(options)) {
      expect([...shown]).toEqual([0, 1, 3, 3, 4, 5, 6]);
      expect(found.image?.slice(128, 192)).toEqual(found.image?.slice(192, 256));
    }
    expect(notes).toEqual([
      expect.stringMatching(/sounds\/cat\/5\.wav cannot be decoded and the next sample takes its place/),
    ]);
    await write("sounds/cat/5.wav", sound(5));
  });
});

describe("rows of several arrays", () => {
  const row = (label: number | null): Sample => ({ kind: "array", numbers: new Float32Array(64), shape: image, label });
  const open = (rgb: readonly Sample[], depth: readonly Sample[], classes?: readonly string[]) => {
    const data = [
      { ...(inMemory(rgb)[0] as Training["data"][number]), input: "rgb" },
      { ...(inMemory(depth, classes)[0] as Training["data"][number]), input: "depth" },
    ];
    return openData(data, "train", root, { arrays: { rgb: image, depth: image } });
  };

  test("belong together by their numbers, and the labels of one are those of all", async () => {
    const index = await open([row(2), row(0)], [row(null), row(null)], []);
    expect([index.length, index.classes, index.sample(0).label]).toEqual([2, ["a", "b", "c"], 2]);
  });

  test.each([
    ["another number of rows", [row(0), row(1)], [row(0)], undefined, /rgb has 2 rows and that of depth 1 row/],
    [
      "another label",
      [row(0), row(1)],
      [row(0), row(2)],
      undefined,
      /Sample 1 is labelled b by the data of rgb, and c by/,
    ],
    ["other classes", [row(0)], [row(0)], ["x"], /rgb has the classes a, b, c, and that of depth x/],
    [
      "files beside rows",
      [row(0)],
      [{ kind: "file", path: "images/cat/3.png", label: 0 } as const],
      undefined,
      /depth are files and those of rgb rows of an array/,
    ],
  ])("%s is refused", async (_, rgb, depth, classes, message) => {
    expect((await refusal(open(rgb, depth, classes))).what).toMatch(message);
  });

  test("data for one of the inputs alone is not data for the model", async () => {
    const data = [{ ...(inMemory([row(0)])[0] as Training["data"][number]), input: "rgb" }];
    const error = await refusal(openData(data, "train", root, { arrays: { rgb: image, depth: image } }));
    expect(error.what).toBe("The model reads rgb and depth, and no data is named for depth");
  });
});

describe("augmentations", () => {
  const side = 8;
  /** Noise; the second input has its negative, so that what was done to the one can be told from the other. */
  const noise = Array.from({ length: 4 }, (_, k) =>
    Float32Array.from({ length: side * side }, (_, i) => ((i * 7919 + k * 104_729) % 101) / 101),
  );
  const of = (numbers: Float32Array, shape = image): Sample => ({ kind: "array", numbers, shape, label: null });
  const pairs = (depthOf: (rgb: Float32Array) => Sample) =>
    indexOf(
      noise.map((numbers) => ({
        kind: "joined" as const,
        parts: { rgb: of(numbers) as never, depth: depthOf(numbers) as never },
        label: null,
      })),
    );
  const negative = (numbers: Float32Array): Sample => of(numbers.map((value) => 1 - value));

  async function first(
    index: SampleIndex,
    augment: Training["augment"],
    workers = 0,
    arrays: Readonly<Record<string, ArrayShape>> = { rgb: image, depth: image },
  ) {
    const options = { index, arrays, augment, batch: 4, seed: 5, root, workers, start: 3, note: () => {} };
    const batches = await trainingBatches(options);
    try {
      const { arrays: found } = await batches.next();
      return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, Array.from(values)]));
    } finally {
      await batches.close();
    }
  }

  const drawn = ["random_resized_crop", "horizontal_flip"].map((name) => bound("augment", name));
  const isNegative = ({ rgb = [], depth = [] }: Readonly<Record<string, readonly number[]>>): boolean =>
    rgb.every((value, i) => Math.abs(value + (depth[i] as number) - 1) < 1e-5);

  test("without a label crop and flip all inputs alike, in any thread", async () => {
    const found = await first(pairs(negative), drawn);
    expect(isNegative(found)).toBe(true);
    expect(found.rgb).not.toEqual(noise.flatMap((numbers) => Array.from(numbers)));
    const files = await openData(both(), "train", root, { arrays });
    const lines = [...drawn, { ...bound("augment", "normalize", { mean: [-6], std: [5] }), input: "audio" }];
    expect(await first(files, lines, 2, arrays)).toEqual(await first(files, lines, 0, arrays));
  });

  test("with labels, each as it draws itself; what is not named is left as it is", async () => {
    const own = drawn.flatMap((one) => ["rgb", "depth"].map((input) => ({ ...one, input })));
    expect(isNegative(await first(pairs(negative), own))).toBe(false);
    const one = await first(
      pairs(negative),
      drawn.map((augment) => ({ ...augment, input: "rgb" })),
    );
    const order = await first(pairs(negative), []);
    expect(one.depth).toEqual(order.depth);
    expect(one.rgb).not.toEqual(order.rgb);
  });

  test("a normalisation of one input stands between those of all", async () => {
    const [crop, flip] = drawn as [Training["augment"][number], Training["augment"][number]];
    const normalize = { ...bound("augment", "normalize", { mean: [0.5], std: [2] }), input: "depth" };
    const [plain, mixed] = [
      await first(pairs(negative), [crop, flip]),
      await first(pairs(negative), [crop, normalize, flip]),
    ];
    expect(mixed.rgb).toEqual(plain.rgb);
    expect(mixed.depth?.every((value, i) => Math.abs(value - ((plain.depth?.[i] as number) - 0.5) / 2) < 1e-6)).toBe(
      true,
    );
  });

  test("in common need pictures of one size", async () => {
    const small = arrayOfImage({ height: 4, width: 8, channels: 1 });
    const index = pairs(() => of(new Float32Array(32), small));
    const error = await refusal(first(index, drawn));
    expect(error.what).toMatch(/is 4x8 for depth and 8x8 for rgb/);
    expect(error.help).toContain("`augment depth: ...`");
  });

  test("of a model with one input are the same with its name and without", async () => {
    const index = indexOf(noise.map((numbers) => of(numbers)));
    const one = { rgb: image };
    const named = drawn.map((augment) => ({ ...augment, input: "rgb" }));
    expect(await first(index, named, 0, one)).toEqual(await first(index, drawn, 0, one));
  });
});
