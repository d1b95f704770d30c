/** Models that say a number of a sample: fed with the number that the data have, judged by their own head, refused where there is none. */

import { join } from "node:path";
import { expect, test } from "vitest";
import type { Sample } from "../../blocks/index.js";
import { joinSamples } from "../../runtime/data/join.js";
import { evaluate, RunError } from "../../runtime/index.js";
import { bound, indexOf, inMemory, recipe } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { surroundings, trained } from "../support/runs.js";

const program = programOfText(`
edition 2026
model Told {
  input   table(columns: "a, b, c: x | y")
  tokens  columns
  encoder vit(depth: 1, width: 16, heads: 2)
  head    regressor(mean: 500, deviation: 100)
  loss    number_error
}`);
const shape = program.arrays.table as NonNullable<(typeof program.arrays)[string]>;

/** Rows whose second column tells the number. */
const second = (i: number): number => Math.sin(5 * i);
const numberOf = (i: number): number => 500 + 100 * second(i);
const row = (i: number): Float32Array => Float32Array.of(Math.cos(7 * i), 1, second(i), 1, i % 2, 1);
const rows = (count: number): Sample[] =>
  Array.from({ length: count }, (_, i) => ({ kind: "array", numbers: row(i), shape, label: null }));

const here = surroundings("wasm");

const run = (name: string, data: Parameters<typeof recipe>[0]) =>
  trained(program, recipe(data, { steps: 40, schedule: bound("schedule", "constant") }), {
    directory: join(here.folder, name),
    root: here.folder,
    executor: here.executor,
  });

test("a head learns the number of each sample, and is judged by it, also where parts of samples count together", async () => {
  const { state } = await run("learned", inMemory(rows(40), [], numberOf));
  const count = 20;
  const test = async function* () {
    const arrays = { table: Float32Array.from(Array.from({ length: count }, (_, i) => [...row(i)]).flat()) };
    const values = Float64Array.from({ length: count }, (_, i) => numberOf(i));
    yield { arrays, labels: new Int32Array(count).fill(-1), values, count };
  };
  const data = { train: test, test, classes: [], valued: true as const };
  const options = { data, batch: count, executor: here.executor, sources: [], selections: [], seed: 0 };
  const model = { program, weights: state };
  const { rows: judged } = await evaluate(model, [bound("probe", "number_errors")], options);
  expect(judged).toMatchObject([{ source: "head", scale: "number", width: 1 }]);
  const { rmse, pearson } = judged[0]?.scores ?? {};
  expect(rmse).toBeLessThan(50);
  expect(pearson).toBeGreaterThan(0.9);
  const without = { ...options, data: { train: test, test, classes: [] } };
  await expect(evaluate(model, [bound("probe", "number_errors")], without)).rejects.toThrow(
    "The samples have no number that features could tell",
  );
});

test("data without numbers are refused before the first step", async () => {
  const refused = await run("refused", inMemory(rows(40))).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RunError);
  expect(refused).toMatchObject({ code: "run/data", what: "The data has no number of each sample" });
});

test("of several inputs one tells the numbers", () => {
  const named = (order: readonly string[], values?: (i: number) => number) => ({
    ...indexOf(order.map((name): Sample => ({ kind: "array", numbers: row(0), shape, label: null, name }))),
    ...(values ? { values } : {}),
  });
  const [first, other] = [named(["a", "b"]), named(["b", "a"], (i) => 10 + i)];
  const joined = joinSamples([
    { name: "table", index: first },
    { name: "text", index: other },
  ]);
  expect([joined.values?.(0), joined.values?.(1)]).toEqual([11, 10]);
  const both = [
    { name: "table", index: other },
    { name: "text", index: other },
  ];
  expect(() => joinSamples(both)).toThrow("The data of table and of text both have a number of each sample");
});
