/**
 * A training run in a process of its own, to be killed: `node train-child.mjs DIRECTORY STEPS BACKEND MICRO_BATCH DEVICES`,
 * with the state divided among devices where there are several. Prints each step done, and waits for a byte on stdin before it goes on.
 */

import { readSync } from "node:fs";
import { type Backend, listCheckpoints, openExecutor, train } from "../../runtime/index.js";
import { inMemory, recipe, stripes } from "./data.js";
import { tinyProgram } from "./tiny-program.js";

const [directory = "", steps = "", backend = "", microBatch = "", devices = ""] = process.argv.slice(2);
const training = recipe(inMemory(stripes(27)), { steps: Number(steps), microBatch: Number(microBatch) });
const divided = devices === "1" ? {} : { devices: Number(devices), shardState: true };
const result = await train(tinyProgram(), training, {
  directory,
  root: ".",
  executor: await openExecutor(backend as Backend, () => {}, divided),
  resume: (await listCheckpoints(directory)).length > 0,
  spec: "",
  workers: 0,
  checkpointEvery: { steps: 2 },
  signal: new AbortController().signal,
  report: (event) => {
    if (event.kind !== "step") return;
    console.log(event.step);
    readSync(0, Buffer.alloc(1));
  },
});
console.log(`end ${result.step}`);
