/** A few training steps in a process of its own: `node peak-child.mjs nothing|layers BACKEND STEPS`. Prints losses and the most memory it had. */

import { existsSync, readFileSync } from "node:fs";
import { peakMemory, type Recompute, simplify, sizeOf } from "../../graph/index.js";
import { type Backend, openExecutor } from "../../runtime/index.js";
import { training, visionFeeds, visionState } from "../graph/vision.js";

const [recompute = "nothing", backend = "", steps = "1"] = process.argv.slice(2);
const transformer = { width: 192, heads: 4 };
const size = {
  ...{ batch: 8, tokens: 256, visible: 128, pixels: 12 },
  encoder: { depth: 8, ...transformer },
  decoder: { depth: 2, ...transformer },
};
const graph = simplify(training(size, recompute as Recompute));
const isMoment = (name: string): boolean => name.includes(":");
const start = visionState(graph);
const state = Object.fromEntries(
  [...graph.state].map(([name, { shape }]) => [
    name,
    isMoment(name) ? new Float32Array(sizeOf(shape)) : Float32Array.from(start[name] as Float64Array),
  ]),
);
const slots = [...graph.state].map(([name, { shape }]) => ({
  ...{ name, shape, dtype: "float32" as const },
  ...(isMoment(name) ? { beside: name.split(":")[0] as string } : {}),
}));
const executor = await openExecutor(backend as Backend);
const session = await executor.open(slots, state);
const run = await session.load(graph);
const losses: number[] = [];
for (let step = 1; step <= Number(steps); step++) {
  const { loss } = await run({ ...visionFeeds(size), step: Float32Array.of(step) });
  losses.push(loss?.[0] as number);
}
// Linux counts what a process had before it became this one to `maxRSS`: the memory of whoever started it.
const status = "/proc/self/status";
const own = existsSync(status) ? /VmHWM:\s+(\d+)/.exec(readFileSync(status, "utf8")) : null;
const peak = (own ? Number(own[1]) : process.resourceUsage().maxRSS) * 1024;
console.log(JSON.stringify({ losses, peak, planned: peakMemory(graph).bytes }));
await session.close();
await executor.close();
