/** Exported models, run by onnxruntime alone, against what evaluation computes of the same images. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import {
  arrayLength,
  arrayOf,
  headOutput,
  type ImageShape,
  imageOf,
  isPicture,
  type ModelProgram,
  maskedBatch,
  namedParameters,
  outputNames,
  predictOf,
} from "../../../blocks/index.js";
import { assemble, programOf } from "../../../compiler/assemble/assemble.js";
import { randomStream, type TypedArray, type Values } from "../../../graph/index.js";
import { encoderReader } from "../../../runtime/evaluate/features.js";
import { openFrozen, type Trained } from "../../../runtime/evaluate/frozen.js";
import { maskField } from "../../../runtime/evaluate/mask-field.js";
import {
  type ColourScale,
  type ExportFacts,
  type ExportOptions,
  exportOnnx,
  initialWeights,
  RunError,
  sampleMasks,
} from "../../../runtime/index.js";
import { listExamples } from "../../support/examples.js";
import { onFullDisk } from "../../support/full-disk.js";
import { reconstructed } from "../../support/one-array.js";
import { tinyProgram } from "../../support/tiny-program.js";
import { difference, executor, programFrom, rectangle, reference, square } from "../evaluate/model.js";

const folder = mkdtempSync(join(tmpdir(), "maelang-export-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const freshPath = () => join(folder, `model-${files++}.onnx`);

const plain: ExportOptions = {
  what: "encode",
  batch: null,
  images: "normalized",
  colours: () => null,
  step: 7,
  spec: "edition 2026",
};

const exported = (model: Trained, options: Partial<ExportOptions> = {}, path = freshPath()): Promise<ExportFacts> =>
  exportOnnx(model, path, { ...plain, ...options });

/** Runs a file on what of `values` it takes, for some images. */
async function runFile(
  { file, inputs }: ExportFacts,
  values: Values,
  images: number,
): Promise<Record<string, TypedArray>> {
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const feeds = inputs.map(({ name, dtype, shape }) => {
    const sizes = shape.map((size) => (size === "batch" ? images : size));
    return [name, new Tensor(dtype as "float32", values[name] as Float32Array, sizes)] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as TypedArray]));
}

/** Pixels 0..255 of some images, each in colours of its own. */
function pixelsOf({ height, width, channels }: ImageShape, count: number): Float32Array {
  const random = randomStream(3, "probe");
  return Float32Array.from({ length: count * height * width * channels }, () => Math.floor(256 * random.uniform()));
}

const colours = (channels: number): ColourScale => ({
  mean: Array.from({ length: channels }, (_, c) => 0.4 + 0.05 * c),
  std: Array.from({ length: channels }, (_, c) => 0.2 + 0.03 * c),
});

const normalized = (pixels: Float32Array, { mean, std }: ColourScale): Float32Array =>
  pixels.map((value, at) => (value / 255 - (mean[at % mean.length] as number)) / (std[at % std.length] as number));

const largest = (values: ArrayLike<number>): number => Math.max(1, ...Array.from(values, Math.abs));
/** As a share of the largest value, where that is more than one. */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => difference(a, b) / largest(b);

const clamped = (values: TypedArray): Float32Array => Float32Array.from(values, (x) => Math.min(Math.max(x, 0), 1));

async function features(model: Trained, numbers: Float32Array | Readonly<Record<string, Float32Array>>, count: number) {
  const pools = model.program.extraTokens > 0 ? (["cls", "mean"] as const) : (["mean"] as const);
  const selections = pools.map((pool) => ({ pool, layer: "last" }) as const);
  const reader = await encoderReader(model, await executor(), selections, count);
  const read = await reader.read({
    arrays: numbers instanceof Float32Array ? { [arrayOf(model.program).name]: numbers } : numbers,
    labels: new Int32Array(count),
    count,
  });
  await reader.close();
  return Object.fromEntries(pools.map((pool, i) => [pool, read[i] as Float32Array]));
}

