/**
 * Training a masked autoencoder as PyTorch does (test/reference/mae.py): from the same weights, on the same batch and mask, the
 * losses of 20 AdamW steps agree to 1e-4 on every executor that is here, and by micro-batches too.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import type { Values } from "../../graph/index.js";
import { type Executor, openExecutor } from "../../runtime/index.js";
import { feedsFor } from "../../runtime/train/inputs.js";
import { keepInput, startingState, trainingStep } from "../../runtime/train/step.js";
import { readFixture } from "../reference/fixture.js";
import { backendsHere } from "../support/backends.js";
import { bound } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { difference, feedsIn, maeSpec, type RecordedMae, recorded, weightsIn } from "../support/recorded.js";
import { referenceExecutor } from "../support/reference-executor.js";

interface Header extends RecordedMae {
  /** Absent: it follows from the sizes. */
  readonly spec: string;
  /** Losses before each step and after the last. */
  readonly training: { readonly lr: number; readonly weight_decay: number; readonly losses: readonly number[] };
}

/** Losses before each step and after the last. */
async function lossesOn(executor: Executor, name: string, microBatch: number): Promise<readonly number[]> {
  const plain = readFixture<Header>(name);
  const { batch, training } = plain.header;
  const { fixture, model } = plain.header.spec ? recorded<Header>(name) : { fixture: plain, model: null };
  const program = model ? programOf(assemble(model)) : programOfText(maeSpec(plain.header));
  const { lr, weight_decay, losses } = training;
  const optimizer = bound("optimizer", "adamw", { lr: { value: lr, per: null }, betas: [0.9, 0.95], weight_decay });
  const count = batch / microBatch;
  const step = trainingStep(program, { batch, microBatch, clip: null, optimizer });
  const part = (i: number): Values =>
    Object.fromEntries(
      Object.entries(feedsIn(fixture)).map(([key, all]) => {
        const length = all.length / count;
        return [key, all.subarray(i * length, (i + 1) * length)];
      }),
    );
  const slots = [...step.slots, ...step.sums];
  const session = await executor.open(slots, startingState(slots, weightsIn(fixture)));
  const phases = [];
  for (const phase of step.phases) phases.push({ phase, run: await session.load(phase.graph) });
  const found: number[] = [];
  for (let at = 0; at < losses.length; at++) {
    let loss = 0;
    for (const { phase, run } of phases) {
      for (let i = 0; i < (phase.each ? count : 1); i++) {
        const scalars = {
          lr: Float32Array.of(lr),
          step: Float32Array.of(at + 1),
          [keepInput]: Float32Array.of(Math.min(i, 1)),
        };
        const told = await run(feedsFor(phase.graph, { ...scalars, ...part(phase.each ? i : 0) }));
        loss += (told.loss?.[0] ?? 0) / count;
      }
    }
    found.push(loss);
  }
  // What is no weight, and moved too.
  const moved = fixture.names.flatMap((one) => (one.startsWith("trained/") ? [one.slice("trained/".length)] : []));
  const states = await session.read(moved);
  for (const one of moved) expect(difference(states[one], fixture.values(`trained/${one}`)), one).toBeLessThan(1e-3);
  await session.close();
  return found;
}

describe.each(["reference", ...backendsHere] as const)("on %s", (backend) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = backend === "reference" ? referenceExecutor : await openExecutor(backend);
  });
  afterAll(() => executor.close());

  it.each([
    ["mae-square", 2],
    ["mae-square", 1],
    ["mae-rectangle", 3],
    ["mae-learned", 2],
    ["cav-mae", 3],
    ["multi-mae", 3],
    ["fcmae", 2],
    ["convmae", 2],
    ["spark", 2],
    ["spark-resnet", 2],
    ["simmim", 1],
    ["swin-mae", 2],
  ])("20 steps of %s, micro-batches of %s", async (name, microBatch) => {
    const { losses } = readFixture<Header>(name).header.training;
    expect(losses).toHaveLength(21);
    const found = await lossesOn(executor, name, microBatch);
    const tolerance = backend === "reference" ? 1e-6 : 1e-4;
    for (const [i, loss] of losses.entries()) expect(Math.abs((found[i] as number) / loss - 1)).toBeLessThan(tolerance);
  });
});
