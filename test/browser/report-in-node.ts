/** A process of its own on WebGPU in Node: prints its report as JSON, or why there is none. */

import { listExecutors, openExecutor } from "../../runtime/executors/index.js";
import { reportOf } from "../runtime/executors/report.js";
import { everyNth, steps } from "./selection.js";

const webgpu = (await listExecutors()).find(({ backend }) => backend === "webgpu");
if (webgpu?.present) {
  const executor = await openExecutor("webgpu");
  console.log(JSON.stringify(await reportOf(executor, steps, everyNth(1))));
  await executor.close();
} else {
  console.log(JSON.stringify({ missing: webgpu?.why }));
}
