/**
 * Parameters, moments and gradients side by side in one WebAssembly memory, so that onnxruntime reads and writes them
 * without copies and the optimizer updates them in place. A memory is made once with its final size: growing it would
 * take it away from under onnxruntime.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { invariant } from "../../../graph/index.js";
import { packageRoot } from "../../package.js";
import type { InPlace } from "./plan.js";

/** Bytes of a WebAssembly page, and the most of them that 32-bit addresses reach. */
const PAGE = 65_536;
const MOST_PAGES = 65_536;
const ALIGNMENT = 64;

interface Kernels {
  adamw(
    p: number,
    g: number,
    m: number,
    v: number,
    end: number,
    beta1: number,
    beta2: number,
    keep: number,
    rate: number,
    root: number,
    epsilon: number,
  ): void;
  sgd(
    p: number,
    g: number,
    m: number,
    end: number,
    lr: number,
    momentum: number,
    decay: number,
    nesterov: number,
  ): void;
}

/** Bytes of an array with its padding: whole vectors of four, then up to the next line of the cache. */
const roomFor = (size: number): number => Math.ceil((size * 4) / ALIGNMENT) * ALIGNMENT;

const compiled = (): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(join(packageRoot, "dist", "optimizer.wasm")));

/** Arrays of one parameter: itself, its moments, its gradient. */
export interface Cell {
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly gradient: Float32Array;
  /** Applies a rule of this cell's kind with the learning rate, and for adamw the step counted from 1. */
  readonly update: (rule: InPlace["rule"], scalars: readonly number[]) => void;
}

const cellRoom = (update: InPlace): number => roomFor(update.size) * (update.state.length + 1);

/** Groups of updates that fit into one memory each. */
function groups(updates: readonly InPlace[]): readonly (readonly InPlace[])[] {
  const made: InPlace[][] = [];
  let room = 0;
  for (const update of updates) {
    const wanted = cellRoom(update);
    invariant(wanted <= PAGE * MOST_PAGES, "one parameter with its moments fits into 4 GiB");
    if (made.length === 0 || room < wanted) {
      made.push([]);
      room = PAGE * MOST_PAGES;
    }
    (made.at(-1) as InPlace[]).push(update);
    room -= wanted;
  }
  return made;
}

function cellOf(update: InPlace, memory: WebAssembly.Memory, start: number, kernels: Kernels): Cell {
  const at = (i: number): number => start + i * roomFor(update.size);
  const view = (i: number): Float32Array => new Float32Array(memory.buffer, at(i), update.size);
  const count = update.state.length;
  // Whole vectors: the padding behind the last element belongs to this array.
  const end = start + Math.ceil(update.size / 4) * 16;
  return {
    state: new Map(update.state.map((name, i) => [name, view(i)])),
    gradient: view(count),
    update({ kind, settings }, [lr, step]) {
      const rate = lr as number;
      if (kind === "sgd") {
        kernels.sgd(at(0), at(2), at(1), end, rate, settings.momentum, settings.decay, settings.nesterov ? 1 : 0);
        return;
      }
      const { beta1, beta2, epsilon, decay } = settings;
      const corrected = rate / (1 - beta1 ** (step as number));
      const root = 1 / Math.sqrt(1 - beta2 ** (step as number));
      kernels.adamw(at(0), at(3), at(1), at(2), end, beta1, beta2, 1 - rate * decay, corrected, root, epsilon);
    },
  };
}

/** One cell for each update, in as few memories as hold them. */
export function createCells(updates: readonly InPlace[]): readonly Cell[] {
  if (updates.length === 0) return [];
  const module = compiled();
  return groups(updates).flatMap((group) => {
    const bytes = group.reduce((sum, update) => sum + cellRoom(update), 0);
    const pages = Math.max(1, Math.ceil(bytes / PAGE));
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(module, { maelang: { memory } });
    const kernels = instance.exports as unknown as Kernels;
    let start = 0;
    return group.map((update) => {
      const cell = cellOf(update, memory, start, kernels);
      start += cellRoom(update);
      return cell;
    });
  });
}
