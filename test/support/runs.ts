/** Training runs of tests: in this thread, cut where a test wants it, with what their steps told and the state they kept. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { ModelProgram } from "../../blocks/index.js";
import {
  type Backend,
  type Executor,
  openExecutor,
  readCheckpoint,
  type TrainEvent,
  type Training,
  type TrainResult,
  train,
} from "../../runtime/index.js";
import type { TrainOptions } from "../../runtime/train/contract.js";

/** What is there while tests run. */
export interface Surroundings {
  readonly executor: Executor;
  /** A folder for runs. */
  readonly folder: string;
}

/** An executor and a folder for the tests among which this is called: opened before them, gone after them. */
export function surroundings(backend: Backend): Surroundings {
  const here = {} as { -readonly [name in keyof Surroundings]: Surroundings[name] };
  beforeAll(async () => {
    here.executor = await openExecutor(backend);
    here.folder = await mkdtemp(join(tmpdir(), "maelang-runs-"));
  });
  afterAll(async () => {
    await here.executor.close();
    await rm(here.folder, { recursive: true });
  });
  return here;
}

export interface Circumstances extends Partial<Omit<TrainOptions, "report">> {
  readonly directory: string;
  readonly executor: Executor;
  /** The step after which the run is interrupted; absent: none. */
  readonly cut?: number | undefined;
}

export interface Run extends TrainResult {
  readonly steps: readonly Extract<TrainEvent, { readonly kind: "step" }>[];
  /** One for each step. */
  readonly losses: readonly number[];
  /** Of the newest checkpoint: weights and moments by name. */
  readonly state: Readonly<Record<string, Float32Array>>;
}

/** Trains in a folder, or goes on with what is there. */
export async function trained(
  program: ModelProgram,
  training: Training,
  { cut, ...circumstances }: Circumstances,
): Promise<Run> {
  const stop = new AbortController();
  const steps: Run["steps"][number][] = [];
  const result = await train(program, training, {
    ...{ root: ".", resume: false, spec: "", workers: 0, checkpointEvery: {}, signal: stop.signal },
    ...circumstances,
    report(event) {
      if (event.kind !== "step") return;
      steps.push(event);
      if (event.step === cut) stop.abort();
    },
  });
  const { state } = await readCheckpoint(result.checkpoint);
  return { ...result, steps, losses: steps.map(({ loss }) => loss), state };
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Names of the tensors that only one of two states has or whose bits differ; comparing them number by number takes seconds. */
export function differing(a: Run["state"], b: Run["state"]): readonly string[] {
  const bits = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => {
    const [left, right] = [a[name], b[name]];
    return left === undefined || right === undefined || !bits(left).equals(bits(right));
  });
}
