/** Models of tables: columns as they are written, and what does not go with them. */

import { expect, test } from "vitest";
import { columnsText, inputs, registry } from "../../blocks/index.js";
import { analyzed } from "../support/model.js";

const lines: Readonly<Record<string, string>> = {
  input: 'table(columns: "age: 38 +- 13, hours, sex: female | male")',
  tokens: "columns",
  positions: "learned",
  mask: "random(ratio: 34%)",
  encoder: "vit(depth: 1, width: 8, heads: 2)",
  decoder: "vit(depth: 1, width: 8, heads: 2)",
  target: "columns",
  loss: "column_error",
};

const found = (changed: Readonly<Record<string, string>>): readonly string[] => {
  const slots = Object.entries({ ...lines, ...changed }).map(([slot, block]) => `  ${slot} ${block}`);
  const { diagnostics } = analyzed(`edition 2026\nmodel Table {\n${slots.join("\n")}\n}\n`);
  return diagnostics.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
};

test("a model of a table has no findings", () => expect(found({})).toEqual([]));

const table = (columns: string) => ({ input: `table(columns: "${columns}")` });

test.each<readonly [string, Readonly<Record<string, string>>, RegExp]>([
  [
    "patches of a table",
    { tokens: "patch(size: 1x1)" },
    /side-for-each-axis: a patch of 1x1 has 2 sides, and the input 1 axes/,
  ],
  [
    "columns of an image",
    { input: "image(size: 8x8)" },
    /unreadable-source: the tokens `columns` reads the input `image`/,
  ],
  ["pixels of a table", { target: "pixels" }, /unreadable-source: the target `pixels` reads the tokens `columns`/],
  ["an error of patches", { loss: "mse" }, /loss-of-another-kind: `mse` compares numbers, and columns are predicted/],
  ["a mask of ids", { mask: "corrupt" }, /unreadable-source: the mask `corrupt` reads the tokens `columns`/],
  ["no name", table("a,,b"), /a column has no name/],
  ["a name twice", table("a, b, a"), /names `a` twice/],
  ["no deviation", table("a: 3 +- 0"), /mean and deviation of `a` are `3 \+- 0`/],
  ["no numbers", table("a: x +- y"), /mean and deviation of `a` are `x \+- y`/],
  ["one category", table("a: x"), /`a` has one category, `x`/],
  ["a category twice", table("a: x | x"), /`a` has the category `x` twice/],
  ["a category without a name", table("a: x | "), /`a` has a category without a name/],
  ["an open quote", table("'a, b"), /single quote in `columns` is not closed/],
])("%s", (_, changed, message) => {
  const findings = found(changed);
  expect(findings.length).toBeGreaterThan(0);
  expect(findings.join("\n")).toMatch(message);
});

test("an error of columns where pixels are predicted", () => {
  const image = { input: "image(size: 8x8)", tokens: "patch(size: 4x4)", target: "pixels" };
  expect(found(image).join()).toMatch(
    /loss-of-another-kind: `column_error` compares columns, and numbers are predicted/,
  );
});

test("a broken column is told, and nothing else because of it", () => {
  expect(found({ ...table("a: 1 +- 0, b, c"), mask: "random(ratio: 34%)" })).toHaveLength(1);
});

const asking = { encoder: "embedded(width: 8)", mask: "latent_guided(ratio: 34%)" };
const perceiver = {
  ...asking,
  latents: "asking(count: 2, width: 8, depth: 1, heads: 2)",
  decoder: "queries(depth: 0, width: 8, heads: 2)",
};

test("latents ask columns, and say what is hidden", () => expect(found(perceiver)).toEqual([]));

test.each<readonly [string, Readonly<Record<string, string>>, RegExp]>([
  ["a mask of latents where none ask", asking, /missing-source: the mask `latent_guided`|no `latents`/],
  [
    "a mask of latents that ask nothing",
    { ...perceiver, latents: "learned(count: 2, width: 8)" },
    /unreadable-source: the mask `latent_guided` reads the latents `learned`, which ask nothing/,
  ],
  [
    "latents that ask an encoder of several layers",
    { ...perceiver, encoder: "vit(depth: 2, width: 8, heads: 2)" },
    /of-one-layer: the encoder has 2 layers, and latents that ask have layers of their own/,
  ],
])("%s", (_, changed, message) => expect(found(changed).join("\n")).toMatch(message));

test("the label of the data is no column of the model", () => {
  const slots = Object.entries(lines).map(([slot, block]) => `  ${slot} ${block}`);
  const recipe =
    'data table("a.csv", label: "sex")\n batch 4\n epochs 1\n optimizer adamw(lr: 1e-3)\n schedule constant';
  const text = `edition 2026\nmodel Table {\n${slots.join("\n")}\n}\nrecipe R for Table {\n ${recipe}\n}\n`;
  expect(analyzed(text).diagnostics.map(({ code }) => code)).toContain("dataset/table/label-apart");
});

test("columns are written as they are read, whatever their names", () => {
  const columns = "'a, b: c': 1.5 +- 2e-3, d, 'e|f': 'x, y' | ' z', g: 0 +- 2";
  const { columns: read = [] } = inputs.table.shape({ columns }).table ?? {};
  expect(read.map(({ name }) => name)).toEqual(["a, b: c", "d", "e|f", "g"]);
  expect(read[2]).toMatchObject({ kind: "category", categories: ["x, y", " z"] });
  expect(columnsText(read)).toBe(columns.replace("2e-3", "0.002"));
  expect(registry.input).toContain(inputs.table);
});