/** Exports, and compares with evaluation on batches of several sizes. */
async function compareEncoder(model: Trained, pixels: Float32Array, most: number): Promise<void> {
  const scale = colours(imageOf(model.program).channels);
  const fromNormalized = await exported(model, { colours: () => scale });
  const fromPixels = await exported(model, { colours: () => scale, images: "pixels" });
  for (const count of [1, most]) {
    const some = pixels.subarray(0, (pixels.length / most) * count);
    const image = normalized(some, scale);
    const truth = await features(model, image, count);
    const found = await runFile(fromNormalized, { image }, count);
    const same = await runFile(fromPixels, { image: some }, count);
    expect(Object.keys(found).sort()).toEqual([...Object.keys(truth), "tokens"].sort());
    for (const [pool, vectors] of Object.entries(truth)) {
      expect(distance(found[pool] as TypedArray, vectors), `${pool} of ${count}`).toBeLessThan(1e-5);
      expect(distance(same[pool] as TypedArray, vectors), `${pool} of ${count}, from pixels`).toBeLessThan(1e-5);
    }
  }
}

/** `seesTarget`: whether visible patches are those of the target, whose means and deviations evaluation knows. */
async function compareReconstruction(
  model: Trained,
  pixels: Float32Array,
  count: number,
  seesTarget = true,
): Promise<void> {
  const { program } = model;
  const scale = colours(imageOf(program).channels);
  const image = normalized(pixels, scale);
  const samples = Int32Array.from({ length: count }, (_, i) => i);
  const options = { executor: await executor(), colours: scale, seed: 4 };
  const fields = maskField(program, { image }, () => scale, options.seed, samples);
  const masks = sampleMasks(program, options.seed, 0, samples, { fields });
  const facts = await exported(model, { what: "reconstruct", colours: () => scale, images: "pixels" });
  const found = await runFile(facts, { image: pixels, ...masks }, count);
  const truth = await reconstructed(model, image, options);
  const shown = clamped((found.pixels as Float32Array).map((value) => value / 255));
  // The file is given the whole image, and takes the true mean and deviation of each hidden patch.
  const numbers = truth[0]?.output.length ?? 0;
  const { channels } = imageOf(program);
  for (const [i, { output, aided = output, hidden }] of truth.entries()) {
    const own = shown.subarray(i * numbers, (i + 1) * numbers);
    const isHidden = (at: number): boolean => hidden[Math.floor(at / channels)] === 1;
    const expected = output.map((value, at) => (isHidden(at) ? (aided[at] as number) : value));
    const judged = (_: unknown, at: number): boolean => seesTarget || isHidden(at);
    expect(distance(own.filter(judged), expected.filter(judged)), `sample ${i}`).toBeLessThan(1e-5);
  }
  expect(found.prediction?.length).toBe(
    facts.outputs[0]?.shape.slice(1).reduce<number>((n, m) => n * Number(m), count),
  );
}

describe.each([
  ["mae-rectangle", rectangle],
  ["mae-square", square],
] as const)("%s", (name, program) => {
  const { fixture, weights, image, batch } = reference(name);
  const model = { program, weights };

  it("has PyTorch's features", async () => {
    const facts = await exported(model);
    const { tokens } = await runFile(facts, { image }, batch);
    expect(difference(tokens as TypedArray, fixture.values("features/2"))).toBeLessThan(1e-5);
  });

  it("has the features of evaluation, for any number of images, normalised outside and inside", async () => {
    await compareEncoder(model, pixelsOf(imageOf(program), 5), 5);
  });

  it("has the reconstructions of evaluation", async () => {
    await compareReconstruction(model, pixelsOf(imageOf(program), 3), 3);
  });
});

const all = await listExamples();
const isOfPictures = ({ model }: (typeof all)[number]): boolean => {
  const [shape, another] = Object.values(programOf(assemble(model)).arrays);
  return shape !== undefined && another === undefined && isPicture(shape);
};
const examples = all.filter(isOfPictures);
const others = all.filter((example) => !isOfPictures(example));

describe("every toy example of another medium", () => {
  it.each(others.filter(({ name }) => name.startsWith("digits")))("$name", async ({ model: checked }) => {
    const program = programOf(assemble(checked));
    const model = { program, weights: initialWeights(program.parameters, 2) };
    const random = randomStream(3, "probe");
    const numbers = Object.fromEntries(
      Object.entries(program.arrays).map(([name, shape]) => [
        name,
        Float32Array.from({ length: 2 * arrayLength(shape) }, (_, at) => {
          if (!shape.ids) return random.normal();
          // Of a text: ids, places, and segments that do not end.
          const token = Math.floor(at / 3) % (shape.axes[0]?.size ?? 1);
          return [random.integer(shape.ids.vocabulary), token, 0][at % 3] as number;
        }),
      ]),
    );
    const found = await runFile(await exported(model), numbers, 2);
    for (const [pool, vectors] of Object.entries(await features(model, numbers, 2))) {
      expect(distance(found[pool] as TypedArray, vectors), pool).toBeLessThan(1e-5);
    }
  });
});

