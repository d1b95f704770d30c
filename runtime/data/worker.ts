/** A data worker: prepares pieces of batches, in the order in which they are asked for, until its port is closed. */

import { parentPort, workerData } from "node:worker_threads";
import { fromSetup, type Setup, type Task, work } from "./work.js";

const preparation = fromSetup(workerData as Setup);
let queue: Promise<void> = Promise.resolve();

parentPort?.on("message", (task: Task) => {
  queue = queue.then(async () => parentPort?.postMessage(await work(task, preparation)));
});
