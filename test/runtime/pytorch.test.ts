/**
 * Training a masked autoencoder as PyTorch does (test/reference/mae.py): from the same weights, on the same batch and mask, the
 * losses of 20 AdamW steps agree to 1e-4 on every executor that is here, and by micro-batches too.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import type { Values } from "../../graph/index.js";
import { type Executor, listExecutors, openExecutor } from "../../runtime/index.js";
import { phaseFeeds } from "../../runtime/train/run-step.js";
import { keepInput, startingState, trainingStep } from "../../runtime/train/step.js";
import { readFixture } from "../reference/fixture.js";
import { bound } from "../support/data.js";
import { modelOf } from "../support/model.js";
import { referenceExecutor } from "../support/reference-executor.js";

interface Network {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
}

interface Header {
  readonly image: readonly [number, number, number];
  readonly patch: readonly [number, number];
  readonly ratio: number;
  readonly batch: number;
  readonly tokens: { readonly total: number; readonly visible: number };
  readonly encoder: Network;
  readonly decoder: Network;
  readonly normalize: boolean;
  readonly learned_positions: boolean;
  /** Losses before each step and after the last. */
  readonly training: { readonly lr: number; readonly weight_decay: number; readonly losses: readonly number[] };
}

const transformer = (o: Network): string => `vit(depth: ${o.depth}, width: ${o.width}, heads: ${o.heads})`;

const specOf = (h: Header): string => `
edition 2026
model Reference {
  input     image(size: ${h.image[0]}x${h.image[1]}, channels: ${h.image[2]})
  tokens    patch(size: ${h.patch[0]}x${h.patch[1]})
  positions ${h.learned_positions ? "learned" : "sin_cos"}
  mask      random(ratio: ${h.ratio * 100}%)
  encoder   ${transformer(h.encoder)}
  decoder   ${transformer(h.decoder)}
  target    pixels(normalize: ${h.normalize ? "patch" : "none"})
  loss      mse(on: hidden)
}`;

/** Columns `from` to `to` of the order, [B, N]. */
function columns(order: ArrayLike<number>, { batch, tokens }: Header, from: number, to: number): Int32Array {
  const width = to - from;
  return Int32Array.from({ length: batch * width }, (_, i) => {
    const row = Math.floor(i / width);
    return order[row * tokens.total + from + (i % width)] as number;
  });
}

/** Losses before each step and after the last. */
async function lossesOn(executor: Executor, name: string, microBatch: number): Promise<readonly number[]> {
  const { header, values } = readFixture<Header>(name);
  const { batch, tokens, training } = header;
  const program = programOf(assemble(modelOf(specOf(header))));
  const { lr, weight_decay, losses } = training;
  const optimizer = bound("optimizer", "adamw", { lr: { value: lr, per: null }, betas: [0.9, 0.95], weight_decay });
  const count = batch / microBatch;
  const step = trainingStep(program, { batch, microBatch, clip: null, optimizer });
  const samples: Values = {
    image: Float32Array.from(values("image")),
    restore: Int32Array.from(values("restore")),
    visible: columns(values("order"), header, 0, tokens.visible),
    hidden: columns(values("order"), header, tokens.visible, tokens.total),
  };
  const part = (i: number): Values =>
    Object.fromEntries(
      Object.entries(samples).map(([key, all]) => {
        const length = all.length / count;
        return [key, all.subarray(i * length, (i + 1) * length)];
      }),
    );
  const weights = Object.fromEntries(
    step.slots.flatMap(({ name: slot }) =>
      slot.startsWith("optimizer.") ? [] : [[slot, Float32Array.from(values(`weights/${slot}`))]],
    ),
  );
  const slots = [...step.slots, ...step.sums];
  const session = await executor.open(slots, startingState(slots, weights));
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
        const told = await run(phaseFeeds(phase.graph, { ...scalars, ...part(phase.each ? i : 0) }));
        loss += (told.loss?.[0] ?? 0) / count;
      }
    }
    found.push(loss);
  }
  await session.close();
  return found;
}

const here = (await listExecutors()).filter(({ backend, present }) => present && /^(?:onnx|wasm)$/.test(backend));
const backends = ["reference", ...here.map(({ backend }) => backend)];

describe.each(backends)("on %s", (backend) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = backend === "reference" ? referenceExecutor : await openExecutor(backend as "onnx" | "wasm");
  });
  afterAll(() => executor.close());

  it.each([
    ["mae-square", 2],
    ["mae-square", 1],
    ["mae-rectangle", 3],
    ["mae-learned", 2],
  ])("20 steps of %s, micro-batches of %s", async (name, microBatch) => {
    const { losses } = readFixture<Header>(name).header.training;
    expect(losses).toHaveLength(21);
    const found = await lossesOn(executor, name, microBatch);
    const tolerance = backend === "reference" ? 1e-6 : 1e-4;
    for (const [i, loss] of losses.entries()) expect(Math.abs((found[i] as number) / loss - 1)).toBeLessThan(tolerance);
  });
});
