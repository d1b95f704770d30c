/** A process of its own on WebGPU in Node: prints its report as JSON. */

import { openExecutor } from "../../runtime/executors/index.js";
import { reportOf } from "../runtime/executors/report.js";
import { everyNth, steps } from "./selection.js";

const executor = await openExecutor("webgpu");
console.log(JSON.stringify(await reportOf(executor, steps, everyNth(1))));
await executor.close();