describe("every example of pictures", () => {
  it.each(examples)("$name", async ({ model: checked }) => {
    const program = programOf(assemble(checked));
    const model = { program, weights: initialWeights(program.parameters, 2) };
    const pixels = pixelsOf(imageOf(program), 3);
    await compareEncoder(model, pixels, 3);
    // The visible patches of a low-passed picture are not known without the hidden ones.
    const seesTarget = !checked.slots.some(({ use }) => use.definition.name === "low_pass");
    if (program.picture) await compareReconstruction(model, pixels, 3, seesTarget);
    else await expect(exported(model, { what: "reconstruct" })).rejects.toMatchObject({ code: "run/features" });
    const said = headOutput(program);
    if (said === null) {
      await expect(exported(model, { what: "classify" })).rejects.toMatchObject({ code: "run/features" });
      return;
    }
    expect(outputNames(program)).toContain(said);
    const facts = await exported(model, { what: said });
    expect(Object.keys(await runFile(facts, { image: pixels }, 3))).toEqual([said]);
  });
});

const classifier = programFrom(`
  input     image(size: 16x16, channels: 3)
  tokens    patch(size: 4x4)
  encoder   vit(depth: 2, width: 16, heads: 2)
  head      classifier(classes: 5)
  loss      cross_entropy`);

it("says classes as the model's head does", async () => {
  const model = { program: classifier, weights: initialWeights(classifier.parameters, 2) };
  const image = pixelsOf(imageOf(classifier), 2).map((value) => value / 255);
  const frozen = await openFrozen(model, await executor(), 2, (g, w) => ({
    logits: predictOf(classifier)(g, w, maskedBatch(g, classifier, w)),
  }));
  const truth = await frozen.run({ image });
  await frozen.close();
  const facts = await exported(model, { what: "classify" });
  expect(facts.outputs).toMatchObject([{ name: "logits", shape: ["batch", 5] }]);
  const { logits } = await runFile(facts, { image }, 2);
  expect(distance(logits as TypedArray, truth.logits as TypedArray)).toBeLessThan(1e-5);
  await expect(exported(model, { what: "reconstruct" })).rejects.toThrow("classify");
});

