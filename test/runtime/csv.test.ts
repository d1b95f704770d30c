/** Tables of numbers: what is read, and what is wrong with a file, with line and column. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withRecording } from "../../runtime/data/recording/open.js";

const path = join(mkdtempSync(join(tmpdir(), "mae-table-")), "record.csv");

function read(text: string | Uint8Array) {
  writeFileSync(path, text);
  return withRecording(path, async ({ read, length, names }) => ({ names, columns: await read(0, length) }));
}

test.each([
  ["plain", "1,2\n-3.5,4e-1\n.5,6.\n"],
  ["with names, quotes, spaces, CRLF and no end of line", '\uFEFF"I, left", II\r\n 1,"2"\r\n-3.5 ,+0.4\r\n0.5,6'],
])("a table is read: %s", async (_, text) => {
  const { names, columns } = await read(text);
  expect(names).toEqual(text.startsWith("1") ? null : ["I, left", "II"]);
  expect(columns.map((values) => [...values])).toEqual([
    [1, -3.5, 0.5],
    [2, Math.fround(0.4), 6],
  ]);
});

test.each([
  ["", "it is empty"],
  ["\n\n", "it is empty"],
  ["I,II\n", "it has the names of 2 columns and no numbers"],
  ["I,II\n1,2\n3,\n", "line 3, column 2 (II) has no value"],
  ["1,2\n3,x\n", "line 2, column 2 is `x`, which is no number"],
  ["I,1\n3,4\n", "line 1, column 1 is `I`, which is no number"],
  ["1,2\n3,nan\n", "line 2, column 2 is `nan`, which is no number"],
  ["1,2\n3,0x10\n", "line 2, column 2 is `0x10`, which is no number"],
  ["1,2\n3,1e39\n", "line 2, column 2 is 1e39, more than single precision holds"],
  ["1,2\n3\n", "line 2 has 1 value, and line 1 has 2"],
  ["1,2\n\n3,4\n", "line 2 is empty"],
  [
    "I;II\n1;2\n",
    "line 2, column 1 (I;II) is `1;2`, which is no number; columns are separated by commas, and not by semicolons",
  ],
  ['1,2\n"3,4\n', "line 2 has a quote that is not closed"],
  // Of a rectangle of all that lines and columns say, nothing is taken.
  [`${"1,".repeat(2 ** 20)}1\n${"1\n".repeat(2 ** 20)}`, "line 2 has 1 value, and line 1 has 1048577"],
])("%#: what is wrong is told with its place", async (text, why) => {
  await expect(read(text)).rejects.toThrow(`${path}: ${why}`);
});
