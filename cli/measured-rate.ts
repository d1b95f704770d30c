/** How fast this machine trained last: written by `mae train`, read by `mae plan`. A cache that may always be missing. */

import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MeasuredRate } from "../compiler/index.js";
import { cacheFolder } from "./cache.js";
import { replaceFile } from "./files.js";

const cachePath = (): string => join(cacheFolder(), "rate.json");

/** The rate of the last run on this machine; null when there was none. */
export function readRate(): MeasuredRate | null {
  try {
    const read = JSON.parse(readFileSync(cachePath(), "utf8")) as Partial<MeasuredRate> | null;
    if (!read || typeof read.flopsPerSecond !== "number" || !(read.flopsPerSecond > 0)) return null;
    return typeof read.device === "string" ? { flopsPerSecond: read.flopsPerSecond, device: read.device } : null;
  } catch {
    return null;
  }
}

/** Keeps the rate; a home that cannot be written is no reason to fail a run that is done. */
export function writeRate(rate: MeasuredRate): void {
  try {
    mkdirSync(dirname(cachePath()), { recursive: true });
    replaceFile(cachePath(), `${JSON.stringify(rate)}\n`);
  } catch {
    // Only the next estimate of `mae plan` is lost.
  }
}
