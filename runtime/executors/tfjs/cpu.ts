/** Plain JavaScript: slow, needs nothing, and a second opinion on every other backend. */

import { type BackendDefinition, builtIn } from "./engine.js";
import { kernelsOf } from "./kernels.js";
import { plain } from "./lowering.js";

export const cpu: BackendDefinition = {
  name: "cpu",
  kernels: kernelsOf(plain),
  make: async () => {
    await import("@tensorflow/tfjs-backend-cpu");
    return { instance: await builtIn("cpu"), device: "JavaScript, 1 thread" };
  },
};
