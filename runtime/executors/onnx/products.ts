/**
 * Whether this processor multiplies faster in blocks or as rows: a small perceptron's gradients are timed both ways. The answer is kept in
 * the user's cache, so that a processor gives one answer: sums of floats hang on it. Runs in the worker.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, homedir } from "node:os";
import { dirname, join } from "node:path";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { createBuilder, type Graph, sizeOf } from "../../../graph/index.js";
import { worthMoving } from "./blocked.js";
import { NCHWC } from "./fields.js";
import { createModel } from "./model.js";
import { planOf } from "./plan.js";
import { type Runtime, type Settings, sessionOptions } from "./settings.js";

/** Of the perceptron: those of the smaller vision transformers. */
const rows = 512;
const width = 192;
/** Runs of each way, by turns; the first is not counted. */
const runs = 8;
/** The share of the time that blocks may need at most: less saved is not worth their memory, and a busy machine tells no less apart. */
const worthwhile = 0.9;

/** Whether products are to be computed in blocks of this size. */
export async function areFasterInBlocks(ort: Runtime, settings: Settings, block: number): Promise<boolean> {
  if (settings.products !== null) return settings.products === "blocks";
  const file = answerFile(`${ort.env.versions.common} ${cpus()[0]?.model} ${settings.threads}`);
  const before = read(file);
  if (before !== null) return before === "blocks";
  const [inBlocks, asRows] = await leastTimes(ort, settings, [block, null]);
  write(file, (inBlocks as number) < worthwhile * (asRows as number) ? "blocks" : "rows");
  return read(file) === "blocks";
}

/** Numbers of a block, as the library lays them out; null where it has none on this processor, or other operators than these. */
export async function blockSize(ort: Runtime, settings: Settings): Promise<number | null> {
  const m = createModel();
  m.input("x", "float32", [1, 1, 1, 1]);
  m.output(m.op("Shape", [m.op("ReorderInput", ["x"], {}, NCHWC)]), "int64", [4]);
  try {
    const session = await ort.InferenceSession.create(m.encode(), sessionOptions(settings));
    const x = new ort.Tensor("float32", Float32Array.of(1), [1, 1, 1, 1]);
    const [shape] = Object.values(await session.run({ x }));
    await session.release();
    const size = Number(((shape as Tensor).data as BigInt64Array)[1]);
    return size > 1 ? size : null;
  } catch {
    return null;
  }
}

/** Forward and backward through two linear layers with a gelu between them, all of it fed. */
function perceptron(): Graph {
  const g = createBuilder({ batch: 1 });
  const [x, dy] = [g.input("x", [rows, width]), g.input("dy", [rows, width])];
  const [wide, narrow] = [g.input("wide", [4 * width, width]), g.input("narrow", [width, 4 * width])];
  const before = g.linear(x, wide, g.constant(0, [4 * width]));
  const inner = g.gelu(before);
  const [dinner, dnarrow] = g.linearGrad(dy, inner, narrow);
  const [dx, dwide] = g.linearGrad(g.geluGrad(dinner, before), x, wide);
  return g.finish({ outputs: { y: g.linear(inner, narrow, g.constant(0, [width])), dx, dwide, dnarrow } });
}

/** Milliseconds of the fastest run with products in each of some blocks; null: as rows. */
async function leastTimes(
  ort: Runtime,
  settings: Settings,
  blocks: readonly (number | null)[],
): Promise<readonly number[]> {
  const graph = perceptron();
  const feeds: Record<string, Tensor> = {};
  const sessions: InferenceSession[] = [];
  for (const block of blocks) {
    const plan = planOf(graph, block === null ? null : { size: block, least: worthMoving });
    for (const { onnx, shape } of plan.feeds) {
      feeds[onnx] ??= new ort.Tensor("float32", new Float32Array(sizeOf(shape)).fill(0.01), shape);
    }
    sessions.push(await ort.InferenceSession.create(plan.model, sessionOptions(settings)));
  }
  const least = blocks.map(() => Number.POSITIVE_INFINITY);
  for (let run = 0; run < runs; run++) {
    for (const [i, session] of sessions.entries()) {
      const began = performance.now();
      await session.run(feeds);
      if (run > 0) least[i] = Math.min(least[i] as number, performance.now() - began);
    }
  }
  for (const session of sessions) await session.release();
  return least;
}

// -- the answer of before

const answerFile = (processor: string): string =>
  join(
    process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
    ...["maelang", "products", processor.replace(/[^\w.]+/g, "-")],
  );

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

/** Where two ask at once, the first answer stands. In a home that cannot be written none does: what rounds alike each time are rows. */
function write(file: string, answer: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, answer, { flag: "wx" });
  } catch {
    return;
  }
}
