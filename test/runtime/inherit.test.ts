/** Weights from another run's checkpoint: taken by name, and position tables resized as PyTorch does it. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { inheritedWeights, RunError } from "../../runtime/index.js";

interface Case {
  readonly extra: number;
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly values: readonly number[];
  readonly resized: readonly number[];
}

const { cases } = JSON.parse(readFileSync(new URL("../reference/positions.json", import.meta.url), "utf8")) as {
  readonly cases: readonly Case[];
};

const checkpoint = (state: Readonly<Record<string, Float32Array>>) => ({
  path: "runs/a/checkpoint-1.safetensors",
  program: "A",
  state,
});

describe.each(cases)("a table of $from for $to", ({ extra, from, to, values, resized }) => {
  test("is that of torch.nn.functional.interpolate", () => {
    const resize = { from, to, extra };
    const wanted = new Map([
      ["pos_embed", { checkpoint: checkpoint({ table: Float32Array.from(values) }), name: "table", resize }],
    ]);
    const table = inheritedWeights(wanted).pos_embed as Float32Array;
    expect(table.length).toBe(resized.length);
    const errors = resized.map((value, i) => Math.abs(value - (table[i] as number)));
    expect(Math.max(...errors)).toBeLessThan(1e-6);
  });
});

const resized = (values: readonly number[], from: readonly number[], to: readonly number[]): Float32Array => {
  const resize = { from, to, extra: 1 };
  const table = { checkpoint: checkpoint({ table: Float32Array.from([7, ...values]) }), name: "table", resize };
  return inheritedWeights(new Map([["pos_embed", table]])).pos_embed as Float32Array;
};

test("a table of three axes is resized along each: planes as a table of two, and times between them as a table of one", () => {
  const { from, values } = cases[0] as Case;
  const plane = values.slice(0, from[0] * from[1]);
  const more = plane.map((value) => 3 - 2 * value);
  const sides = [3, 5];
  const flat = [plane, more].map((one) => [...resized(one, from, sides)].slice(1));
  const along = [...resized([...plane, ...more], [2, ...from], [4, ...sides])].slice(1);
  const each = (sides[0] as number) * (sides[1] as number);
  expect(along.length).toBe(4 * each);
  for (let place = 0; place < each; place++) {
    const times = [0, 1, 2, 3].map((time) => along[time * each + place] as number);
    const two = flat.map((one) => one[place] as number);
    for (const [i, value] of [...resized(two, [2], [4])].slice(1).entries()) expect(times[i]).toBeCloseTo(value, 5);
  }
});

test("a weight is taken as it is, under the name it has now", () => {
  const values = Float32Array.of(1, 2, 3);
  const wanted = new Map([
    ["norm.weight", { checkpoint: checkpoint({ "fc_norm.weight": values }), name: "fc_norm.weight" }],
  ]);
  expect(inheritedWeights(wanted)).toEqual({ "norm.weight": values });
});

test("a checkpoint without it is another model's", () => {
  const wanted = new Map([["norm.weight", { checkpoint: checkpoint({}), name: "norm.weight" }]]);
  expect(() => inheritedWeights(wanted)).toThrow(RunError);
  expect(() => inheritedWeights(wanted)).toThrow(/has no norm\.weight/);
});
