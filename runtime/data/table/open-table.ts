/** The rows of tables in files: comma-separated values, as other programs write them, and Parquet, which tells of itself how it begins. */

import type { AsyncBuffer } from "hyparquet";
import { type Cell, checkEncoding, counted, DataError, grouped, type RowsWanted } from "../../../blocks/index.js";
import { type PlainFile, readBytes } from "../../plain-file.js";

/** How a Parquet file begins and ends. */
const parquetMark = "PAR1";
/** Numbers of a group of rows, which are in memory at once. */
const mostAtOnce = 2 ** 27;

/** What is asked of the columns of a file, by their names. */
export type Asking = (names: readonly string[]) => RowsWanted;

export const isParquet = async ({ file, size }: PlainFile): Promise<boolean> =>
  size >= 12 && new TextDecoder("latin1").decode(await readBytes(file, 0, parquetMark.length)) === parquetMark;

/** Throws `DataError` for bytes that are no table. `names`: of the columns, where no line names them. */
export async function readCsv(
  bytes: Uint8Array,
  path: string,
  names: readonly string[] | null,
  asking: Asking,
): Promise<void> {
  const text = decoded(bytes, path);
  const { default: papa } = await import("papaparse");
  let wanted: RowsWanted | null = null;
  let columns = 0;
  let row = 0;
  const begin = (found: readonly string[]): void => {
    columns = found.length;
    wanted = asking(found.map((name) => name.trim()));
  };
  if (names) begin(names);
  papa.parse<string[]>(text, {
    skipEmptyLines: true,
    step({ data, errors }, parser) {
      const broken = errors.find(({ type }) => type === "Quotes");
      const place = () => (wanted === null ? `${path} line 1` : `${path} row ${grouped(row)}`);
      if (wanted !== null) row++;
      if (broken) {
        parser.abort();
        throw new DataError(
          `${place()} has a quote that is not closed`,
          "Write a quote on both sides of a cell, and two for one within it.",
        );
      }
      if (wanted === null) return begin(data);
      if (data.length !== columns) throw ragged(place(), data, columns, names !== null);
      wanted.row(
        wanted.columns.map((column) => data[column] as string),
        place,
      );
    },
  });
  if (wanted === null) throw new DataError(`${path} is empty`, "Name a file with a line of names, and a line a row.");
}

function ragged(place: string, cells: readonly string[], columns: number, isGiven: boolean): DataError {
  const named = isGiven ? "the names that the recipe gives are" : "the file's first line names";
  return new DataError(
    `${place} has ${counted(cells.length, "value")}, and ${named} ${columns}`,
    cells.length > columns
      ? "Quote a value that has a comma."
      : "Write all values of a row, and nothing between two commas for a missing one.",
  );
}

/** The text of a file in UTF-8. Throws `DataError` for another encoding. */
function decoded(bytes: Uint8Array, path: string): string {
  checkEncoding(bytes, path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const line = brokenLine(bytes);
    throw new DataError(
      `${path} line ${grouped(line)} is not UTF-8`,
      "Save the file in UTF-8: iconv -f LATIN1 -t UTF-8 does of Latin 1.",
    );
  }
}

/** The first line that is no UTF-8. */
function brokenLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const found = bytes.indexOf(10, start);
    const end = found < 0 ? bytes.length : found;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end + 1;
  }
  return 1;
}

/** Throws `DataError` for a file that is no Parquet, or holds what no cell of a table is. */
export async function readParquet({ file, size }: PlainFile, path: string, asking: Asking): Promise<void> {
  const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const buffer: AsyncBuffer = {
    byteLength: size,
    slice: async (begin, end = size) => {
      const bytes = await readBytes(file, begin, Math.max(0, Math.min(end, size) - begin));
      return bytes.buffer as ArrayBuffer;
    },
  };
  const metadata = await parquetMetadataAsync(buffer).catch((error: unknown) => {
    throw unreadableParquet(path, error);
  });
  const top = parquetSchema(metadata).children.map(({ element }) => element.name);
  const wanted = asking(top);
  const columns = wanted.columns.map((column) => top[column] as string);
  let first = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    if (!(rows >= 0 && rows * Math.max(1, columns.length) <= mostAtOnce)) {
      throw new DataError(
        `${path} says of a group that it has ${grouped(rows)} rows, too many for memory`,
        "Write it with smaller groups: `row_group_size=100000` in pandas and pyarrow.",
      );
    }
    const range = { rowStart: first, rowEnd: first + rows };
    const read = await parquetReadObjects({ file: buffer, metadata, compressors, columns, ...range }).catch(
      (error: unknown) => {
        throw unreadableParquet(path, error);
      },
    );
    for (const [i, row] of read.entries()) {
      const place = () => `${path} row ${grouped(first + i + 1)}`;
      wanted.row(
        columns.map((name) => cellOf(row[name], () => `${place()}, column ${name}`)),
        place,
      );
    }
    first += rows;
  }
}

const unreadableParquet = (path: string, error: unknown): DataError =>
  new DataError(
    `${path} cannot be read as Parquet: ${error instanceof Error ? error.message : String(error)}`,
    "Write it again, or save it as CSV.",
  );

/** A value of a Parquet file as a cell. Throws `DataError` for lists and records. */
function cellOf(value: unknown, place: () => string): Cell {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case "string":
    case "number":
      return value;
    case "bigint":
      return Number(value);
    case "boolean":
      return String(value);
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  throw new DataError(`${place()} holds a list or a record`, "Name columns that hold one value a row.");
}
