/** Models that name classes: fed with the labels of what they are shown, judged by their own head. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Sample, SampleIndex } from "../../blocks/index.js";
import { evaluationBatches, trainingBatches } from "../../runtime/data/batches.js";
import { evaluate, RunError, readCheckpoint, writePng } from "../../runtime/index.js";
import { bound, indexOf, inMemory, recipe } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { surroundings, trained } from "../support/runs.js";

const named = `
edition 2026
model Named {
  input   image(size: 8x8, channels: 3)
  tokens  patch(size: 4x4)
  encoder vit(depth: 1, width: 16, heads: 2)
  head    classifier(classes: 3)
  loss    cross_entropy(smoothing: 10%)
}`;
const program = programOfText(named);

/** Plain squares; the channel that is lit is the class. */
const squares = (count: number): Sample[] =>
  Array.from({ length: count }, (_, i) => ({
    kind: "pixels",
    pixels: Uint8Array.from({ length: 8 * 8 * 3 }, (_, at) => (at % 3 === i % 3 ? 200 + i : 10)),
    shape: { height: 8, width: 8, channels: 3 },
    label: i % 3,
  }));

const here = surroundings("wasm");

const run = (name: string, data: Parameters<typeof recipe>[0]) =>
  trained(program, recipe(data, { steps: 40, schedule: bound("schedule", "constant") }), {
    directory: join(here.folder, name),
    root: here.folder,
    executor: here.executor,
  });

describe("training", () => {
  it("learns the labels, and the head is judged by them", async () => {
    const { state, loss } = await run("learned", inMemory(squares(30)));
    // The least that smoothed labels allow is 0.29 + 0.0667 ln 28.
    expect(loss).toBeLessThan(0.6);
    const images = squares(12);
    const batch = {
      arrays: {
        image: Float32Array.from(
          images.flatMap((sample) => ("pixels" in sample ? [...sample.pixels] : [])),
          (v) => v / 255,
        ),
      },
      labels: Int32Array.from(images, ({ label }) => Number(label)),
      count: 12,
    };
    const batches = async function* () {
      yield batch;
    };
    const data = { train: batches, test: batches, classes: ["red", "green", "blue"] };
    const options = { data, batch: 12, executor: here.executor, sources: [], selections: [], seed: 0 };
    const { rows, samples } = await evaluate({ program, weights: state }, [bound("probe", "accuracy")], options);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ source: "head", pool: null, width: 3, scores: { top1: 1 } });
    expect(samples).toEqual({ train: 0, test: 12 });
  });

  it("lets learned tokens and positions decay, unless the recipe says otherwise", async () => {
    const learned = programOfText(named.replace("encoder", "positions learned\n  encoder"));
    const stepped = async (optimizer: "adamw" | "sgd", decay_tokens: boolean, microBatch: number) => {
      const lr = { value: 0.1, per: null };
      const training = recipe(inMemory(squares(30)), {
        ...{ steps: 1, microBatch, schedule: bound("schedule", "constant") },
        optimizer: bound("optimizer", optimizer, { lr, weight_decay: 0.5, decay_tokens }),
      });
      const directory = join(here.folder, `${optimizer}-${decay_tokens}-${microBatch}`);
      const { state } = await trained(learned, training, { directory, root: here.folder, executor: here.executor });
      const first = (await readCheckpoint(join(directory, "checkpoint-0.safetensors"))).state;
      return { state, first };
    };
    for (const [optimizer, microBatch] of [
      ["adamw", 8],
      ["adamw", 4],
      ["sgd", 8],
    ] as const) {
      const [all, some] = [await stepped(optimizer, true, microBatch), await stepped(optimizer, false, microBatch)];
      const differing = Object.keys(all.first).filter(
        (name) => !name.startsWith("optimizer.") && String(all.state[name]) !== String(some.state[name]),
      );
      expect(differing).toEqual(["pos_embed", "cls_token"]);
      for (const name of differing) {
        const [decayed, kept, first] = [all, some].map(({ state }) => state[name]).concat(all.first[name]);
        for (const [i, value] of (first as Float32Array).entries()) {
          expect((decayed?.[i] ?? 0) - (kept?.[i] ?? 0)).toBeCloseTo(-0.1 * 0.5 * value, 6);
        }
      }
    }
  });

  it("refuses data without classes, and data with more than the head has", async () => {
    const refused = async (classes: readonly string[]): Promise<RunError> =>
      run(`refused-${classes.length}`, inMemory(squares(9), classes)).then(
        () => expect.fail("it was trained"),
        (error: unknown) => error as RunError,
      );
    for (const classes of [[], ["a", "b", "c", "d"]]) {
      const error = await refused(classes);
      expect(error).toBeInstanceOf(RunError);
      expect(error.code).toBe("run/data");
    }
  });
});

