/**
 * Views of a sample as training is fed them: rows of one batch, each made by the lines that are for it, the same on any thread; masks of
 * their own; and a run with teachers, centres and norms that was interrupted equals one that was not, bit for bit.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelProgram, Sample, Training } from "../../blocks/index.js";
import { trainingBatches } from "../../runtime/data/batches.js";
import { type Executor, openExecutor, RunError, readCheckpoint, train } from "../../runtime/index.js";
import { sampleMasks } from "../../runtime/train/inputs.js";
import { bound, indexOf, inMemory, recipe, stripes } from "../support/data.js";
import { programOfText } from "../support/model.js";

const model = (lines: string): ModelProgram =>
  programOfText(`edition 2026
model Seen {
  input image(size: 8x8, channels: 1)
  tokens patch(size: 2x2)
  encoder vit(depth: 1, width: 8, heads: 2)
  ${lines}
}`);

const dino = model(`views multi_crop(local: 3, local_size: 4x4)
  positions learned
  head prototypes(layers: 2, hidden: 8, bottleneck: 4, out: 6)
  teacher ema(on: [global], momentum: 0.9)
  loss self_distillation(taught: 0.04 -> 0.07 over 3 steps)`);

const ibot = model(`views multi_crop(local: 3, local_size: 4x4)
  positions learned
  mask block(ratio: 25%..50%, min_block: 1, hidden: token, on: [global])
  head prototypes(layers: 2, hidden: 8, bottleneck: 4, out: 6, unit: false)
  teacher ema(on: [global], momentum: 0.9)
  loss views: self_distillation(taught: 0.04 -> 0.07 over 3 steps)
  loss patches: self_distillation(taught: 0.04 -> 0.07 over 3 steps, on: hidden)`);

const crop = (input?: string) => ({
  ...bound("augment", "random_resized_crop", { scale: [0.2, 1] }),
  ...(input === undefined ? {} : { input }),
});
const invert = (input: string) => ({ ...bound("augment", "solarize", { threshold: 0, probability: 1 }), input });

/** The arrays of the first batch, with the rows of each sample apart. */
async function fed(program: ModelProgram, augment: Training["augment"], workers = 0) {
  const batches = await trainingBatches({
    index: indexOf(stripes(6, 24)),
    augment,
    arrays: program.arrays,
    streams: program.views,
    batch: 2,
    seed: 5,
    root: ".",
    workers,
    start: 0,
    note: () => undefined,
  });
  try {
    const { arrays } = await batches.next();
    return Object.fromEntries(Object.entries(arrays).map(([name, rows]) => [name, Array.from(rows)]));
  } finally {
    await batches.close();
  }
}

const rowsOf = (values: readonly number[] = [], count: number): readonly (readonly number[])[] =>
  Array.from({ length: count }, (_, i) => values.slice((i * values.length) / count, ((i + 1) * values.length) / count));

describe("views of a sample", () => {
  it("are rows of one batch, each made by the lines that are for it", async () => {
    const arrays = await fed(dino, [crop("global"), crop("local"), invert("global_2")]);
    expect(Object.keys(arrays)).toEqual(["global", "local"]);
    expect([arrays.global?.length, arrays.local?.length]).toEqual([2 * 2 * 64, 2 * 3 * 16]);
    const plain = await fed(dino, [crop("global"), crop("local")]);
    for (const [i, row] of rowsOf(arrays.global, 4).entries()) {
      const other = rowsOf(plain.global, 4)[i] ?? [];
      const changed = i % 2 === 1 ? other.map((value) => 1 - value) : other;
      for (const [at, value] of row.entries()) expect(value).toBeCloseTo(changed[at] as number, 5);
    }
    expect(arrays.local).toEqual(plain.local);
    expect(new Set([...rowsOf(plain.global, 4), ...rowsOf(plain.local, 6)].map((row) => row.join())).size).toBe(10);
  });

  it("draw apart, or what has no label once for all", async () => {
    const apart = await fed(model("views two\n head projector\n loss nt_xent"), [crop()]);
    expect(apart.first).not.toEqual(apart.second);
    const shared = model("views two(shared: true)\n head projector\n loss nt_xent");
    const [same, turned] = [await fed(shared, [crop()]), await fed(shared, [crop(), invert("second")])];
    expect(same.first).toEqual(same.second);
    expect(turned.first).toEqual(same.first);
    expect(turned.second).not.toEqual(same.second);
  });

  it("have masks of their own, and no mask where it is not for them", () => {
    const masked = model("views copies(3)\n mask random(ratio: 50%)\n decoder linear\n target pixels\n loss mse");
    const samples = Int32Array.of(4, 7);
    const { copyVisible, copyRestore } = sampleMasks(masked, 1, 0, samples, { training: true });
    expect([copyVisible?.length, copyRestore?.length]).toEqual([2 * 3 * 8, 2 * 3 * 16]);
    expect(new Set(rowsOf(Array.from(copyVisible ?? []), 6).map((row) => row.join())).size).toBe(6);
    // Whole samples are masked as without views.
    expect(Object.keys(sampleMasks(masked, 1, 0, samples))).toEqual(["visible", "hidden", "restore"]);
    const alike = model(
      "views two\n mask random(ratio: 50%, share: views)\n decoder linear\n target pixels\n loss mse",
    );
    const same = sampleMasks(alike, 1, 0, samples, { training: true });
    expect(same.firstVisible).toEqual(same.secondVisible);
    expect(rowsOf(Array.from(same.firstVisible ?? []), 2)[0]).not.toEqual(
      rowsOf(Array.from(same.firstVisible ?? []), 2)[1],
    );
    const other = model(
      "views two\n mask random(ratio: 50%, on: [second])\n decoder vit(depth: 1, width: 8, heads: 2)\n target pixels\n loss mse",
    );
    expect(Object.keys(sampleMasks(other, 1, 0, samples, { training: true }))).toEqual([
      "secondVisible",
      "secondHidden",
      "secondRestore",
    ]);
  });
});

