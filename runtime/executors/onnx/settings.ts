/** What a session of onnxruntime is opened with. */

import type { InferenceSession } from "onnxruntime-node";
import type { Provider } from "./probe.js";

export type Runtime = typeof import("onnxruntime-node");

/** Of matrices as their rows lie, or in blocks: see `blocked.ts`. */
export type Products = "rows" | "blocks";

export interface Settings {
  /** Threads of one operation. */
  readonly threads: number;
  /** Microseconds that an idle thread waits by spinning before it sleeps; Infinity: it never sleeps within a run. */
  readonly spin: number;
  /** Where the model runs; state stays in this process's memory. */
  readonly provider: Provider;
  /** How products of linear layers are computed; null: as is faster on this processor. */
  readonly products: Products | null;
}

export const sessionOptions = ({ threads, spin, provider }: Settings): InferenceSession.SessionOptions => ({
  executionProviders: [provider],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: "sequential",
  // Would keep a second block for all activations beside the one in which the first run found them room.
  enableMemPattern: false,
  graphOptimizationLevel: "all",
  // 3: errors only; it warns about every constant that it folds away.
  logSeverityLevel: 3,
  extra: { session: { intra_op: spinning(spin) } },
});

const spinning = (spin: number): Readonly<Record<string, string>> => ({
  allow_spinning: spin > 0 ? "1" : "0",
  ...(spin > 0 && spin < Number.POSITIVE_INFINITY ? { spin_duration_us: String(spin) } : {}),
});
