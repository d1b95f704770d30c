/** Maps resized, averaged and read at displaced places, and their gradients, beside PyTorch (`test/reference/warp.py`). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { averagePlaces, integrated, resizePlaces, warp } from "../../../blocks/index.js";
import { type Builder, createBuilder, evaluate, gradients, type Tensor } from "../../../graph/index.js";

interface Sized {
  readonly sides: readonly number[];
  readonly sizes: number[];
  readonly x: readonly number[];
  readonly resized: { readonly y: readonly number[]; readonly gradient: readonly number[] };
  readonly means: { readonly y: readonly number[]; readonly gradient: readonly number[] };
}

interface Read {
  readonly y: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

interface Warped {
  readonly sides: readonly number[];
  readonly x: readonly number[];
  readonly displacement: readonly number[];
  readonly zeros: Read;
  readonly border: Read;
  readonly integrated: { readonly steps: number; readonly y: readonly number[]; readonly gradient: readonly number[] };
}

const { sized, warped } = JSON.parse(readFileSync(join(import.meta.dirname, "../../reference/warp.json"), "utf8")) as {
  readonly sized: readonly Sized[];
  readonly warped: readonly Warped[];
};

interface Fed {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** What is built of inputs, and the gradients of the sum of its squares. */
function computed(inputs: readonly Fed[], build: (g: Builder, ...inputs: readonly Tensor[]) => Tensor) {
  const g = createBuilder({ batch: 2 });
  const fed = inputs.map(({ shape }, i) => g.input(`x${i}`, shape as number[]));
  const y = build(g, ...fed);
  const slopes = gradients(g, g.sum(g.mul(y, y)), fed);
  const named = Object.fromEntries(slopes.map((slope, i) => [`d${i}`, slope]));
  const feeds = Object.fromEntries(inputs.map(({ values }, i) => [`x${i}`, Float64Array.from(values)]));
  const { outputs } = evaluate(g.finish({ outputs: { y, ...named } }), feeds);
  return { y: outputs.y as Float64Array, gradients: inputs.map((_, i) => outputs[`d${i}`] as Float64Array) };
}

/** Constants of graphs are float32. */
const close = (actual: ArrayLike<number>, expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs((actual[i] as number) - value)).toBeLessThan(1e-5);
};

test.each(sized)("places of $sides resized to $sizes, and their means", ({ sides, sizes, x, resized, means }) => {
  const fed = [{ shape: [2, ...sides, 3], values: x }];
  const ways = { resized: [resizePlaces, resized], means: [averagePlaces, means] } as const;
  for (const [layer, expected] of Object.values(ways)) {
    const { y, gradients } = computed(fed, (g, at) => layer(g, at as never, { sizes }) as Tensor);
    close(y, expected.y);
    close(gradients[0] as Float64Array, expected.gradient);
  }
});

test.each(warped)("arrays of $sides read at displaced places, and ways integrated", (one) => {
  const { sides, x, displacement } = one;
  const way: Fed = { shape: [2, ...sides, sides.length], values: displacement };
  for (const outside of ["zeros", "border"] as const) {
    const { y, gradients } = computed(
      [{ shape: [2, ...sides, 3], values: x }, way],
      (g, at, by) => warp(g, at as never, by as never, { outside }) as Tensor,
    );
    close(y, one[outside].y);
    for (const [i, gradient] of one[outside].gradients.entries()) close(gradients[i] as Float64Array, gradient);
  }
  const { steps, y, gradient } = one.integrated;
  const ours = computed([way], (g, velocity) => integrated(g, velocity as never, { steps }) as Tensor);
  close(ours.y, y);
  close(ours.gradients[0] as Float64Array, gradient);
});