describe("a run on views", () => {
  let executor: Executor;
  let parent: string;
  beforeAll(async () => {
    executor = await openExecutor("wasm");
    parent = await mkdtemp(join(tmpdir(), "maelang-views-"));
  });
  afterAll(async () => {
    await executor.close();
    await rm(parent, { recursive: true });
  });
  const moco = model(`views two
  head projector: projector(layers: 2, hidden: 8, out: 4)
  head predictor: predictor(hidden: 8, out: 4, of: [projector])
  teacher ema(momentum: 0.9, when: before)
  loss view_contrast`);
  const mocoV2 = programOfText(`edition 2026
model Seen {
  input image(size: 8x8, channels: 1)
  views two
  encoder resnet(depths: (1, 1), width: 2, stem: small)
  head projector(layers: 2, hidden: 8, out: 4, bias: true, norms: false, end: none)
  teacher ema(on: [second], momentum: 0.9, when: before)
  loss queue_contrast(queue: 10, on: mean)
}`);
  const simclr = programOfText(`edition 2026
model Seen {
  input image(size: 8x8, channels: 1)
  views crops(2)
  encoder resnet(depths: (1, 1), width: 2, stem: small)
  head projector(layers: 2, hidden: 8, out: 4, end: unshifted)
  loss nt_xent(on: mean)
}`);
  const training = (changes: Partial<Training> = {}) =>
    recipe(inMemory(stripes(12, 12)), { augment: [crop()], batch: 4, steps: 5, ...changes });
  const siam = model(`views frames(gap: 1..2)
  mask random(ratio: 75%, on: [second])
  decoder cross(depth: 1, width: 8, heads: 2, asks: [first])
  target pixels
  loss mse(on: hidden)`);
  const videoMac = programOfText(`edition 2026
model Seen {
  input image(size: 8x8, channels: 1)
  views frames(gap: 1..2)
  mask random(ratio: 75%, share: views)
  encoder convnext(depths: (1, 1), widths: (4, 8), stem: 1, kernel: 3)
  decoder convnext_block(width: 8)
  target pixels
  loss mse(on: hidden, weight: 2)
  loss consistency
  teacher ema_autoencoder(on: [second], momentum: 0.9)
}`);
  /** Squares that become brighter. */
  const clips = stripes(12, 12).map((one): Sample => {
    const { pixels } = one as Extract<Sample, { kind: "pixels" }>;
    const axes = (["time", "row", "column"] as const).map((name, i) => ({ name, size: i === 0 ? 4 : 12 }));
    const numbers = Uint8Array.from(
      { length: 4 * 144 },
      (_, at) => 0.5 * (pixels[at % 144] as number) + 20 * (at / 144),
    );
    return { kind: "array", numbers, shape: { axes, channels: 1 }, label: 0 };
  });
  const start = (program: ModelProgram, directory: string, changes: object = {}) =>
    train(program, training(program.arrays.image?.gap ? { data: inMemory(clips) } : {}), {
      ...{ directory: join(parent, directory), root: ".", executor, resume: false, spec: "model Seen {}", workers: 0 },
      ...{ checkpointEvery: { steps: 2 }, signal: new AbortController().signal, report: () => undefined },
      ...changes,
    });

  it.each([
    ["dino", dino, "center"],
    ["ibot", ibot, "patches.center"],
    ["moco", moco, "teacher.projector.head.last.norm.running_var"],
    ["moco v2", mocoV2, "queue"],
    ["simclr", simclr, "layer2.0.bn1.running_mean"],
    ["siam", siam, "decoder_blocks.0.cross_attn.kv.weight"],
    ["video mac", videoMac, "teacher.decoder.0.grn.gamma"],
  ])("of %s equals one that was never interrupted, bit for bit", async (name, program, known) => {
    const whole = await readCheckpoint((await start(program, `${name}-whole`)).checkpoint);
    const abort = new AbortController();
    await start(program, name, {
      signal: abort.signal,
      report: (e: { step?: number }) => e.step === 3 && abort.abort(),
    });
    const again = await readCheckpoint((await start(program, name, { resume: true })).checkpoint);
    const states = Object.keys(whole.state);
    expect(states.some((one) => one.endsWith(known))).toBe(true);
    for (const one of states) expect(again.state[one], one).toEqual(whole.state[one]);
  });

  it("refuses parts of batches where statistics of whole ones are kept", async () => {
    const error = await train(
      dino,
      { ...training(), microBatch: 2 },
      {
        ...{ directory: join(parent, "parts"), root: ".", executor, resume: false, spec: "model Seen {}", workers: 0 },
        ...{ checkpointEvery: {}, signal: new AbortController().signal, report: () => undefined },
      },
    ).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RunError);
    expect((error as RunError).message).toContain("keeps statistics of whole batches");
  });
});
