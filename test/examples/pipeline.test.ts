/**
 * The examples with pipelines: the one of published size checks and plans what each weight starts with; the toy one is trained for a
 * few steps on real digits, stage by stage, on a TensorFlow.js executor and on the compiled one.
 */

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registry } from "../../blocks/index.js";
import { countsOf } from "../../cli/key-map.js";
import { trainingOf } from "../../cli/recipe-settings.js";
import { recipeOfStage, stageDirectory, startingWeights } from "../../cli/stages.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { emitModule } from "../../compiler/emit/index.js";
import { analyze, type Pipeline, type Stage } from "../../compiler/index.js";
import { type Executor, openExecutor, readCheckpoint, train } from "../../runtime/index.js";
import { bound } from "../support/data.js";

const root = join(import.meta.dirname, "../..");

function pipelineOf(name: string): Pipeline {
  const readText = (path: string) => readFileSync(join(root, "examples", path), "utf8");
  const { pipelines, diagnostics } = analyze({ path: name, text: readText(name) }, { readText }, registry);
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  const [pipeline] = pipelines.values();
  if (!pipeline) throw new Error(`${name} has no pipeline`);
  return pipeline;
}

describe("pre-pretraining, as published", () => {
  const { stages } = pipelineOf("pipeline.mae");
  const counts = Object.fromEntries(stages.map(({ name, mappings }) => [name, countsOf(mappings)]));

  test("takes the encoder from stage to stage and its positions to a larger image", () => {
    expect(counts.mae).toMatchObject({ kept: 0 });
    // 12 layers of 12, the tokens' 2, the class token, the norm's 2, the positions.
    expect(counts.weak).toMatchObject({ kept: 150, resized: 0, new: 2 });
    expect(counts.finetune).toMatchObject({ kept: 149, resized: 1, new: 2, dropped: 2 });
    const positions = stages[2]?.mappings.find(({ status }) => status === "resized");
    expect(positions).toMatchObject({ name: "pos_embed", shape: [1, 1025, 768], from: { shape: [1, 197, 768] } });
  });

  test("emits a classifier", async () => {
    const { model } = stages[2] as Stage;
    expect(await emitModule(model, "0.0.0-test")).toContain("classes: 1000");
  });
});

describe.each(["wasm", "onnx"] as const)("on %s", (backend) => {
  const { stages } = pipelineOf("digits-pipeline.mae");
  let executor: Executor;
  let folder: string;
  beforeAll(async () => {
    executor = await openExecutor(backend);
    folder = await mkdtemp(join(tmpdir(), "maelang-pipeline-"));
  });
  afterAll(async () => {
    await executor.close();
    await rm(folder, { recursive: true });
  });

  /** Trains a stage, or goes on with it; `cut`: the step after which to stop. */
  async function run(stage: Stage, directory: string, o: { readonly resume: boolean; readonly cut?: number }) {
    const stop = new AbortController();
    const losses: number[] = [];
    const short = { batch: 16, epochs: null, steps: 12, evaluate: [], schedule: bound("schedule", "constant") };
    const training = { ...trainingOf(recipeOfStage(stage)), ...short };
    const { checkpoint } = await train(programOf(assemble(stage.model)), training, {
      directory,
      root,
      executor,
      resume: o.resume,
      ...(o.resume ? {} : { weights: await startingWeights(stage, folder) }),
      spec: stage.name,
      workers: 0,
      checkpointEvery: 1000,
      signal: stop.signal,
      report(event) {
        if (event.kind !== "step") return;
        losses.push(event.loss);
        if (event.step === o.cut) stop.abort();
      },
    });
    return { losses, state: (await readCheckpoint(checkpoint)).state };
  }

  const mean = (losses: readonly number[]) => losses.reduce((sum, loss) => sum + loss, 0) / losses.length;

  test("each stage starts from the one before, learns, and goes on bit for bit after a cut", async () => {
    let before: Readonly<Record<string, Float32Array>> = {};
    for (const stage of stages) {
      const started = await startingWeights(stage, folder);
      expect(Object.keys(started).length).toBe(countsOf(stage.mappings).kept);
      for (const [name, values] of Object.entries(started)) expect(values, name).toEqual(before[name]);
      const whole = await run(stage, stageDirectory(folder, stage.name), { resume: false });
      expect(mean(whole.losses.slice(-3)), stage.name).toBeLessThan(mean(whole.losses.slice(0, 3)));
      const cut = stageDirectory(folder, `${stage.name}-cut`);
      const first = await run(stage, cut, { resume: false, cut: 5 });
      const second = await run(stage, cut, { resume: true });
      expect([...first.losses, ...second.losses]).toEqual(whole.losses);
      expect(second.state).toEqual(whole.state);
      before = whole.state;
    }
  }, 180_000);
});
