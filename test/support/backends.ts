/** Where tests of training compute. */

import { type Availability, listExecutors } from "../../runtime/executors/index.js";

const listed = await listExecutors();

/** The compiled backend and one of TensorFlow.js, as far as they are here. */
export const backendsHere = (["onnx", "wasm"] as const).filter((name) =>
  listed.some(({ backend, present }) => present && backend === name),
);

/** Whether there is a plugin of XLA, and why not. */
export const xlaHere = listed.find(({ backend }) => backend === "xla") as Availability;