describe("samples of any number of classes", () => {
  const each = programOfText(named.replace("cross_entropy(smoothing: 10%)", "class_bce"));
  /** Lit channels are the classes: none, one, two or all of them. */
  const lit: Sample[] = Array.from({ length: 32 }, (_, i) => {
    const label = [0, 1, 2].filter((channel) => ((i % 8) >> channel) & 1);
    const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, (_, at) => (label.includes(at % 3) ? 200 + i : 10));
    return { kind: "pixels", pixels, shape: { height: 8, width: 8, channels: 3 }, label };
  });
  const [source] = inMemory(lit) as readonly [ReturnType<typeof inMemory>[number]];
  const several: ReturnType<typeof inMemory> = [
    {
      ...source,
      definition: { ...source.definition, open: async () => ({ ...indexOf(lit), several: true }) },
    },
  ];

  it("train a head that judges each by itself, which is judged so", async () => {
    const training = recipe(several, { steps: 60, schedule: bound("schedule", "constant") });
    const where = { directory: join(here.folder, "several"), root: here.folder, executor: here.executor };
    const { state, loss } = await trained(each, training, where);
    expect(loss).toBeLessThan(0.3);
    const batches = () =>
      evaluationBatches({
        index: { ...indexOf(lit), several: true },
        ...{ augment: [], arrays: each.arrays, batch: 12 },
        root: here.folder,
        workers: 0,
        note: () => {},
      });
    const data = { train: batches, test: batches, classes: ["red", "green", "blue"], several: true as const };
    const options = {
      data,
      batch: 12,
      executor: here.executor,
      sources: ["encoder"] as const,
      selections: [{ pool: "mean", layer: "last" }] as const,
      seed: 0,
    };
    const judged = await evaluate(
      { program: each, weights: state },
      [bound("probe", "accuracy"), bound("probe", "linear")],
      options,
    );
    expect(judged.several).toBe(true);
    for (const { scores } of judged.rows) {
      expect(Object.keys(scores)).toEqual(["mean_average_precision", "macro_f1", "auroc"]);
      expect(scores.mean_average_precision).toBeGreaterThan(0.95);
    }
    await expect(evaluate({ program: each, weights: state }, [bound("probe", "knn")], options)).rejects.toMatchObject({
      what: "The samples have several classes each, and knn compares one of each",
    });
  });

  it("are refused by a loss for one class of each", async () => {
    await expect(run("one-class", several)).rejects.toMatchObject({
      what: "The samples have any number of classes each",
    });
  });
});

describe("labels in a batch", () => {
  const labelsOf = async (index: SampleIndex, batch: number) => {
    const batches = await trainingBatches({
      index,
      augment: [bound("augment", "resize", { size: [8, 8] })],
      arrays: program.arrays,
      fields: program.fields ?? {},
      ...{ batch, seed: 1, root: here.folder, workers: 0, start: 0, note: () => {} },
    });
    try {
      const { fields, samples } = await batches.next();
      const labels = fields.labels as Float32Array;
      const rows = Array.from(samples, (_, i) => [...labels.subarray(i * 3, (i + 1) * 3)]);
      return { samples: [...samples], rows };
    } finally {
      await batches.close();
    }
  };
  const oneHot = (label: number): readonly number[] => [0, 1, 2].map((k) => (k === label ? 1 : 0));

  it("are one at the class of each sample", async () => {
    const { samples, rows } = await labelsOf(indexOf(squares(9)), 6);
    expect(rows).toEqual(samples.map((sample) => oneHot(sample % 3)));
  });

  it("are those of what stands in the place of a broken file", async () => {
    const paths = ["0.png", "1.png", "2.png"];
    for (const path of paths) {
      await writePng(join(here.folder, path), { width: 8, height: 8, pixels: new Uint8Array(8 * 8 * 3) });
    }
    const whole = await readFile(join(here.folder, "1.png"));
    await writeFile(join(here.folder, "1.png"), whole.subarray(0, 40));
    const files: Sample[] = paths.map((path, label) => ({ kind: "file", path, label }));
    const { samples, rows } = await labelsOf(indexOf(files), 3);
    expect(rows).toEqual(samples.map((sample) => oneHot(sample === 1 ? 2 : sample)));
  });
});
