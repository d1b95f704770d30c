/**
 * How fast this machine trained before: written by `mae train`, read by `mae plan`. Small passes reach less of a machine
 * than large ones, so a rate is kept for each size of them. A cache that may always be missing.
 */

import type { MeasuredRate } from "../../compiler/index.js";
import { readCache, writeCache } from "./cache.js";

const name = "rates";

/** Sizes that are kept, of all devices together. */
const most = 32;

function isRate(value: unknown): value is MeasuredRate {
  const { flopsPerSecond, flopsAtOnce, device } = (value ?? {}) as Partial<MeasuredRate>;
  const positive = (found: unknown): boolean => typeof found === "number" && found > 0 && Number.isFinite(found);
  return positive(flopsPerSecond) && positive(flopsAtOnce) && typeof device === "string";
}

/** Newest first. */
function kept(): readonly MeasuredRate[] {
  const read = readCache(name);
  return Array.isArray(read) ? read.filter(isRate) : [];
}

/** The rates of the device that trained last on this machine. */
export function readRates(): readonly MeasuredRate[] {
  const rates = kept();
  return rates.filter(({ device }) => device === rates[0]?.device);
}

/** Two sizes of which the newer rate stands for both: within one power of two. */
const alike = (a: MeasuredRate, b: MeasuredRate): boolean =>
  a.device === b.device && Math.round(Math.log2(a.flopsAtOnce)) === Math.round(Math.log2(b.flopsAtOnce));

/** Keeps a rate for the next estimates of `mae plan`, in the place of an older one of its size. */
export function writeRate(rate: MeasuredRate): void {
  writeCache(name, [rate, ...kept().filter((older) => !alike(older, rate))].slice(0, most));
}
