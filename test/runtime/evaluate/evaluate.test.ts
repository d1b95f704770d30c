/** Probes on all kinds of features of a small labelled set. */

import { describe, expect, test } from "vitest";
import { randomStream } from "../../../graph/index.js";
import type { TrainingPass } from "../../../runtime/data/batches.js";
import type { EvaluateOptions } from "../../../runtime/evaluate/contract.js";
import { evaluate } from "../../../runtime/evaluate/evaluate.js";
import type { LabelledBatch } from "../../../runtime/evaluate/features.js";
import { classShares, eachShare, meanOverViews } from "../../../runtime/evaluate/mean-views.js";
import { RunError, reconstructionErrors } from "../../../runtime/index.js";
import { bound } from "../../support/data.js";
import { executor, rectangle, reference } from "./model.js";

const size = 24 * 40;
const batch = 16;

/** Bright bars at one of three heights, under noise. */
async function* bars(count: number, seed: number): AsyncGenerator<LabelledBatch> {
  for (let start = 0; start < count; start += batch) {
    const image = new Float32Array(batch * size);
    const rows = Math.min(batch, count - start);
    const labels = new Int32Array(rows);
    for (let i = 0; i < rows; i++) {
      const random = randomStream(seed, "probe", start + i);
      const label = random.integer(3);
      labels[i] = label;
      for (let at = 0; at < size; at++) {
        const inside = Math.floor(at / 40 / 8) === label;
        image[i * size + at] = (inside ? 1 : 0) + 0.3 * random.normal();
      }
    }
    yield { arrays: { image }, labels, count: rows };
  }
}

const options = async (changes: Partial<EvaluateOptions> = {}): Promise<EvaluateOptions> => ({
  data: { train: () => bars(120, 1), test: () => bars(40, 2), classes: ["top", "middle", "bottom"] },
  batch,
  executor: await executor(),
  sources: ["encoder", "untrained", "pixels"],
  selections: [
    { pool: "cls", layer: "last" },
    { pool: "mean", layer: 1 },
  ],
  seed: 4,
  ...changes,
});

const probes = [bound("probe", "knn", { k: 5 }), bound("probe", "ridge", { l2: [100] })];
const { weights } = reference("mae-rectangle");

