/** Rows of tables in files: the columns that a model reads, scaled and numbered as its input says, and the class of each row. */

import { type ArrayShape, type Column, type TableShape, tableChannels } from "../arrays.js";
import type { Requirement } from "../block.js";
import { optional, type Param, text } from "../params.js";
import { checkClasses } from "./classes.js";
import {
  type Cell,
  DataError,
  type DatasetContext,
  defineDataset,
  type Files,
  NoTestData,
  type Split,
} from "./contract.js";

/** Rows that are held in one piece. */
const rowsOfPiece = 4096;
/** The largest number of single precision. */
const maxFloat = 2 ** 128 - 2 ** 104;
/** Names that are told where one is missing, and letters of a cell. */
const [toldNames, toldLetters] = [40, 40];

const number = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;

/** What stands in tables where a value is missing. */
const missing = new Set(["", "na", "n/a", "nan", "null", "?"]);

/** The text of a cell without spaces around it; null: its value is missing. */
export function knownCell(cell: Cell): string | number | null {
  if (typeof cell !== "string") return cell === null || Number.isNaN(cell) ? null : cell;
  const text = cell.trim();
  return missing.has(text.toLowerCase()) ? null : text;
}

const told = (cell: string): string => (cell.length > toldLetters ? `${cell.slice(0, toldLetters)}...` : cell);
const toldAll = (names: readonly string[]): string =>
  `${names.slice(0, toldNames).join(", ")}${names.length > toldNames ? ", ..." : ""}`;

/** The number that a known cell holds; null: it holds none. */
export function amountIn(value: string | number): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  const amount = number.test(value) ? Number(value) : Number.NaN;
  return Number.isFinite(amount) ? amount : null;
}

/** The number that a model reads of a cell; NaN: it is missing. Throws `DataError` for what the column does not hold. */
function valueIn(cell: Cell, column: Column, place: () => string): number {
  if (column.kind === "category") {
    const text = cell === null ? "" : String(cell).trim();
    const category = column.categories.indexOf(text);
    if (category >= 0) return category;
    if (knownCell(cell) === null) return Number.NaN;
    throw new DataError(
      `${place()}: \`${column.name}\` is \`${told(text)}\`, and the model reads ${toldAll(column.categories)}`,
      "Add it to the categories in the model's input, leave such rows out, or leave the cell empty where it is missing.",
    );
  }
  const value = knownCell(cell);
  if (value === null) return Number.NaN;
  const scaled = ((amountIn(value) ?? Number.NaN) - column.mean) / column.deviation;
  if (Math.abs(scaled) <= maxFloat) return scaled;
  throw new DataError(
    `${place()}: \`${column.name}\` is \`${told(String(value))}\`, which is no number`,
    `Leave the cell empty where it is missing; or write \`${column.name}: a | b\` in the model's input, of a column of categories.`,
  );
}

/** Numbers of rows, in pieces: nobody knows how many follow. */
class Rows {
  readonly #pieces: Float32Array[] = [];
  readonly #width: number;
  count = 0;
  constructor(width: number) {
    this.#width = width;
  }

  add(values: readonly number[]): void {
    const at = this.count % rowsOfPiece;
    if (at === 0) this.#pieces.push(new Float32Array(rowsOfPiece * this.#width));
    this.#pieces.at(-1)?.set(values, at * this.#width);
    this.count++;
  }

