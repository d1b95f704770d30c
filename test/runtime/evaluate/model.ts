/** Small models for tests of evaluation, with PyTorch's weights or their own. */

import type { ModelProgram } from "../../../blocks/index.js";
import { assemble, programOf } from "../../../compiler/assemble/assemble.js";
import { type Executor, openExecutor, type WeightValues } from "../../../runtime/index.js";
import { readFixture } from "../../reference/fixture.js";
import { modelOf } from "../../support/model.js";

export const programFrom = (slots: string): ModelProgram =>
  programOf(assemble(modelOf(`edition 2026\nmodel Small {\n${slots}\n}`)));

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
  const weights: WeightValues = Object.fromEntries(
    fixture.names
      .filter((path) => path.startsWith("weights/"))
      .map((path) => [path.slice("weights/".length), fixture.values(path) as Float32Array]),
  );
  return { fixture, weights, image: fixture.values("image") as Float32Array, batch: fixture.header.batch };
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
