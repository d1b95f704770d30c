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

const grid = ([rows, columns]: readonly [number, number]) => ({ rows, columns });

describe.each(cases)("a table of $from for $to", ({ extra, from, to, values, resized }) => {
  test("is that of torch.nn.functional.interpolate", () => {
    const resize = { from: grid(from), to: grid(to), extra };
    const wanted = new Map([
      ["pos_embed", { checkpoint: checkpoint({ table: Float32Array.from(values) }), name: "table", resize }],
    ]);
    const table = inheritedWeights(wanted).pos_embed as Float32Array;
    expect(table.length).toBe(resized.length);
    const errors = resized.map((value, i) => Math.abs(value - (table[i] as number)));
    expect(Math.max(...errors)).toBeLessThan(1e-6);
  });
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