describe("the file", () => {
  const model = { program: square, weights: reference("mae-square").weights };
  const image = pixelsOf(imageOf(square), 2).map((value) => value / 255);

  it("says what it is, has standard operators only, and nothing that the function does not need", async () => {
    const { file, opset } = await exported(model);
    const text = readFileSync(file, "latin1");
    for (const words of ["edition 2026", "format_version", "32x32x3", "8x8", "batch, height, width, channels"]) {
      expect(text).toContain(words);
    }
    expect(text).not.toContain("com.microsoft");
    expect(text).toContain("blocks.0.attn.qkv.weight");
    expect(text).not.toContain("decoder");
    expect(opset).toBe(20);
  });

  it("leaves a teacher out", async () => {
    const taught = examples.find(({ name }) => name === "digits-data2vec.TrainDigitsData2Vec");
    const program = programOf(assemble((taught as (typeof examples)[number]).model));
    const weights = [...namedParameters(program.parameters)];
    const followers = weights.flatMap(([name, { follows }]) => (follows === undefined ? [] : [name]));
    expect(followers.length).toBeGreaterThan(0);
    const { file } = await exported({ program, weights: initialWeights(program.parameters, 1) });
    const text = readFileSync(file, "latin1");
    for (const name of followers) expect(text).not.toContain(name);
  });

  it("has the shapes that it is said to have", async () => {
    const facts = await exported(model, { what: "reconstruct" });
    const session = await InferenceSession.create(facts.file);
    const ports = [...session.inputMetadata, ...session.outputMetadata];
    expect(ports.map((port) => (port.isTensor ? [port.name, port.type, port.shape] : []))).toEqual(
      [...facts.inputs, ...facts.outputs].map(({ name, dtype, shape }) => [name, dtype, shape]),
    );
    await session.release();
  });

  it("is for one number of images where that is asked for", async () => {
    const facts = await exported(model, { batch: 2 });
    expect(facts.inputs[0]?.shape).toEqual([2, 32, 32, 3]);
    const any = await exported(model);
    const [fixed, open] = [await runFile(facts, { image }, 2), await runFile(any, { image }, 2)];
    expect(distance(fixed.mean as TypedArray, open.mean as TypedArray)).toBeLessThan(1e-6);
    await expect(runFile(facts, { image: image.subarray(0, image.length / 2) }, 1)).rejects.toThrow();
  });

  it("keeps large weights beside it where it would be too large, and takes them back", async () => {
    const path = freshPath();
    const inside = await exported(model, {}, path);
    expect(inside).toMatchObject({ data: null, bytes: readFileSync(path).length });
    const beside = await exported(model, { largest: 20_000 }, path);
    const data = beside.data as string;
    expect(data.slice(path.length)).toMatch(/^\.[0-9a-f]{12}\.data$/);
    expect(beside.bytes).toBe(readFileSync(path).length + readFileSync(data).length);
    expect(readFileSync(path).length).toBeLessThan(40_000);
    const found = await runFile(beside, { image }, 2);
    await exported(model, {}, path);
    expect(existsSync(data)).toBe(false);
    expect(await runFile(inside, { image }, 2)).toEqual(found);
  });

  it("replaces another only when it is whole, and leaves nothing else behind", async () => {
    const path = freshPath();
    await exported(model, {}, path);
    const before = readFileSync(path);
    await exported(model, { step: 8 }, path);
    expect(readFileSync(path).equals(before)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  it("never writes other weights over those that a model still needs", async () => {
    const path = freshPath();
    const [first, again] = [
      await exported(model, { largest: 20_000 }, path),
      await exported(model, { largest: 20_000 }),
    ];
    const name = "blocks.0.attn.qkv.weight";
    const weights = { ...model.weights, [name]: (model.weights[name] as Float32Array).map((value) => -value) };
    writeFileSync(`${first.data}.partial`, "of an export that was killed");
    const second = await exported({ program: square, weights }, { largest: 20_000 }, path);
    expect(second.data).not.toBe(first.data);
    expect(again.data?.slice(again.file.length)).toBe(first.data?.slice(path.length));
    const own = readdirSync(folder)
      .map((file) => join(folder, file))
      .filter((file) => file.startsWith(path));
    expect(own.sort()).toEqual([path, second.data].sort());
  });

  // Linux has a device that is always full.
  it.runIf(process.platform === "linux")("on a full disk leaves what was there", async () => {
    const path = freshPath();
    // The weights are written first, then the model.
    for (const fitting of [0, 1]) {
      writeFileSync(path, "before");
      const writing = onFullDisk(() => exported(model, { largest: 20_000 }, path), fitting);
      const error = await writing.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RunError);
      expect(error).toMatchObject({ code: "run/disk-full", help: expect.stringContaining("export again") });
      expect(readFileSync(path, "utf8")).toBe("before");
      expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
    }
  });

  it("is refused where its folder is not there", async () => {
    const path = join(folder, "nowhere", "model.onnx");
    await expect(exported(model, {}, path)).rejects.toMatchObject({ code: "run/unwritable" });
  });
});

it("refuses any number of images for a model that computes with their number", async () => {
  const program: ModelProgram = {
    ...square,
    features: (g, w, arrays) => g.div(square.features(g, w, arrays), arrays.image?.shape[0] as number),
  };
  const model = { program, weights: reference("mae-square").weights };
  await expect(exported(model)).rejects.toThrow("--batch");
  const { mean } = await runFile(await exported(model, { batch: 2 }), { image: new Float32Array(2 * 32 * 32 * 3) }, 2);
  expect(mean?.every(Number.isFinite)).toBe(true);
});

it("gives no class token where there is none", async () => {
  const program = tinyProgram();
  const facts = await exported({ program, weights: initialWeights(program.parameters, 1) });
  expect(facts.outputs.map(({ name }) => name)).toEqual(["tokens", "mean"]);
});
