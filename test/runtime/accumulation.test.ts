/** A batch as micro-batches: the gradient of the whole, one update a step, and continuations to the bit. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evaluate, type Values } from "../../graph/index.js";
import type { Executor, Training } from "../../runtime/index.js";
import type { Phase } from "../../runtime/train/contract.js";
import { sampleMasks } from "../../runtime/train/inputs.js";
import { keepInput, startingState, trainingStep } from "../../runtime/train/step.js";
import { initialWeights } from "../../runtime/train/weights.js";
import { backendsHere } from "../support/backends.js";
import { bound, inMemory, recipe, stripes } from "../support/data.js";
import { type Circumstances, differing, surroundings, trained } from "../support/runs.js";
import { tinyProgram } from "../support/tiny-program.js";

const program = tinyProgram();
const batch = 8;
const settings = { batch, clip: 0.5, optimizer: bound("optimizer", "adamw", { lr: { value: 0.01, per: null } }) };

const samples = Int32Array.from({ length: batch }, (_, i) => i);
const image = Float32Array.from(
  stripes(batch).flatMap((sample) =>
    sample.kind === "pixels" ? Array.from(sample.pixels, (value) => value / 255) : [],
  ),
);
const feeds: Values = {
  image,
  ...sampleMasks(program, 3, 0, samples),
  lr: Float32Array.of(0.01),
  step: Float32Array.of(1),
};

/** The feeds of micro-batch `i` of so many. */
function part(phase: Phase, i: number, count: number): Values {
  const all: Values = { ...feeds, [keepInput]: Float32Array.of(i === 0 ? 0 : 1) };
  return Object.fromEntries(
    [...phase.graph.feeds.keys()].map((name) => {
      const values = all[name] as Float32Array;
      const length = values.length / count;
      return [name, values.length === 1 ? values : values.subarray(i * length, (i + 1) * length)];
    }),
  );
}

/** Largest difference of two sets of arrays, relative to the largest value of each. */
function difference(found: Values, expected: Values, names: readonly string[]): number {
  const each = names.map((name) => {
    const [a, b] = [found[name] as Float32Array, expected[name] as Float32Array];
    const scale = Math.max(...Array.from(b, Math.abs));
    return Math.max(...Array.from(b, (value, i) => Math.abs((a[i] as number) - value))) / (scale || 1);
  });
  return Math.max(...each);
}

const whole = trainingStep(program, settings);
const start = startingState(whole.slots, initialWeights(program.parameters, 3));

/** Weights and moments after one step on an executor, by the whole batch or by micro-batches. */
async function stepOn(executor: Executor, microBatch: number): Promise<Values> {
  const step = trainingStep(program, { ...settings, microBatch });
  const session = await executor.open([...step.slots, ...step.sums], { ...start, ...startingState(step.sums, {}) });
  const told: Values[] = [];
  for (const phase of step.phases) {
    const run = await session.load(phase.graph);
    const times = phase.each === "micro-batch" ? batch / microBatch : 1;
    for (let i = 0; i < times; i++) told.push(await run(part(phase, i, times)));
  }
  const state = await session.read();
  await session.close();
  return { ...state, ...told.at(-1) };
}

it("in float64, the mean of the micro-batches' gradients is the gradient of the batch, and one update follows", () => {
  const [summing, updating] = trainingStep(program, { ...settings, microBatch: 2 }).phases as [Phase, Phase];
  expect([summing.name, updating.name]).toEqual(["sum", "update"]);
  const expected = evaluate((whole.phases[0] as Phase).graph, part(whole.phases[0] as Phase, 0, 1), start);
  let state: Values = { ...start, ...startingState(trainingStep(program, { ...settings, microBatch: 2 }).sums, {}) };
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const { outputs, updates } = evaluate(summing.graph, part(summing, i, 4), state);
    losses.push(outputs.loss?.[0] as number);
    state = { ...state, ...updates };
  }
  const found = evaluate(updating.graph, part(updating, 0, 1), state);
  expect(losses.reduce((a, b) => a + b) / 4).toBeCloseTo(expected.outputs.loss?.[0] as number, 12);
  expect(found.outputs.gradient_norm?.[0]).toBeCloseTo(expected.outputs.gradient_norm?.[0] as number, 12);
  expect(difference(found.updates, expected.updates, Object.keys(expected.updates))).toBeLessThan(1e-9);
});

describe.each(backendsHere)("on %s", (backend) => {
  const here = surroundings(backend);

  it.each([1, 2, 4])(
    "the first moments after a step by micro-batches of %i are those of the batch to 1e-6",
    async (size) => {
      const [expected, found] = [await stepOn(here.executor, batch), await stepOn(here.executor, size)];
      const moments = whole.slots.map(({ name }) => name).filter((name) => name.startsWith("optimizer.m."));
      expect(moments).toHaveLength(6);
      expect(difference(found, expected, [...moments, "gradient_norm"])).toBeLessThan(1e-6);
    },
  );

  const run = (directory: string, changes: Partial<Training>, o: Partial<Circumstances> = {}) => {
    const training = recipe(inMemory(stripes(27)), { batch, steps: 7, clip: 0.5, ...changes });
    return trained(program, training, { executor: here.executor, ...o, directory: join(here.folder, directory) });
  };

  it("a run by micro-batches has the losses of one without, and one line in its log for each step", async () => {
    const [expected, found] = [await run("whole", {}), await run("parts", { microBatch: 2 })];
    expect(found.losses).toHaveLength(7);
    for (const [i, loss] of found.losses.entries()) expect(loss).toBeCloseTo(expected.losses[i] as number, 5);
    expect(Object.keys(found.state).sort()).toEqual(Object.keys(expected.state).sort());
    const log = (await readFile(join(here.folder, "parts", "log.jsonl"), "utf8")).trim().split("\n");
    const steps = log.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "step");
    expect(steps.map(({ step, epoch }) => [step, epoch])).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((step) => [step, Math.floor((step - 1) / 3)]),
    );
    expect(steps[0].gradient_norm).toBeGreaterThan(0);
  });

  it("is interrupted between micro-batches: the step that was begun is done again", async () => {
    const abort = new AbortController();
    let runs = 0;
    const watched: Executor = {
      ...here.executor,
      open: async (...open) => {
        const session = await here.executor.open(...open);
        const load: typeof session.load = async (graph) => {
          const runner = await session.load(graph);
          return async (given) => {
            // Two runs of micro-batches and one update a step: this is the first half of the third step.
            runs += 1;
            if (runs === 7) abort.abort();
            return runner(given);
          };
        };
        return { ...session, load };
      },
    };
    const changes = { microBatch: 4 };
    const undisturbed = await run("untouched", changes);
    const first = await run("halfway", changes, { executor: watched, signal: abort.signal });
    expect([first.losses.length, runs]).toEqual([2, 7]);
    const second = await run("halfway", changes, { resume: true });
    expect([...first.losses, ...second.losses]).toEqual(undisturbed.losses);
    expect(differing(second.state, undisturbed.state)).toEqual([]);
  });

  it("a cut run goes on bit for bit", async () => {
    const changes = { microBatch: 4, augment: [bound("augment", "horizontal_flip")] } as const;
    const undisturbed = await run("undisturbed", changes);
    const first = await run("cut", changes, { cut: 3 });
    const second = await run("cut", changes, { resume: true });
    expect([...first.losses, ...second.losses]).toEqual(undisturbed.losses);
    expect(differing(second.state, undisturbed.state)).toEqual([]);
  });
});
