/**
 * The examples with pipelines: the one of published size checks and plans what each weight starts with; the toy one is trained for a
 * few steps on real digits, stage by stage, on a TensorFlow.js executor and on the compiled one.
 */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { recipeOfStage, stageDirectory, startingWeights } from "../../cli/runs/stages.js";
import { countsOf } from "../../cli/words/key-map.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { emitModule } from "../../compiler/emit/index.js";
import { type Pipeline, plan, type Stage, trainingOf } from "../../compiler/index.js";
import { bound } from "../support/data.js";
import { exampleOf } from "../support/model.js";
import { type Circumstances, differing, mean, surroundings, trained } from "../support/runs.js";

const root = join(import.meta.dirname, "../..");

function pipelineOf(name: string): Pipeline {
  const [pipeline] = exampleOf(name).pipelines.values();
  if (!pipeline) throw new Error(`${name} has no pipeline`);
  return pipeline;
}

describe("pre-pretraining, as published", () => {
  const { stages } = pipelineOf("pipeline.mae");
  const counts = Object.fromEntries(stages.map(({ name, mappings }) => [name, countsOf(mappings ?? [])]));

  test("takes the encoder from stage to stage and its positions to a larger image", () => {
    expect(counts.mae).toMatchObject({ kept: 0 });
    // 12 layers of 12, the tokens' 2, the class token, the norm's 2, the positions.
    expect(counts.weak).toMatchObject({ kept: 150, resized: 0, new: 2 });
    expect(counts.finetune).toMatchObject({ kept: 149, resized: 1, new: 2, dropped: 2 });
    const positions = stages[2]?.mappings?.find(({ status }) => status === "resized");
    expect(positions).toMatchObject({ name: "pos_embed", shape: [1, 1025, 768], from: { shape: [1, 197, 768] } });
  });

  test("emits a classifier", async () => {
    const { model } = stages[2] as Stage;
    expect(await emitModule(model, "0.0.0-test")).toContain("classes: 1000");
  });
});

test("a masked autoencoder, then views: student and slow copy start as its encoder, and the head alone anew", () => {
  const mappings = pipelineOf("digits-mae-dino.mae").stages[1]?.mappings ?? [];
  const named = (...wanted: readonly string[]) =>
    mappings.flatMap((one) => (wanted.includes(one.status) && "name" in one ? [one.name] : []));
  const taken = named("kept", "renamed");
  const own = taken.filter((name) => !name.startsWith("teacher."));
  expect(own).toHaveLength(54);
  expect(new Set(taken)).toEqual(new Set(own.flatMap((name) => [name, `teacher.${name}`])));
  expect(named("new").length).toBe(7);
  expect(named("new").every((name) => name.startsWith("head."))).toBe(true);
});

describe("fine-tuning, as published", () => {
  const { pipelines } = exampleOf("mae-finetune.mae");

  test.each([
    ["Base", 100, { lr: 5e-4, layer_decay: 0.65, drop_path: 0.1, lowest: 0.65 ** 13, epochs: 90 }],
    ["Large", 50, { lr: 1e-3, layer_decay: 0.75, drop_path: 0.2, lowest: 0.75 ** 25, epochs: 50 }],
    ["Huge", 50, { lr: 1e-3, layer_decay: 0.75, drop_path: 0.3, lowest: 0.75 ** 33, epochs: 50 }],
  ])("has the numbers of the official repository for ViT-%s", (name, epochs, { lr, lowest, ...own }) => {
    const { stages } = pipelines.get(name) as Pipeline;
    const [pretrain, finetune] = stages as [Stage, Stage];
    const { optimizer, schedule, ...training } = trainingOf(recipeOfStage(finetune));
    const adamw = { lr: { value: lr, per: 256 }, betas: [0.9, 0.999], weight_decay: 0.05, decay_tokens: false };
    expect(optimizer.values).toMatchObject({ ...adamw, layer_decay: own.layer_decay });
    expect(schedule.values).toMatchObject({ warmup: { amount: 5, unit: "epochs" }, min_lr: 1e-6 });
    expect(training).toMatchObject({ batch: 1024, epochs, clip: null, average: null, freeze: null });
    expect(
      Object.fromEntries(training.augment.map(({ definition, values }) => [definition.name, values])),
    ).toMatchObject({
      random_resized_crop: { scale: [0.08, 1], filter: "bicubic" },
      horizontal_flip: { probability: 0.5 },
      rand_augment: { magnitude: 9, deviation: 0.5, changes: 2, probability: 0.5 },
      random_erasing: { probability: 0.25, count: 1, with: "noise" },
      mixup: { alpha: 0.8, cutmix: 1, probability: 1, switch: 0.5 },
    });
    const valuesIn = (slot: string) => finetune.model.slots.find((line) => line.slot === slot)?.use.values;
    expect(valuesIn("encoder")).toMatchObject({ drop_path: own.drop_path });
    expect(valuesIn("head")).toMatchObject({ classes: 1000, pool: "mean", dropout: null });
    expect(valuesIn("loss")).toMatchObject({ smoothing: 0.1 });
    const rate = plan(finetune.model, { recipe: recipeOfStage(finetune) }).learningRate;
    expect(rate).toMatchObject({ peak: lr * 4 });
    expect(rate?.lowest).toBeCloseTo(lr * 4 * lowest, 12);
    const [probe] = trainingOf(recipeOfStage(pretrain)).evaluate;
    const linear = {
      epochs: own.epochs,
      batch: 16384,
      lr: { value: 0.1, per: 256 },
      warmup: { amount: 10 },
      optimizer: "lars",
    };
    expect(probe?.probe.values).toMatchObject(linear);
    expect(countsOf(finetune.mappings ?? [])).toMatchObject({ resized: 0, new: 2 });
  });
});

describe.each(["wasm", "onnx"] as const)("on %s", (backend) => {
  const { stages } = pipelineOf("digits-pipeline.mae");
  const here = surroundings(backend);

  /** Trains a stage, or goes on with it. */
  async function run(stage: Stage, directory: string, o: Pick<Circumstances, "resume" | "cut"> = {}) {
    const short = { batch: 16, epochs: null, steps: 12, evaluate: [], schedule: bound("schedule", "constant") };
    const training = { ...trainingOf(recipeOfStage(stage)), ...short };
    const weights = o.resume ? {} : { weights: await startingWeights(stage, here.folder) };
    return trained(programOf(assemble(stage.model)), training, {
      directory,
      root,
      executor: here.executor,
      ...weights,
      ...o,
    });
  }

  test("each stage starts from the one before, learns, and goes on bit for bit after a cut", async () => {
    let before: Readonly<Record<string, Float32Array>> = {};
    for (const stage of stages) {
      const started = await startingWeights(stage, here.folder);
      expect(Object.keys(started).length).toBe(countsOf(stage.mappings ?? []).kept);
      const taken = Object.keys(started).map((name) => [name, before[name] as Float32Array]);
      expect(differing(started, Object.fromEntries(taken))).toEqual([]);
      const whole = await run(stage, stageDirectory(here.folder, stage.name));
      expect(mean(whole.losses.slice(-3)), stage.name).toBeLessThan(mean(whole.losses.slice(0, 3)));
      const cut = stageDirectory(here.folder, `${stage.name}-cut`);
      const first = await run(stage, cut, { cut: 5 });
      const second = await run(stage, cut, { resume: true });
      expect([...first.losses, ...second.losses]).toEqual(whole.losses);
      expect(differing(second.state, whole.state)).toEqual([]);
      before = whole.state;
    }
  }, 180_000);
});
