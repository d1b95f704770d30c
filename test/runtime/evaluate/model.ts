/** Small models for tests of evaluation, with PyTorch's weights or their own. */

import type { ModelProgram } from "../../../blocks/index.js";
import { type Executor, openExecutor } from "../../../runtime/index.js";
import { readFixture } from "../../reference/fixture.js";
import { programOfText } from "../../support/model.js";
import { weightsIn } from "../../support/recorded.js";

export const programFrom = (slots: string): ModelProgram => programOfText(`edition 2026\nmodel Small {\n${slots}\n}`);

/** The model of the fixture `mae-rectangle`: nothing in it is square. */
export const rectangle: ModelProgram = programFrom(`
  input     image(size: 24x40, channels: 1)
  tokens    patch(size: 4x8)
  mask      random(ratio: 75%)
  encoder   vit(depth: 2, width: 24, heads: 3)
  decoder   vit(depth: 1, width: 16, heads: 2)
  target    pixels(normalize: none)
  loss      mse(on: hidden)`);

/** The model of `mae-square`: three channels, normalised patches. */
export const square: ModelProgram = programFrom(`
  input     image(size: 32x32, channels: 3)
  tokens    patch(size: 8x8)
  mask      random(ratio: 75%)
  encoder   vit(depth: 2, width: 32, heads: 4)
  decoder   vit(depth: 1, width: 16, heads: 2)
  target    pixels(normalize: patch)
  loss      mse(on: hidden)`);

export function reference(name: "mae-rectangle" | "mae-square") {
  const fixture = readFixture<{ readonly batch: number }>(name);
  return {
    fixture,
    weights: weightsIn(fixture),
    image: fixture.values("image") as Float32Array,
    batch: fixture.header.batch,
  };
}

let opened: Promise<Executor> | undefined;
/** One executor for a file of tests. */
export const executor = (): Promise<Executor> => {
  opened ??= openExecutor("wasm");
  return opened;
};

/** Largest absolute difference. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN;
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] as number))));
}
