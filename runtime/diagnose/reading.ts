/** What looking at whole samples and at masked ones have in common: batches, means over them, and which attention is of all patches. */

import { type ArrayShape, arrayOf, type Lattice } from "../../blocks/index.js";
import type { Builder, Tensor, TypedArray } from "../../graph/index.js";
import { joined, type LabelledBatch } from "../evaluate/features.js";
import type { Frozen, Trained } from "../evaluate/frozen.js";
import type { DiagnoseOptions } from "./diagnosis.js";
import type { Rows } from "./features.js";

/** The first layers, whose class token is looked at for artifacts. */
export const shallow = 4;

export type Tally = ReturnType<typeof createTally>;

/** What outputs of batches of so many samples come to: their means, or all of them. Of a batch the first `some` samples count. */
export function createTally(batch: number) {
  const sums = new Map<string, Float64Array>();
  const parts = new Map<string, Float32Array[]>();
  let count = 0;
  return {
    mean(name: string, values: ArrayLike<number>, some: number): void {
      const width = values.length / batch;
      const sum = sums.get(name) ?? new Float64Array(width);
      for (let at = 0; at < some * width; at++) sum[at % width] = (sum[at % width] as number) + (values[at] as number);
      sums.set(name, sum);
    },
    keep(name: string, values: Float32Array, some: number): void {
      const kept = parts.get(name) ?? [];
      kept.push(values.slice(0, (values.length / batch) * some));
      parts.set(name, kept);
    },
    /** A batch is over. */
    counted(some: number): void {
      count += some;
    },
    has: (name: string): boolean => sums.has(name) || parts.has(name),
    meansOf: (name: string): number[] => [...(sums.get(name) ?? [])].map((sum) => sum / count),
    rowsOf(name: string): Rows {
      const kept = parts.get(name) ?? [];
      const values = joined(kept, new Float32Array(kept.reduce((sum, part) => sum + part.length, 0)));
      return { values, count, width: values.length / count };
    },
  };
}

/** The only array of a model and how it is cut; null: it reads several. */
export const onlyGrid = ({
  program,
}: Pick<Trained, "program">): { readonly grid: Lattice; readonly shape: ArrayShape; readonly name: string } | null => {
  const [first, another] = Object.keys(program.arrays);
  if (first === undefined || another !== undefined) return null;
  return { grid: program.grids[first] as Lattice, ...arrayOf(program) };
};

/** Attention between all patches of a model, layer by layer: those of which every token of a sample attends to every one. */
export const wholeMaps = (maps: readonly Tensor[], tokens: number): readonly Tensor[] =>
  maps.filter(({ shape }) => shape[2] === tokens && shape[3] === tokens);

/** Reads all batches by a model that is closed when they are over. */
export async function forEachBatch(
  frozen: Frozen,
  { batches, report }: DiagnoseOptions,
  use: (given: LabelledBatch, run: Frozen["run"], first: number) => Promise<void>,
): Promise<void> {
  let done = 0;
  try {
    for await (const given of batches()) {
      await use(given, frozen.run, done);
      done += given.count;
      report?.(done);
    }
  } finally {
    await frozen.close();
  }
}

/** What the first token attends to, [B, H, N]. */
export function rowOfFirst(g: Builder, map: Tensor, extra: number): Tensor {
  const [batch, heads, all] = map.shape as readonly [number, number, number];
  return g.reshape(g.slice(map, [0, 0, 0, extra], [batch, heads, 1, all - extra]), [batch, heads, all - extra]);
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** What of a sample's features is looked at: the class token where there is one, and the mean of its patches. */
export const pools = ["cls", "mean"] as const;

/** Of what the first token attends to, [B, H, N], the logarithm of the largest over the median, [B, H]: one head that attends to few says little alone. */
export function excesses(values: TypedArray, shape: readonly number[] | undefined): Float64Array {
  const size = shape?.at(-1) as number;
  return Float64Array.from({ length: values.length / size }, (_, i) => {
    const sorted = values.slice(i * size, (i + 1) * size).sort();
    const half = Math.floor(size / 2);
    const median =
      size % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
    return Math.log((sorted[size - 1] as number) / Math.max(median, 1e-12));
  });
}

/** The geometric mean of the excess of each of the first layers, tallied as `first 1` and so on; null: no class token was looked at. */
export function artifactsOf(tally: Tally): readonly number[] | null {
  const layers = Array.from({ length: shallow }, (_, i) => `first ${i + 1}`).filter(tally.has);
  return layers.length === 0 ? null : layers.map((name) => Math.exp(meanOf(tally.meansOf(name))));
}