describe("evaluate", () => {
  test("gives a row for each probe on each kind of features, in order", async () => {
    const stages = new Set<string>();
    const result = await evaluate({ program: rectangle, weights }, probes, {
      ...(await options()),
      report: ({ stage }) => stages.add(stage),
    });
    expect(result.rows.map(({ source, pool, layer, probe, width }) => [source, pool, layer, width, probe])).toEqual([
      ["encoder", "cls", "last", 24, "knn"],
      ["encoder", "cls", "last", 24, "ridge"],
      ["encoder", "mean", 1, 24, "knn"],
      ["encoder", "mean", 1, 24, "ridge"],
      ["untrained", "cls", "last", 24, "knn"],
      ["untrained", "cls", "last", 24, "ridge"],
      ["untrained", "mean", 1, 24, "knn"],
      ["untrained", "mean", 1, 24, "ridge"],
      ["pixels", null, null, 960, "knn"],
      ["pixels", null, null, 960, "ridge"],
    ]);
    expect(result.samples).toEqual({ train: 120, test: 40 });
    expect(result).toMatchObject({ model: "Small", seed: 4, classes: 3 });
    expect([...stages]).toEqual(["features", "knn", "ridge"]);
    // The bars are plain to see in the pixels.
    for (const { scores, source } of result.rows) if (source === "pixels") expect(scores.top1).toBeGreaterThan(0.9);
  });

  test("asks for labels and test images only where a probe needs them", async () => {
    async function* unlabelled(): AsyncGenerator<LabelledBatch> {
      for await (const one of bars(120, 1)) yield { ...one, labels: one.labels.map(() => -1) };
    }
    const refused = (): AsyncGenerator<LabelledBatch> => {
      throw new Error("test images are read");
    };
    const data = { train: unlabelled, test: refused, classes: [] };
    const own = await options({ data, sources: ["pixels"] });
    const rank = bound("probe", "rank");
    const { rows, samples } = await evaluate({ program: rectangle, weights }, [rank], own);
    expect(samples).toEqual({ train: 120, test: 0 });
    const labelled = await evaluate({ program: rectangle, weights }, [rank], await options({ sources: ["pixels"] }));
    expect(rows.map(({ scores }) => scores)).toEqual(labelled.rows.map(({ scores }) => scores));
    const both = evaluate({ program: rectangle, weights }, [rank, ...probes], own);
    await expect(both).rejects.toThrow("samples without a class");
  });

  test("is repeatable and survives JSON", async () => {
    const own = await options({ selections: [{ pool: "mean", layer: "last" }], sources: ["encoder", "untrained"] });
    const once = await evaluate({ program: rectangle, weights }, probes, own);
    const again = await evaluate({ program: rectangle, weights }, probes, own);
    const timeless = (rows: typeof once.rows) => rows.map(({ seconds: _, ...row }) => row);
    expect(timeless(again.rows)).toEqual(timeless(once.rows));
    expect(JSON.parse(JSON.stringify(once))).toEqual(once);
  });

  test("measures reconstructions of every test image once, the last batch filled up", async () => {
    const { data, seed } = await options();
    const common = { batch, seed, executor: await executor() };
    const errors = await reconstructionErrors({ program: rectangle, weights }, [], { data, ...common });
    expect(errors?.samples).toBe(40);
    const [own] = errors?.errors ?? [];
    expect(own?.mse).toBeGreaterThan(0);
    expect(own?.psnr).toBeCloseTo(-10 * Math.log10(own?.pixelMse as number), 10);
    const { picture: _, ...blind } = rectangle;
    expect(await reconstructionErrors({ program: blind, weights }, [], { data, ...common })).toBeNull();
  });

  test("averages what is made of several parts of a sample: features, and shares of classes", async () => {
    const asked: unknown[] = [];
    /** Each sample in so many rows, the first of them blank. */
    const viewed = (count: number, seed: number) =>
      async function* (views?: { readonly clips: number; readonly crops: number }): AsyncGenerator<LabelledBatch> {
        asked.push(views);
        const repeat = (views?.clips ?? 1) * (views?.crops ?? 1);
        for await (const { arrays, labels, count: rows } of bars(count, seed)) {
          for (let from = 0; from < rows; from += batch / repeat) {
            const image = new Float32Array(batch * size);
            const own = Math.min(batch / repeat, rows - from);
            for (let i = 0; i < own * repeat; i++) {
              const at = (from + Math.floor(i / repeat)) * size;
              if (repeat === 1 || i % repeat > 0)
                image.set((arrays.image as Float32Array).subarray(at, at + size), i * size);
            }
            const repeated = Int32Array.from(
              { length: own * repeat },
              (_, i) => labels[from + Math.floor(i / repeat)] as number,
            );
            yield { arrays: { image }, labels: repeated, count: own * repeat };
          }
        }
      };
    const data = { train: viewed(120, 1), test: viewed(40, 2), classes: ["top", "middle", "bottom"] };
    const several = { k: 5, crops: 2 };
    const { rows, samples } = await evaluate(
      { program: rectangle, weights },
      [bound("probe", "knn", several), bound("probe", "knn", { k: 5 })],
      await options({ data, sources: ["pixels"] }),
    );
    expect(samples).toEqual({ train: 120, test: 40 });
    // Halved numbers have the same directions.
    expect(rows[0]?.scores).toEqual(rows[1]?.scores);
    expect(rows.map(({ protocol }) => / 2 crops$/.test(protocol))).toEqual([true, false]);
    expect(asked).toEqual([2, 2, 1, 1].map((crops) => ({ clips: 1, crops })));
    const [logits, other] = [
      [2, 0, -1],
      [-3, 1, 0.5],
    ];
    const both = { values: Float32Array.from([...logits, ...other]), labels: Int32Array.of(1, 1), count: 2 };
    const mean = meanOverViews({ ...both, width: 3, classes: 3 }, { clips: 2, crops: 1 }, classShares);
    const shares = (of: readonly number[]) => of.map((x) => Math.exp(x) / of.reduce((sum, y) => sum + Math.exp(y), 0));
    for (let k = 0; k < 3; k++) {
      const expected = Math.log(((shares(logits)[k] as number) + (shares(other)[k] as number)) / 2);
      expect(mean.values[k]).toBeCloseTo(expected, 5);
    }
    expect([mean.count, ...mean.labels]).toEqual([1, 1]);
    const flags = { several: Uint8Array.of(0, 1, 1, 0, 1, 1), labels: Int32Array.of(-1, -1) };
    const each = meanOverViews({ ...both, ...flags, width: 3, classes: 3 }, { clips: 2, crops: 1 }, eachShare);
    const share = (x: number | undefined) => 1 / (1 + Math.exp(-(x as number)));
    for (let k = 0; k < 3; k++) expect(share(each.values[k])).toBeCloseTo((share(logits[k]) + share(other[k])) / 2, 6);
    expect([...(each.several as Uint8Array)]).toEqual([0, 1, 1]);
  });

  test("goes through the images anew for probes that ask for it: tokens of encoders, and views of their own", async () => {
    const asked: string[] = [];
    const passes = {
      samples: 120,
      batches: (
        views: readonly { readonly definition: { readonly name: string } }[],
        { seed, epoch }: TrainingPass,
      ) => {
        asked.push(`${views.map(({ definition }) => definition.name).join("+")} ${seed}.${epoch}`);
        return bars(120, 1 + epoch);
      },
    };
    const data = { ...(await options()).data, passes };
    const own = await options({ data, selections: [{ pool: "mean", layer: "last" }], sources: ["encoder", "pixels"] });
    const times = { epochs: 2, batch: 40, warmup: { amount: 1, unit: "epochs" } };
    const both = [bound("probe", "linear_crops", times), bound("probe", "attentive", { ...times, heads: 3 })];
    const { rows, samples } = await evaluate({ program: rectangle, weights }, both, own);
    expect(rows.map(({ source, pool, width, probe }) => [source, pool, width, probe])).toEqual([
      ["encoder", "mean", 24, "linear_crops"],
      ["pixels", null, 960, "linear_crops"],
      ["encoder", "tokens", 24, "attentive"],
    ]);
    expect(samples).toEqual({ train: 120, test: 40 });
    expect(asked.slice(0, 2)).toEqual([0, 1].map((epoch) => `random_resized_crop+horizontal_flip 4.${epoch}`));
    expect(asked).toHaveLength(6);
    const blind = evaluate({ program: rectangle, weights }, both, await options());
    await expect(blind).rejects.toThrow("in passes over them");
  });

  test("refuses data that no probe can judge", async () => {
    const data = { train: () => bars(2, 1), test: () => bars(4, 2), classes: ["top", "middle", "bottom"] };
    const error = await evaluate({ program: rectangle, weights }, probes, await options({ data })).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(RunError);
    expect((error as RunError).code).toBe("run/data");
  });

  test("leaves nothing on the device", async () => {
    const before = (await executor()).open([], {});
    const session = await before;
    const { tensors } = session.memory();
    await evaluate({ program: rectangle, weights }, probes, await options());
    expect(session.memory().tensors).toBe(tensors);
    await session.close();
  });
});
