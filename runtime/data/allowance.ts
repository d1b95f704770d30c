/** How much each thread may keep of a data set, and is expected to: by what a model reads of all of it. */

import type { ModelProgram, SampleIndex } from "../../blocks/index.js";
import { numbersOf, numbersPrepared, preparedOf } from "./preparation.js";

/** Bytes of all threads together. */
const mostKept = 2 ** 27;
const numberBytes = 4;

interface Files {
  readonly index: SampleIndex;
  readonly arrays: ModelProgram["arrays"];
}

/** Bytes of what a model reads of all samples that are in files. */
function bytesOf({ index, arrays }: Files): number {
  if (numbersOf(index.sample(0)).every((numbers) => numbers !== null)) return 0;
  return index.length * numberBytes * preparedOf({ arrays }).reduce((sum, one) => sum + numbersPrepared(one), 0);
}

/** Bytes that each thread may keep; 0: the data set has no room, or is in memory. */
export function allowance(files: Files, threads: number): number {
  const [needed, own] = [bytesOf(files), Math.floor(mostKept / Math.max(1, threads))];
  return needed === 0 || needed > own ? 0 : own;
}

/** Bytes that all threads are expected to keep. */
export const bytesKept = (files: Files, threads: number): number =>
  allowance(files, threads) === 0 ? 0 : Math.max(1, threads) * bytesOf(files);
