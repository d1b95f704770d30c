/**
 * Every example trains the same on every executor: the losses of 20 steps on onnx and wasm are those of the float64
 * reference to 1e-4. Examples of published size are made small first, in depth, width and image, since the reference would
 * take hours: what they are made of stays.
 */

import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registry, type Sample } from "../../blocks/index.js";
import { trainingOf } from "../../cli/recipe-settings.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { analyze, type Filled, type Model, type Recipe } from "../../compiler/index.js";
import { randomStream } from "../../graph/index.js";
import { type Executor, listExecutors, openExecutor, train } from "../../runtime/index.js";
import { bound, inMemory } from "../support/data.js";
import { referenceExecutor } from "../support/reference-executor.js";

const folder = join(import.meta.dirname, "../../examples");
const names = readdirSync(folder).flatMap((file) => (file.endsWith(".mae") ? [file.slice(0, -".mae".length)] : []));
const steps = 20;
const batch = 2;

/** The example's own recipe with its model; the last of them. */
function exampleOf(name: string): { readonly model: Model; readonly recipe: Recipe } {
  const readText = (path: string) => readFileSync(join(folder, path), "utf8");
  const path = `${name}.mae`;
  const { models, recipes } = analyze({ path, text: readText(path) }, { readText }, registry);
  const recipe = [...recipes.values()].filter(({ span }) => span.source.path === path).at(-1);
  const model = recipe && models.get(recipe.model);
  if (!model) throw new Error(`${name} holds no recipe`);
  return { model, recipe };
}

const smallSide = { depth: 2, width: 16, heads: 4 } as const;

/** The values of a block with smaller ones, where it has so many. */
function smaller(values: Readonly<Record<string, unknown>>, patch: readonly number[]): Record<string, unknown> {
  const changed: Record<string, unknown> = { ...values };
  if (typeof values.width === "number" && values.width > smallSide.width) {
    changed.width = smallSide.width;
    if (typeof values.heads === "number") changed.heads = smallSide.heads;
  }
  if (typeof values.depth === "number") changed.depth = Math.min(values.depth, smallSide.depth);
  // A grid of four by four patches.
  if (Array.isArray(values.size) && (values.size[0] as number) > 100) changed.size = patch.map((side) => 4 * side);
  return changed;
}

function shrunk(model: Model): Model {
  const patch = model.slots.find(({ slot }) => slot === "tokens")?.use.values.size as readonly number[];
  const each = (filled: readonly Filled[]): Filled[] =>
    filled.map((one) => ({
      ...one,
      use: { ...one.use, values: smaller(one.use.values, patch) },
      inner: each(one.inner),
    }));
  return { ...model, slots: each(model.slots) };
}

/**
 * Slanted planes with waves on them, each different. Nowhere level: where a slope is zero, the direction of a gradient hangs on
 * the rounding, in float32 as anywhere.
 */
function pictures(count: number, height: number, width: number, channels: number): Sample[] {
  return Array.from({ length: count }, (_, i) => {
    const random = randomStream(11, "probe", i);
    const [across, down, phase] = [90 + 60 * random.uniform(), 60 + 20 * random.uniform(), 6 * random.uniform()];
    const pixels = Uint8Array.from({ length: height * width * channels }, (_, at) => {
      const [x, y] = [(Math.floor(at / channels) % width) / width, Math.floor(at / channels / width) / height];
      return 10 + across * x + down * y + 7 * Math.sin(9 * x + 7 * y + phase + (at % channels)) + 8;
    });
    return { kind: "pixels", pixels, shape: { height, width, channels }, label: null };
  });
}

const here = (await listExecutors()).filter(({ backend, present }) => present && /^(?:onnx|wasm)$/.test(backend));
const executors: Executor[] = [];
let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "maelang-agreement-"));
  for (const { backend } of here) executors.push(await openExecutor(backend as "onnx" | "wasm"));
});
afterAll(async () => {
  for (const executor of executors) await executor.close();
  await rm(parent, { recursive: true });
});

describe.each(names)("%s", (name) => {
  async function lossesOn(executor: Executor): Promise<readonly number[]> {
    const { model, recipe } = exampleOf(name);
    const program = programOf(assemble(shrunk(model)));
    const { height, width, channels } = program.image;
    const losses: number[] = [];
    const written = trainingOf(recipe);
    const training = {
      ...written,
      data: inMemory(pictures(7, height, width, channels)),
      ...{ batch, epochs: null, steps, evaluate: [] },
      // The warm-up of the recipe is longer than the test.
      schedule: bound("schedule", "constant"),
      // Slow enough that rounding does not grow where gradients are nearly zero.
      optimizer: bound("optimizer", "adamw", { lr: { value: 3e-4, per: null } }),
    };
    await train(program, training, {
      directory: join(parent, name, executor.backend),
      root: folder,
      executor,
      resume: false,
      spec: name,
      workers: 0,
      checkpointEvery: 1000,
      signal: new AbortController().signal,
      report: (event) => event.kind === "step" && losses.push(event.loss),
    });
    return losses;
  }

  test(`${steps} steps on every executor`, { timeout: 120_000 }, async () => {
    const expected = await lossesOn(referenceExecutor);
    expect(expected).toHaveLength(steps);
    expect(executors.map(({ backend }) => backend)).toContain("wasm");
    for (const executor of executors) {
      const losses = await lossesOn(executor);
      const difference = losses.map((loss, i) => Math.abs(loss / (expected[i] as number) - 1));
      expect(Math.max(...difference), `${executor.backend}: ${losses.at(-1)} and ${expected.at(-1)}`).toBeLessThan(
        1e-4,
      );
    }
  });
});
