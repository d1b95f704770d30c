/** What xla needs of a device's memory, as the plugin counts it in what it has compiled. Skipped by name where no plugin is. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Recompute, simplify } from "../../../graph/index.js";
import { findPlugin, listExecutors } from "../../../runtime/executors/index.js";
import { loadPlugin } from "../../../runtime/executors/xla/c-api.js";
import { type Client, type CompiledMemory, openClient } from "../../../runtime/executors/xla/client.js";
import { keptExecutables } from "../../../runtime/executors/xla/kept-executables.js";
import { programOf } from "../../../runtime/executors/xla/program.js";
import { openSession } from "../../../runtime/executors/xla/session.js";
import { training, visionFeeds, visionState } from "../../graph/vision.js";

const xla = (await listExecutors()).find(({ backend }) => backend === "xla");
if (!xla?.present) console.log(`xla: its memory is not looked at, ${xla?.why}`);

describe.skipIf(!xla?.present)("on xla", () => {
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
});
