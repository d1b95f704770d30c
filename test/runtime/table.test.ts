/**
 * Tables: rows of comma-separated values and of Parquet files as pyarrow wrote them (test/reference/tables.py), what is told of files that
 * are none, columns as they are described, and what a model fills in where it does not see.
 */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { columnsText, datasets, inputs, type SampleIndex } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { nodeFiles } from "../../runtime/data/files.js";
import { prepareNumbers } from "../../runtime/data/numbers.js";
import { describeTable, errorsOfRows, openRowFiller, openTestData, pixelReader } from "../../runtime/index.js";
import { initialWeights } from "../../runtime/train/weights.js";
import { programOfText } from "../support/model.js";
import { recorded } from "../support/recorded.js";
import { referenceExecutor } from "../support/reference-executor.js";

const folder = (files: Readonly<Record<string, string | Uint8Array>>): string => {
  const path = mkdtempSync(join(tmpdir(), "maelang-table-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
};

const columns = "age: 40 +- 10, hours, sex: female | male";
const array = inputs.table.shape({ columns });

const open = (root: string, values: object = {}, shape = array, split: "train" | "test" = "train") =>
  datasets.table.open(
    { rows: "a.csv", test_rows: null, label: null, names: null, ...values } as never,
    nodeFiles(root),
    split,
    { array: shape },
  ) as Promise<SampleIndex>;

const numbersOf = (index: SampleIndex): readonly (readonly number[])[] =>
  Array.from({ length: index.length }, (_, i) => {
    const sample = index.sample(i);
    if (sample.kind !== "array") throw new Error("a row is an array");
    return Array.from(sample.numbers);
  });

test("columns are found by name, scaled and numbered; what is missing is marked; classes are those of both files", async () => {
  const text = 'id,sex,"hours",kind,age\n1, male ,38.5,b,50\n2,,NA,a,30\n\n3,female,?,b,40\n';
  const root = folder({ "a.csv": text, "b.csv": text.replaceAll(",b,", ",c,") });
  const index = await open(root, { label: "kind", test_rows: "b.csv" });
  const rows = [
    [1, 1, 38.5, 1, 1, 1],
    [-1, 1, 0, 0, 0, 0],
    [0, 1, 0, 0, 0, 1],
  ];
  expect(numbersOf(index)).toEqual(rows);
  expect(index.classes).toEqual(["a", "b", "c"]);
  expect([0, 1, 2].map((i) => index.sample(i).label)).toEqual([1, 0, 1]);
  expect(index.notes).toEqual(["33.3 % of the values are missing, of hours 66.7 %"]);
  const held = await open(root, { label: "kind", test_rows: "b.csv" }, array, "test");
  expect(held.sample(0).label).toBe(2);
  // The same with another separator, packed, with a byte order mark, and without a line of names.
  const other = folder({
    "a.csv": gzipSync(`\uFEFF${text.replaceAll(",", ";")}`),
    "c.csv": "1\tmale\t38.5\t50\n",
  });
  expect(numbersOf(await open(other))).toEqual(rows);
  expect(numbersOf(await open(other, { rows: "c.csv", names: "id, sex, hours, age" }))).toEqual([rows[0]]);
});

test("Parquet as pyarrow writes it, however packed", async () => {
  const reference = join(import.meta.dirname, "../reference/tables");
  const { rows } = JSON.parse(readFileSync(join(reference, "rows.json"), "utf8")) as {
    rows: Readonly<Record<string, readonly (number | string | boolean | null)[]>>;
  };
  const shape = inputs.table.shape({ columns: "hours, paid: false | true, sex: female | male, age, id" });
  const expected = (rows.age ?? []).map((_, i) =>
    (shape.table?.columns ?? []).flatMap((column) => {
      const value = rows[column.name]?.[i] ?? null;
      if (value === null) return [0, 0];
      return [column.kind === "number" ? Math.fround(value as number) : column.categories.indexOf(String(value)), 1];
    }),
  );
  for (const packing of ["none", "snappy", "gzip", "zstd", "brotli"])
    expect(numbersOf(await open(reference, { rows: `${packing}.parquet` }, shape)), packing).toEqual(expected);
});

describe("what cannot be used says so", () => {
  const rows = "age,hours,sex\n39,40,male\n";
  const parquet = readFileSync(join(import.meta.dirname, "../reference/tables/snappy.parquet"));
  test.each<readonly [string, string | Uint8Array, object, RegExp]>([
    ["a ragged row", `${rows}50,13\n`, {}, /a\.csv row 2 has 2 values, and the file's first line names 3.*missing/],
    ["too many values", `${rows}50,13,male,7\n`, {}, /row 2 has 4 values.*Quote a value/],
    ["a text for a number", `${rows}x,13,male\n`, {}, /row 2: `age` is `x`, which is no number/],
    ["an endless number", `${rows}1e999,13,male\n`, {}, /row 2: `age` is `1e999`, which is no number/],
    [
      "an unknown category",
      `${rows}50,13,diverse\n`,
      {},
      /row 2: `sex` is `diverse`, and the model reads female, male/,
    ],
    ["a column that is not there", "age,sex\n39,male\n", {}, /a\.csv has no column `hours`: it has age, sex/],
    ["a column twice", "age,age,hours,sex\n", {}, /a\.csv has two columns `age`/],
    ["a label that is not there", rows, { label: "kind" }, /has no column `kind`.*Write in `label`/],
    ["a row without a class", "age,hours,sex,kind\n39,40,male,\n", { label: "kind" }, /row 1 has no `kind`/],
    ["a number that is not there", rows, { value: "price" }, /has no column `price`.*Write in `value`/],
    ["a row without a number", "age,hours,sex,price\n39,40,male,NA\n", { value: "price" }, /row 1 has no `price`/],
    [
      "a class for a number",
      "age,hours,sex,price\n39,40,male,1.5\n39,40,male,high\n",
      { value: "price" },
      /a\.csv row 2: `price` is `high`, which is no number.*write `label` instead of `value`/,
    ],
    ["Latin 1", Buffer.from("age,hours,sex\n39,40,male\n1,2,m\xe4le\n", "latin1"), {}, /a\.csv line 3 is not UTF-8/],
    ["UTF-16", Buffer.from("\uFEFFage,hours", "utf16le"), {}, /a\.csv is in UTF-16/],
    ["an open quote", `${rows}50,13,"male\n`, {}, /row 2 has a quote that is not closed/],
    ["UTF-16 without its mark", Buffer.from("age,hours", "utf16le"), {}, /seems to be in UTF-16.*iconv -f UTF-16LE/],
    ["nothing", "", {}, /a\.csv is empty/],
    ["names alone", "age,hours,sex\n", {}, /a\.csv has no rows/],
    ["no test rows", rows, { split: "test" }, /The data has no test rows/],
    ["Parquet cut off", parquet.subarray(0, parquet.length - 40), {}, /a\.csv cannot be read as Parquet/],
    [
      "broken Parquet",
      parquet.map((byte, i) => (i > 8 && i < 300 ? 255 : byte)),
      {},
      /a\.csv cannot be read as Parquet/,
    ],
    ["Parquet with names", parquet, { names: "a, b" }, /names its columns itself/],
  ])("%s", async (_, content, { split = "train", ...values }: { split?: string }, message) => {
    await expect(open(folder({ "a.csv": content }), values, array, split as "train")).rejects.toThrow(message);
  });

  test("lists in Parquet", async () => {
    const shape = inputs.table.shape({ columns: "tags: a | b" });
    const root = folder({ "a.csv": parquet });
    await expect(open(root, {}, shape)).rejects.toThrow(/row 1, column tags holds a list or a record/);
  });

  test("numbers that are no row", async () => {
    const item = { sources: {}, label: null, epoch: 0, sample: 3 };
    const preparation = {
      augment: [],
      arrays: { table: array },
      seed: 0,
      mode: "train",
      fields: {},
      root: "",
    } as const;
    const prepared = (numbers: readonly number[]) =>
      prepareNumbers(
        { numbers: Float32Array.from(numbers), shape: array },
        item,
        { name: "table", shape: array },
        preparation,
      );
    await expect(prepared([1, 1, 0, 0, 2, 1])).rejects.toThrow(/sample 3 has the category 2 of `sex`/);
    await expect(prepared([1, 0.5, 0, 0, 1, 1])).rejects.toThrow(/says of `age` that it is known by 0\.5/);
    expect((await prepared([1, 1, 0, 0, 1, 1])).numbers).toHaveLength(6);
  });
});

test("columns are described: means and deviations of what is known, categories sorted, the rest left out and told", async () => {
  const header = "id,age,sex,note,same,empty\n";
  const text = Array.from({ length: 80 }, (_, i) => `${i},${i % 2 ? 10 : 30},${i % 3 ? "m" : "f"},n${i},1,\n`).join("");
  const root = folder({ "a.csv": header + text });
  const { columns: found, left, rows } = await describeTable("a.csv", root, { without: ["id"], names: null });
  expect([columnsText(found), rows]).toEqual(["age: 20 +- 10, sex: f | m", 80]);
  expect(left).toEqual([
    { name: "note", why: "it holds more than 64 different texts" },
    { name: "same", why: "it holds the same in all rows" },
    { name: "empty", why: "it is empty" },
  ]);
  const unknown = describeTable("a.csv", root, { without: ["kind"], names: null });
  await expect(unknown).rejects.toThrow(/has no column kind/);
  const odd = folder({
    "a.csv": `,age,age,rate\n${"1,2,3,0.5\n4,5,6,7\n".repeat(9)}7,8,9,inf\n`,
    "b.csv": "3,a\n4,b\n5,a\n",
  });
  const doubtful = await describeTable("a.csv", odd, { without: [], names: null });
  expect(doubtful.left).toEqual([
    { name: "column 1", why: "it has no name" },
    { name: "age", why: "another column has its name" },
    { name: "age", why: "another column has its name" },
  ]);
  expect(doubtful.notes).toEqual([expect.stringMatching(/^rate has numbers in 18 rows and none in 1, first `inf`/)]);
  const { notes } = await describeTable("b.csv", odd, { without: [], names: null });
  expect(notes).toEqual([expect.stringMatching(/^the first line is taken for names, and has numbers.*--names/)]);
});

test("test rows that are not named are none, and those that are named and cannot be used are told", async () => {
  const program = { arrays: { table: array } };
  const tests = (root: string, test_rows: string | null) => {
    const values = { rows: "a.csv", test_rows, label: null, value: null, names: null };
    return openTestData([{ definition: datasets.table, values }], root, program);
  };
  const rows = "age,hours,sex\n39,40,male\n";
  const root = folder({ "a.csv": rows, "b.csv": `${rows}1,2,diverse\n` });
  expect(await tests(root, null)).toBeNull();
  expect(await tests(root, "a.csv")).toMatchObject({ length: 1 });
  await expect(tests(root, "b.csv")).rejects.toThrow(/b\.csv row 2: `sex` is `diverse`/);
});

test("hidden columns are filled by what the model predicts, in the scale of the file", async () => {
  const { fixture, model, weights } = recorded<{ readonly spec: string; readonly batch: number }>("remasker", (spec) =>
    spec.replace("c0,", "c0: 50 +- 10,"),
  );
  const program = programOf(assemble(model));
  const { batch } = fixture.header;
  const table = Float32Array.from(fixture.values("table"));
  const filler = await openRowFiller({ program, weights }, batch, { executor: referenceExecutor, seed: 2 });
  const rows =
    (await filler?.run(
      { table },
      Int32Array.from({ length: batch }, (_, i) => i),
    )) ?? [];
  await filler?.close();
  for (const [i, { values, guesses }] of rows.entries()) {
    expect(guesses.filter((guess) => guess !== null)).toHaveLength(3);
    for (const [k, value] of values.entries()) {
      const [stored, known] = table.subarray((i * 6 + k) * 2) as unknown as [number, number];
      expect(value).toBe(known === 0 ? null : k === 0 ? stored * 10 + 50 : stored);
    }
    for (const k of [1, 4]) if (guesses[k] !== null) expect(guesses[k]).toBeLessThan(k === 1 ? 3 : 2);
    if (guesses[0] !== null) expect(Math.abs((guesses[0] as number) - 50)).toBeLessThan(60);
  }
  // Numbers, marks of what is missing, and a place for each category.
  const [plain] = await pixelReader(program).read({ arrays: { table }, labels: new Int32Array(batch), count: batch });
  expect(plain).toHaveLength(batch * (4 * 2 + 4 + 3));
});

test("columns are filled that the model itself decided to hide, by a share that moves", async () => {
  const program = programOfText(`
edition 2026
model Asking {
  input     table(columns: "${columns}")
  tokens    columns
  positions learned
  mask      latent_guided(ratio: 34%, queries: 2, random: 100% -> 0% over 25%)
  encoder   embedded(width: 8)
  latents   asking(count: 4, width: 8, depth: 1, heads: 2, mlp_ratio: 1)
  decoder   queries(depth: 0, width: 8, heads: 2)
  target    columns
  loss      column_error(on: hidden)
}`);
  const weights = initialWeights(program.parameters, 3);
  const filler = await openRowFiller({ program, weights }, 4, { executor: referenceExecutor, seed: 2 });
  const table = Float32Array.from({ length: 4 * 3 * 2 }, (_, at) => (at % 2 === 1 ? 1 : at % 6 === 4 ? 1 : at / 10));
  const rows = (await filler?.run({ table }, Int32Array.of(0, 1, 2, 3))) ?? [];
  await filler?.close();
  expect(rows.map(({ guesses }) => guesses.filter((guess) => guess !== null).length)).toEqual([2, 2, 2, 2]);
});

test("errors of filled columns, beside what whoever knows the commonest has", () => {
  const { columns: all = [] } = array.table ?? {};
  const row = (values: (number | null)[], guesses: (number | null)[]) => ({ values, guesses });
  const errors = errorsOfRows(all, [
    row([50, 1, 0], [53, null, 0]),
    row([40, 2, 0], [36, null, 1]),
    row([null, 3, 1], [7, null, 1]),
  ]);
  expect(errors.columns[0]).toEqual({
    ...{ name: "age", values: 2, accuracy: null },
    rmse: { model: Math.sqrt(12.5), plain: 5 },
  });
  expect(errors.columns[1]).toMatchObject({ values: 0 });
  expect(errors.columns[2]?.accuracy).toEqual({ model: 2 / 3, plain: 2 / 3 });
});
