/** Where tests of training compute. */

import { listExecutors } from "../../runtime/index.js";

const listed = await listExecutors();

/** The compiled backend and one of TensorFlow.js, as far as they are here. */
export const backendsHere = (["onnx", "wasm"] as const).filter((name) =>
  listed.some(({ backend, present }) => present && backend === name),
);
