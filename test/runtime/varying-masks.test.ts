/** Masks that vary from step to step: which number of visible tokens each step has, shared masks, and runs that go on bit for bit. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Executor, Runner } from "../../runtime/executors/index.js";
import { newestCheckpoint, RunError, sampleMasks } from "../../runtime/index.js";
import type { TrainOptions } from "../../runtime/train/contract.js";
import { visibleAt } from "../../runtime/train/inputs.js";
import { inMemory, recipe, stripes } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { maskOf } from "../support/one-array.js";
import { differing, mean, surroundings, trained } from "../support/runs.js";

const programWith = (mask: string) =>
  programOfText(`edition 2026
model Varying {
  input   image(size: 8x8, channels: 1)
  tokens  patch(size: 2x2)
  mask    ${mask}
  encoder vit(depth: 1, width: 16, heads: 2)
  decoder vit(depth: 1, width: 16, heads: 2)
  target  pixels(normalize: none)
  loss    mse(on: hidden)
}`);

const at = (step: number) => ({ step, totalSteps: 40, stepsPerEpoch: 4 });
const numbers = (mask: string, seed = 3): readonly (number | null)[] =>
  Array.from({ length: 40 }, (_, step) => visibleAt(programWith(mask), seed, at(step)).image ?? null);

describe("the number of visible tokens", () => {
  test("is one of five where it is drawn, each about equally often, and the same for a seed", () => {
    const drawn = numbers("random(ratio: 25%..75%)");
    expect([...new Set(drawn)].sort((a, b) => Number(a) - Number(b))).toEqual([4, 6, 8, 10, 12]);
    for (const count of [4, 6, 8, 10, 12]) expect(drawn.filter((n) => n === count).length).toBeGreaterThan(2);
    expect(numbers("random(ratio: 25%..75%)")).toEqual(drawn);
    expect(numbers("random(ratio: 25%..75%)", 4)).not.toEqual(drawn);
  });

  test("follows a ratio that moves, in five stairs", () => {
    const moving = numbers("random(ratio: 75% -> 25% over 50%)");
    expect(moving).toEqual([...moving].sort((a, b) => Number(a) - Number(b)));
    expect([...new Set(moving)]).toEqual([4, 6, 8, 10, 12]);
    expect(moving.slice(20)).toEqual(Array(20).fill(12));
    expect([...new Set(numbers("random(ratio: 25% -> 75% over 2 epochs)").slice(8))]).toEqual([4]);
  });

  test("stays where the ratio is one number", () => {
    expect(new Set(numbers("random(ratio: 50%)"))).toEqual(new Set([null]));
    expect(maskOf(programWith("random(ratio: 50%)")).varies).toBe(undefined);
  });
});

describe.each(["random", "block", "hilbert", "attention_guided"])("%s", (name) => {
  test("shows as many tokens as it is asked for", () => {
    const program = programWith(`${name}(ratio: 25%..75%)`);
    for (const visible of maskOf(program).varies?.counts ?? []) {
      const feeds = sampleMasks(program, 3, 0, Int32Array.of(5, 9), { visible: { image: visible } }) as Record<
        string,
        Int32Array
      >;
      expect(feeds.visible).toHaveLength(2 * visible);
      expect(feeds.hidden).toHaveLength(2 * (16 - visible));
      const [seen, hidden] = [feeds.visible as Int32Array, feeds.hidden as Int32Array];
      const row = [...seen.slice(0, visible), ...hidden.slice(0, 16 - visible)];
      expect(row.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 16 }, (_, i) => i));
    }
  });
});

test("samples of a batch have one mask where they share it, another in another batch", () => {
  const program = programWith("random(ratio: 50%, share: batch)");
  const rows = (samples: readonly number[]) => {
    const visible = sampleMasks(program, 3, 0, Int32Array.from(samples)).visible as Int32Array;
    return samples.map((_, i) => visible.slice(i * 8, (i + 1) * 8).join());
  };
  expect(new Set(rows([5, 9, 2])).size).toBe(1);
  expect(rows([5, 9])[0]).toBe(rows([5, 2])[0]);
  expect(rows([9, 5])[0]).not.toBe(rows([5, 9])[0]);
});

describe("where the step of another number of visible tokens is compiled in the middle of a run", () => {
  const here = surroundings("wasm");
  const program = programWith("random(ratio: 75% -> 25% over 100%)");
  const training = recipe(inMemory(stripes(27)), { batch: 8, steps: 12 });

  /** Of the largest number, and of that of the first steps. */
  const compiledAtOnce = 2;
  /** An executor that does something else than compile further graphs, and goes on with all that it has compiled. */
  const stuck = (instead: () => Promise<Runner>): Executor => ({
    ...here.executor,
    async open(slots, initial) {
      const session = await here.executor.open(slots, initial);
      let loads = 0;
      return { ...session, load: (...of) => (++loads > compiledAtOnce ? instead() : session.load(...of)) };
    },
  });
  const start = (directory: string, executor: Executor, changes: Partial<TrainOptions> = {}) =>
    trained(program, training, { directory: join(here.folder, directory), executor, resume: false, ...changes });

  test("all steps before it are saved when the time of compiling is over", async () => {
    const late = new RunError("run/compile-limit", { what: "a step was not compiled", help: "Give it longer." });
    await expect(
      start(
        "late",
        stuck(() => Promise.reject(late)),
      ),
    ).rejects.toBe(late);
    const { step } = await newestCheckpoint(join(here.folder, "late"));
    expect(step).toBeGreaterThan(0);
    const rest = await start("late", here.executor, { resume: true });
    expect(step + rest.losses.length).toBe(12);
  });

  test("an interruption saves them, and does not wait for the compiler", async () => {
    const controller = new AbortController();
    const executor = stuck(() => {
      controller.abort();
      return new Promise(() => {});
    });
    const { step, interrupted, losses } = await start("cut", executor, { signal: controller.signal });
    expect(interrupted).toBe(true);
    expect(step).toBe(losses.length);
    expect((await newestCheckpoint(join(here.folder, "cut"))).step).toBe(step);
  });
});

describe.each(["wasm", "onnx"] as const)("training on %s", (backend) => {
  const here = surroundings(backend);

  test.each([
    ["drawn", "random(ratio: 25%..75%, share: batch)"],
    ["moving", "attention_guided(ratio: 25% -> 75%, random: 100% -> 0%)"],
  ])("with a ratio that is %s goes on bit for bit after a cut", async (name, mask) => {
    const program = programWith(mask);
    const training = recipe(inMemory(stripes(27)), { batch: 8, microBatch: 4, steps: 12 });
    const run = (directory: string, resume: boolean, cut?: number) =>
      trained(program, training, { directory: join(here.folder, directory), executor: here.executor, resume, cut });
    const whole = await run(`${name}-whole`, false);
    const first = await run(`${name}-cut`, false, 5);
    const second = await run(`${name}-cut`, true);
    expect([...first.losses, ...second.losses]).toEqual(whole.losses);
    expect(differing(second.state, whole.state)).toEqual([]);
    expect(mean(whole.losses.slice(-3))).toBeLessThan(mean(whole.losses.slice(0, 3)));
  });
});
