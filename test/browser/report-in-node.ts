/** A process of its own on a backend with WebGPU in Node: prints its report as JSON, or why there is none. */

import { listExecutors, openExecutor } from "../../runtime/executors/index.js";
import { reportOf } from "../runtime/executors/report.js";
import { everyNth, steps } from "./selection.js";

const name = process.argv[2] === "onnx-webgpu" ? "onnx-webgpu" : "webgpu";
const webgpu = (await listExecutors()).find(({ backend }) => backend === name);
if (webgpu?.present) {
  const executor = await openExecutor(name);
  console.log(JSON.stringify(await reportOf(executor, steps, everyNth(name === "webgpu" ? 1 : 2))));
  await executor.close();
} else {
  console.log(JSON.stringify({ missing: webgpu?.why }));
}
