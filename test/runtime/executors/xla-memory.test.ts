/** What xla needs of a device's memory, as the plugin counts it in what it has compiled. Skipped where no plugin is. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { devicePlan } from "../../../compiler/index.js";
import { createBuilder, type Recompute, type StateSlot, simplify, sizeOf } from "../../../graph/index.js";
import { findPlugin } from "../../../runtime/executors/index.js";
import { loadPlugin } from "../../../runtime/executors/xla/c-api.js";
import { type Client, openClient } from "../../../runtime/executors/xla/client.js";
import { cutsOfFeeds, undivided } from "../../../runtime/executors/xla/division.js";
import type { CompiledMemory } from "../../../runtime/executors/xla/executables.js";
import { keptExecutables } from "../../../runtime/executors/xla/kept-executables.js";
import { programOf } from "../../../runtime/executors/xla/program.js";
import { stateOnEach } from "../../../runtime/executors/xla/room.js";
import { openSession } from "../../../runtime/executors/xla/session.js";
import type { Phase } from "../../../runtime/train/contract.js";
import { trainingStep } from "../../../runtime/train/step.js";
import { training, visionFeeds, visionState } from "../../graph/vision.js";
import { xlaHere } from "../../support/backends.js";
import { bound } from "../../support/data.js";
import { programOfText } from "../../support/model.js";

/** Large enough for activations to count beside weights. */
const spec = `edition 2026
model Small {
  input   image(size: 32x32, channels: 3)
  tokens  patch(size: 4x4)
  mask    random(ratio: 75%)
  encoder vit(depth: 2, width: 64, heads: 2)
  decoder vit(depth: 1, width: 32, heads: 2)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}
`;

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

describe.skipIf(!xlaHere.present)("on xla", () => {
  let client: Client;
  beforeAll(() => {
    const path = findPlugin()?.path as string;
    client = openClient(loadPlugin(path), keptExecutables(path));
  });
  afterAll(() => client.close());

  it("a layer that is computed again is not kept, and the loss is the same", async () => {
    const size = {
      ...{ batch: 8, tokens: 64, visible: 48, pixels: 12 },
      encoder: { depth: 3, width: 32, heads: 2 },
      decoder: { depth: 1, width: 32, heads: 2 },
    };
    const trained = async (recompute: Recompute) => {
      const graph = simplify(training(size, recompute));
      const slots = [...graph.state].map(([name, { shape }]) => ({ name, shape, dtype: "float32" as const }));
      const session = await openSession(client, slots, visionState(graph));
      const { loss } = await (await session.load(graph))(visionFeeds(size));
      await session.close();
      // Kept, so that it is not compiled a second time.
      const { temporaries } = (await client.compile(programOf(graph).text, 1)).memory as CompiledMemory;
      return { loss: loss?.[0] as number, temporaries };
    };
    const [kept, again] = await Promise.all([trained("nothing"), trained("layers")]);
    expect(again.loss).toBeCloseTo(kept.loss, 6);
    expect(again.temporaries).toBeLessThan(0.7 * kept.temporaries);
  });

  it("a plan says what a program takes on each device: its arguments to the byte, what it makes within a fourth", async () => {
    const cut = { batch: 16, microBatch: 8 };
    const program = programOfText(spec);
    const step = trainingStep(program, { ...cut, clip: null, optimizer: bound("optimizer", "adamw") });
    const [sum] = step.phases as [Phase];
    const splitting = { by: "size", samples: cut.microBatch } as const;
    const asked = { ...cut, splitting, moments: 2, recompute: "nothing", flopsOfSample: () => 0 } as const;
    const divisions = [undivided, { devices: 2, shardState: false }, { devices: 4, shardState: true }];
    await Promise.all(
      divisions.map(async (division) => {
        const { devices: count, shardState } = division;
        const name = JSON.stringify(division);
        const plan = devicePlan(program, asked, { count, shardState });
        expect(plan.samples).toBe(cut.microBatch / count);
        const { weights, moments, sums } = plan;
        expect(stateOnEach([...step.slots, ...step.sums], division), name).toBe(weights + moments + sums);
        const { text, state, feeds } = programOf(sum.graph, "float32", division);
        const memory = (await client.compile(text, count)).memory as CompiledMemory;
        const cuts = cutsOfFeeds(feeds, division);
        const fed = feeds.map(({ name, shape }) => (4 * sizeOf(shape)) / (cuts.get(name) === 0 ? count : 1));
        expect(memory.arguments, name).toBe(stateOnEach(state as StateSlot[], division) + total(fed));
        expect(memory.temporaries / plan.working, name).toBeGreaterThan(0.75);
        expect(memory.temporaries / plan.working, name).toBeLessThan(1.25);
      }),
    );
  });

  it("refuses a state and a step that are larger than the device, and tells what the plugin could not give", async () => {
    const g = createBuilder({ batch: 1 });
    const side = 2 ** 18;
    const order = g.argSort(g.broadcast(g.mul(g.input("x", [side]), g.state("w", [side])), [side, side]));
    const graph = g.finish({ outputs: { first: g.slice(order, [0, 0], [1, 1]) } });
    const slot = { name: "w", shape: [side], dtype: "float32" } as const;
    const w = new Float32Array(side);
    const none = { code: "run/out-of-memory" };
    await expect(openSession(client, [slot], { w }, { room: 1000 })).rejects.toMatchObject(none);
    const known = await openSession(client, [slot], { w }, { room: 2 ** 30 });
    await expect(known.load(graph)).rejects.toMatchObject({ ...none, help: expect.stringContaining("--micro-batch") });
    await known.close();
    const unknown = await openSession(client, [slot], { w });
    const run = await unknown.load(graph);
    await expect(run({ x: w })).rejects.toMatchObject({ ...none, help: expect.stringContaining("--micro-batch") });
    await unknown.close();
  });
});
