/** The onnx executor: a whole step as one ONNX model on onnxruntime's processor provider. */

import { cpus } from "node:os";
import type { Executor } from "../executor.js";
import type { Settings } from "./host.js";
import { openSession } from "./session.js";

export type { Settings } from "./host.js";

/** Processor time goes to computing; on machines with other work, spinning threads take it from them. */
export const defaultSettings: Settings = { threads: 0, spin: true };

export function openOnnx(settings: Settings = defaultSettings): Executor {
  const threads = settings.threads === 0 ? cpus().length : settings.threads;
  return {
    name: "onnx",
    backend: "onnx",
    device: `onnxruntime on ${threads} processor thread${threads === 1 ? "" : "s"}`,
    open: async (slots, initial) => openSession(settings, slots, initial),
    close: async () => {},
  };
}
