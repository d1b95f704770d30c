/**
 * The contract of an executor: it holds named state where it computes and runs graphs over it.
 * It is not a tensor library: everything it runs is a `Graph`.
 */

import type { Precision } from "../../blocks/index.js";
import type { Graph, StateSlot, TypedArray, Values } from "../../graph/index.js";

/** A compiled graph. Feeds by name in, outputs by name out; the graph's updates replace state afterwards. */
export type Runner = (feeds: Values) => Promise<Record<string, TypedArray>>;

/** State and the graphs that share it. One run at a time. */
export interface Session {
  /**
   * Prepares a graph whose state slots are all known to the session.
   * @param precision one that the executor has; if absent, float32
   * @param compiling hears each second how many have gone by, where a compiler takes long
   */
  load(graph: Graph, precision?: Precision, compiling?: (seconds: number) => void): Promise<Runner>;
  /** Copies of the named state, all of it when no names are given. */
  read(names?: readonly string[]): Promise<Record<string, TypedArray>>;
  write(values: Values): Promise<void>;
  /**
   * Replaces the named state by its sums over all hosts, by the devices' own collectives. All hosts call it with the same names, and it ends when all
   * have. If absent, the executor reaches no other hosts.
   */
  sumOverHosts?(names: readonly string[]): Promise<void>;
  /** Bytes held now, on the device where that is known; and live tensors, for the leak check. */
  memory(): { readonly bytes: number; readonly tensors: number };
  close(): Promise<void>;
}

/** Devices that share the samples of a step, each with memory of its own. */
export interface ComputingDevices {
  readonly count: number;
  /** Whether each holds a share of weights and moments; if not, each holds all. */
  readonly shardState: boolean;
  /** Bytes of each; null where that is not known. */
  readonly memory: number | null;
  /** Whether it is a part of the machine's memory, which the process uses too, as with processors. */
  readonly inMachine: boolean;
}

export interface Executor {
  /** `tfjs` or `onnx`. */
  readonly name: string;
  /** `wasm`, `cpu`, `webgpu`, `webgl`, `tensorflow`, `onnx`, `onnx-webgpu`. */
  readonly backend: string;
  /** In words: "WebAssembly SIMD, 1 thread", "NVIDIA H200 through Vulkan". */
  readonly device: string;
  /** That compute one operation together, where that is chosen: sums of floats depend on it. */
  readonly threads?: number;
  /** That compute a step together, where that is chosen. */
  readonly devices?: ComputingDevices;
  /** Number formats of products besides float32; if absent, none. */
  readonly precisions?: readonly Precision[];
  /** State starts from `initial`; every slot must be in it. */
  open(state: readonly StateSlot[], initial: Values): Promise<Session>;
  close(): Promise<void>;
}

/** One way of executing, present or not. */
export interface Availability {
  readonly executor: string;
  readonly backend: string;
  readonly present: boolean;
  readonly device?: string;
  /** Why it is not here. */
  readonly why?: string;
  /** What to do to get it. */
  readonly remedy?: string;
}
