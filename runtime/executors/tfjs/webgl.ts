/** WebGL 2: the GPU of browsers that have no WebGPU. Tensors are float32 textures. */

import type { MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import * as tf from "@tensorflow/tfjs-core";
import { type BackendDefinition, builtIn } from "./engine.js";
import { kernelsOf } from "./kernels.js";
import { webgl as lowering } from "./lowering.js";

/** The renderer's name where the browser tells it. */
function describe(gl: WebGLRenderingContext): string {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  return String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}

export const webgl: BackendDefinition = {
  name: "webgl",
  kernels: kernelsOf(lowering),
  flags: { WEBGL_CPU_FORWARD: false },
  make: async () => {
    await import("@tensorflow/tfjs-backend-webgl");
    if (!tf.env().getBool("WEBGL_RENDER_FLOAT32_CAPABLE")) throw new Error("this WebGL cannot compute in float32");
    const instance = (await builtIn("webgl")) as MathBackendWebGL;
    const { gl } = instance.getGPGPUContext();
    return {
      instance,
      device: describe(gl),
      failure: () => (gl.isContextLost() ? "the browser took the WebGL context away" : undefined),
    };
  },
};
