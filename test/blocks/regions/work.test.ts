/** How much superpixels compute: blocks of code that are run, as V8 counts them. Unlike time, no other process changes that. */

import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

const photograph = readFileSync(new URL("../../reference/photographs/astronaut.png", import.meta.url));
const session = new Session();
/** A copy of its own: V8 counts blocks only of what it compiles after it was asked to, and other tests have called the first one. */
const copy = "../../../blocks/regions/superpixels.ts?counted";
let counted: typeof import("../../../blocks/regions/superpixels.js");

beforeAll(async () => {
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  counted = await import(copy);
});
afterAll(() => session.disconnect());

/** Blocks run for the photograph at a size, per pixel. */
async function workAt(side: number): Promise<number> {
  const bytes = await sharp(photograph).resize(side, side).raw().toBuffer();
  const pixels = Float32Array.from(bytes, (byte) => byte / 255);
  await session.post("Profiler.takePreciseCoverage");
  counted.superpixels(pixels, { height: side, width: side, channels: 3 }, 0.8, [{ scale: 1000, minSize: 1000 }]);
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const functions = result.find(({ url }) => url.endsWith("/superpixels.ts%3Fcounted"))?.functions ?? [];
  const counts = functions.flatMap(({ ranges }) => ranges.map(({ count }) => count));
  return counts.reduce((sum, count) => sum + count, 0) / side ** 2;
}

test("a pixel of an image of 224x224 is as little work as one of a quarter of it", async () => {
  const [quarter, whole] = [await workAt(112), await workAt(224)];
  expect(quarter).toBeGreaterThan(50);
  expect(whole).toBeLessThan(1.1 * quarter);
  expect(whole).toBeLessThan(200);
});
