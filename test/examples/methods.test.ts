/**
 * The examples of the methods: those of published size check, plan and emit; those of toy size learn real digits, and a run that
 * was cut goes on bit for bit, on a TensorFlow.js executor and on the compiled one.
 */

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registry } from "../../blocks/index.js";
import { trainingOf } from "../../cli/recipe-settings.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { emitModule } from "../../compiler/emit/index.js";
import { type Analysis, analyze, plan } from "../../compiler/index.js";
import { type Executor, openExecutor, readCheckpoint, train } from "../../runtime/index.js";
import { bound } from "../support/data.js";

const root = join(import.meta.dirname, "../..");

/** An example without findings: its own model and recipe are the last. */
function example(name: string): Pick<Analysis, "models" | "recipes"> {
  const read = (path: string) => readFileSync(join(root, "examples", path), "utf8");
  const { models, recipes, diagnostics } = analyze(
    { path: `${name}.mae`, text: read(`${name}.mae`) },
    { readText: read },
    registry,
  );
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return { models, recipes };
}

function modelAndRecipe(name: string) {
  const { models, recipes } = example(name);
  // What the file declares last extends all that it imports.
  const ancestors = ({ model }: { readonly model: string }): number => models.get(model)?.ancestry.length ?? 0;
  const recipe = [...recipes.values()].reduce((last, one) => (ancestors(one) >= ancestors(last) ? one : last));
  const model = recipe && models.get(recipe.model);
  if (!recipe || !model) throw new Error(`${name} holds no model with a recipe`);
  return { model, recipe };
}

describe.each([
  // MaeBase has 111,907,840 weights.
  ["u-mae", 111_907_840],
  ["low-pass", 111_907_840],
  ["sma", 111_907_840],
  // ViT-B/16 without a head, the token of hidden patches, one layer to 108 values.
  ["maskfeat", 85_798_656 + 768 + 768 * 108 + 108],
  // ViT-B/16 and its slow copy, the token of hidden patches, one layer to 768 features.
  ["data2vec", 2 * 85_798_656 + 768 + 768 * 768 + 768],
  // And the discriminator's layer to one logit.
  ["gan-mae", 111_907_840 + 768 + 1],
  // RAE: the encoder, and what completes regions: as released, without the unused position of a class token.
  ["r-mae", 85_798_656 + 2_132_480 - 128],
])("%s, as published", (name, parameters) => {
  test("checks, plans and emits", async () => {
    const { model, recipe } = modelAndRecipe(name);
    const planned = plan(model, { recipe, samples: 1_281_167 });
    expect(planned.parameters).toBe(parameters);
    expect(planned.steps?.total).toBeGreaterThan(0);
    expect(await emitModule(model, "0.0.0-test")).toContain(`export const ${model.name} =`);
  });
});

const plainToys = [
  "digits-u-mae",
  "digits-maskfeat",
  "digits-low-pass",
  "digits-data2vec",
  "digits-sma",
  "digits-gan-mae",
  "digits-r-mae",
];

/** Toy examples, and the share of the first errors below which the last ones are. */
const toys: readonly (readonly [name: string, share: number])[] = [
  ...plainToys.map((name) => [name, 0.9] as const),
  // A cross-entropy that begins at log 2 and has no image's contrast to take in at once.
  ["digits-rae", 0.95],
];

describe.each(["wasm", "onnx"] as const)("on %s", (backend) => {
  let executor: Executor;
  let parent: string;
  beforeAll(async () => {
    executor = await openExecutor(backend);
    parent = await mkdtemp(join(tmpdir(), "maelang-methods-"));
  });
  afterAll(async () => {
    await executor.close();
    await rm(parent, { recursive: true });
  });

  /** Trains in a folder, or goes on with what is there; `cut`: the step after which to stop. */
  async function run(name: string, directory: string, o: { readonly resume: boolean; readonly cut?: number }) {
    const { model, recipe } = modelAndRecipe(name);
    const stop = new AbortController();
    const steps: Readonly<Record<string, number>>[] = [];
    const training = {
      ...trainingOf(recipe),
      ...{ batch: 16, epochs: null, steps: 12 },
      // The warm-up of the recipe is longer than that.
      schedule: bound("schedule", "constant"),
    };
    const { checkpoint } = await train(programOf(assemble(model)), training, {
      directory,
      root,
      executor,
      resume: o.resume,
      spec: name,
      workers: 0,
      checkpointEvery: 1000,
      signal: stop.signal,
      report(event) {
        if (event.kind !== "step") return;
        steps.push({ loss: event.loss, ...event.terms });
        if (event.step === o.cut) stop.abort();
      },
    });
    return { steps, state: (await readCheckpoint(checkpoint)).state };
  }

  test.each(toys)(
    "%s learns, and goes on bit for bit after a cut",
    async (name, share) => {
      const whole = await run(name, join(parent, `${name}-whole`), { resume: false });
      // Both sides of an adversary move the sum, so there the error of prediction tells.
      const errors = whole.steps.map(({ loss, adversary, mse }) => (adversary === undefined ? loss : mse) as number);
      const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(mean(errors.slice(-3))).toBeLessThan(share * mean(errors.slice(0, 3)));
      const first = await run(name, join(parent, `${name}-cut`), { resume: false, cut: 5 });
      const second = await run(name, join(parent, `${name}-cut`), { resume: true });
      expect([...first.steps, ...second.steps]).toEqual(whole.steps);
      expect(second.state).toEqual(whole.state);
      // Three runs, those of an adversary with several passes a step; a busy machine takes its time.
    },
    180_000,
  );
});
