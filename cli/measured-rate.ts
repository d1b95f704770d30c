/** How fast this machine trained last: written by `mae train`, read by `mae plan`. A cache that may always be missing. */

import type { MeasuredRate } from "../compiler/index.js";
import { readCache, writeCache } from "./cache.js";

const name = "rate";

/** The rate of the last run on this machine; null when there was none. */
export function readRate(): MeasuredRate | null {
  const read = readCache(name) as Partial<MeasuredRate> | null;
  if (!read || typeof read.flopsPerSecond !== "number" || !(read.flopsPerSecond > 0)) return null;
  return typeof read.device === "string" ? { flopsPerSecond: read.flopsPerSecond, device: read.device } : null;
}

/** Keeps the rate for the next estimate of `mae plan`. */
export const writeRate = (rate: MeasuredRate): void => writeCache(name, rate);