  row(i: number): Float32Array {
    const at = (i % rowsOfPiece) * this.#width;
    return (this.#pieces[Math.floor(i / rowsOfPiece)] as Float32Array).subarray(at, at + this.#width);
  }
}

interface Table {
  readonly rows: Rows;
  /** The class of each row; empty: it was not asked for. */
  readonly labels: readonly string[];
  /** The number of each row that is to be told; empty: it was not asked for. */
  readonly numbers: readonly number[];
}

interface Wanted {
  readonly columns: readonly Column[];
  readonly label: string | null;
  readonly value?: string | null;
  readonly names: readonly string[] | null;
}

/** The number of a column in a file. Throws `DataError` where there is none, or there are two. */
function placeOf(name: string, names: readonly string[], path: string, as: "label" | "value" | null): number {
  const place = names.indexOf(name);
  if (place >= 0 && names.indexOf(name, place + 1) < 0) return place;
  if (place >= 0) throw new DataError(`${path} has two columns \`${name}\``, "Give each a name of its own.");
  throw new DataError(
    `${path} has no column \`${name}\`: it has ${toldAll(names)}`,
    as
      ? `Write in \`${as}\` the name of a column that it has.`
      : "Write the names that it has in the model's `columns`; where its first line names none, write `names` in the recipe's data.",
  );
}

/** The number that is to be told of a row. Throws `DataError` where the cell holds none. */
function numberIn(cell: Cell, name: string, place: () => string): number {
  const known = knownCell(cell);
  const found = known === null ? null : amountIn(known);
  if (found !== null) return found;
  throw new DataError(
    known === null
      ? `${place()} has no \`${name}\``
      : `${place()}: \`${name}\` is \`${told(String(known))}\`, which is no number`,
    "Leave rows out whose number nobody knows; of classes, write `label` instead of `value`.",
  );
}

/** The columns of a file. Throws `DataError` for what they do not hold. */
async function readTable(files: Files, path: string, { columns, label, value = null, names }: Wanted): Promise<Table> {
  const rows = new Rows(columns.length);
  const labels: string[] = [];
  const numbers: number[] = [];
  const asked = [label, value].filter((name) => name !== null);
  await files.table(path, names, (found) => ({
    columns: [...columns.map(({ name }) => name), ...asked].map((name, i) =>
      placeOf(name, found, path, i < columns.length ? null : name === value ? "value" : "label"),
    ),
    row(cells, place) {
      rows.add(columns.map((column, i) => valueIn(cells[i] as Cell, column, place)));
      if (value !== null) numbers.push(numberIn(cells.at(-1) as Cell, value, place));
      if (label === null) return;
      const own = knownCell(cells[columns.length] as Cell);
      if (own === null)
        throw new DataError(`${place()} has no \`${label}\``, "Leave rows out whose class nobody knows.");
      labels.push(String(own));
    },
  }));
  return { rows, labels, numbers };
}

/** The array of a row, [N, 2] as `TableShape` says. */
function arrayOfRow(values: Float32Array, shape: ArrayShape): Float32Array {
  const array = new Float32Array(values.length * shape.channels);
  for (const [column, value] of values.entries()) {
    const at = column * shape.channels;
    const isKnown = !Number.isNaN(value);
    array[at + tableChannels.value] = isKnown ? value : 0;
    array[at + tableChannels.known] = isKnown ? 1 : 0;
  }
  return array;
}

/** How much is missing, and of which column most. */
function noteOnMissing(rows: Rows, columns: readonly Column[]): readonly string[] {
  const counts = columns.map(() => 0);
  for (let i = 0; i < rows.count; i++) {
    const row = rows.row(i);
    for (let column = 0; column < row.length; column++) {
      if (Number.isNaN(row[column])) counts[column] = (counts[column] as number) + 1;
    }
  }
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return [];
  const most = counts.indexOf(Math.max(...counts));
  const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
  return [
    `${percent(all, rows.count * columns.length)} of the values are missing, of ${columns[most]?.name} ${percent(counts[most] as number, rows.count)}`,
  ];
}

interface Values {
  readonly rows: string;
  readonly test_rows: string | null;
  readonly label: string | null;
}

/** The classes of both splits, in code unit order. */
async function classesOf(p: Values, own: readonly string[], split: Split, files: Files, names: Wanted["names"]) {
  if (p.label === null) return [];
  const path = split === "train" ? p.test_rows : p.rows;
  const others = path === null ? [] : (await readTable(files, path, { columns: [], label: p.label, names })).labels;
  const classes = [...new Set([...own, ...others])].sort();
  checkClasses(classes.length, `column ${p.label}`);
  return classes;
}

const labelApart: Requirement<{ readonly label: Param<string | null> }, DatasetContext> = {
  name: "label-apart",
  at: "label",
  doc: "The label is no column that the model reads.",
  holds: ({ label }, { array }) => label === null || !columnsOf(array).some(({ name }) => name === label),
  say: ({ label }) => `the model reads \`${label}\`, and is judged by how well it tells it`,
  help: ({ label }) => `remove \`${label}\` from the \`columns\` of the model's input, or \`label\` from the data`,
};

const valueApart: Requirement<{ readonly value: Param<string | null> }, DatasetContext> = {
  name: "value-apart",
  at: "value",
  doc: "The number that is told is no column that the model reads.",
  holds: ({ value }, { array }) => value === null || !columnsOf(array).some(({ name }) => name === value),
  say: ({ value }) => `the model reads \`${value}\`, and is judged by how well it tells it`,
  help: ({ value }) => `remove \`${value}\` from the \`columns\` of the model's input, or \`value\` from the data`,
};

const columnsOf = ({ table }: { readonly table?: TableShape }): readonly Column[] => table?.columns ?? [];

export const table = defineDataset({
  name: "table",
  summary: "Rows of a table in a file of comma-separated values or in a Parquet file.",
  source: "RFC 4180, Common Format and MIME Type for CSV Files, 2005; Apache Parquet, file format",
  since: "0.2",
  params: {
    rows: text({
      doc: "File with the training rows: values separated by commas, semicolons or tabs, the first line naming the columns; or Parquet.",
    }),
    test_rows: optional(text({ doc: "File with the test rows; if absent, no test split." })),
    label: optional(text({ doc: "The column with the class of each row; if absent, unlabelled." })),
    value: optional(
      text({
        doc: "The column with a number for each row, which features are judged by how well they tell; if absent, none.",
      }),
    ),
    names: optional(text({ doc: "Names of the columns, separated by commas, of files whose first line names none." })),
  },
  positional: "rows",
  media: ["table"],
  requires: [labelApart, valueApart],
  async open(p, files, split, { array }) {
    const path = split === "train" ? p.rows : p.test_rows;
    if (path === null) throw new NoTestData("The data has no test rows", 'Add test_rows: "..." to the dataset.');
    const names = p.names?.split(",").map((name) => name.trim()) ?? null;
    const columns = columnsOf(array);
    const { value } = p;
    const { rows, labels, numbers: told } = await readTable(files, path, { columns, label: p.label, value, names });
    if (rows.count === 0) throw new DataError(`${path} has no rows`, "Name a file with a line a row.");
    const classes = await classesOf(p, labels, split, files, names);
    const numbers = new Map(classes.map((name, i) => [name, i]));
    return {
      length: rows.count,
      sample: (i) => ({
        kind: "array",
        get numbers() {
          return arrayOfRow(rows.row(i), array);
        },
        shape: array,
        label: p.label === null ? null : (numbers.get(labels[i] as string) as number),
      }),
      classes,
      ...(value === null ? {} : { values: (i: number) => told[i] as number }),
      notes: noteOnMissing(rows, columns),
    };
  },
});
