/** What the columns of a table hold, as a model's input writes it: numbers with their mean and deviation, categories with their names. */

import { amountIn, type Cell, type Column, DataError, grouped, knownCell } from "../../../blocks/index.js";
import { RunError } from "../../run-error.js";
import { nodeFiles } from "../files.js";

/** A column with more different texts has no categories: names, dates, notes. */
const mostCategories = 64;
/** Letters of an odd cell that are told. */
const mostLetters = 40;
/** A column of numbers may have so large a share of other cells. */
const mostOdd = 0.1;
/** Digits of a mean and a deviation. */
const digits = 4;

export interface DescribeOptions {
  /** Columns that the model is not to read. */
  readonly without: readonly string[];
  /** Of a file whose first line has none; null: it names them. */
  readonly names: readonly string[] | null;
}

export interface DescribedTable {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** Columns that are left out, and why. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
  /** What looks like a mistake in the file. */
  readonly notes: readonly string[];
}

/** One column while its rows pass: by Welford's way the mean, and the squares of what is beside it. */
class Passing {
  readonly #texts = new Set<string>();
  #odd = "";
  #known = 0;
  #amounts = 0;
  #mean = 0;
  #squares = 0;

  add(cell: Cell): void {
    const value = knownCell(cell);
    if (value === null) return;
    this.#known++;
    if (this.#texts.size <= mostCategories) this.#texts.add(String(value));
    const amount = amountIn(value);
    if (amount === null) {
      if (this.#amounts === this.#known - 1) this.#odd = String(value).slice(0, mostLetters);
      return;
    }
    this.#amounts++;
    const beside = amount - this.#mean;
    this.#mean += beside / this.#amounts;
    this.#squares += beside * (amount - this.#mean);
  }

  /** Of a column of numbers but for a few cells, what is odd in it; null: there is nothing. */
  note(name: string): string | null {
    const others = this.#known - this.#amounts;
    if (others === 0 || others > mostOdd * this.#known) return null;
    return `${name} has numbers in ${grouped(this.#amounts)} rows and none in ${grouped(others)}, first \`${this.#odd}\`: of a column of numbers, mend such cells or leave them empty`;
  }

  /** What it is; a text: why a model does not read it. */
  described(name: string): Column | string {
    if (this.#known === 0) return "it is empty";
    if (this.#texts.size === 1) return "it holds the same in all rows";
    if (this.#amounts < this.#known) {
      if (this.#texts.size > mostCategories) return `it holds more than ${mostCategories} different texts`;
      return { name, kind: "category", categories: [...this.#texts].sort() };
    }
    const deviation = Math.sqrt(this.#squares / this.#amounts);
    const [mean, scale] = [this.#mean, deviation].map((value) => Number(value.toPrecision(digits))) as [number, number];
    return { name, kind: "number", mean, deviation: scale };
  }
}

/** Throws `run/data` for a file that is no table, or has not the columns that are named. Paths are relative to `root`. */
export async function describeTable(path: string, root: string, o: DescribeOptions): Promise<DescribedTable> {
  let named: readonly string[] = [];
  let passing: readonly Passing[] = [];
  let rows = 0;
  try {
    await nodeFiles(root).table(path, o.names, (names) => {
      named = names;
      passing = names.map(() => new Passing());
      return {
        columns: names.map((_, i) => i),
        row(cells) {
          rows++;
          for (const [i, cell] of cells.entries()) passing[i]?.add(cell);
        },
      };
    });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RunError("run/data", { what: error.what, help: error.help }, { cause: error });
  }
  const unknown = o.without.find((name) => !named.includes(name));
  if (unknown !== undefined) {
    throw new RunError("run/data", {
      what: `${path} has no column ${unknown}: it has ${named.join(", ")}`,
      help: "Name columns that it has.",
    });
  }
  const columns: Column[] = [];
  const left: { name: string; why: string }[] = [];
  const notes =
    named.some((name, i) => amountIn(name) !== null && name !== String(i)) && o.names === null ? [noNames] : [];
  for (const [i, name] of named.entries()) {
    if (o.without.includes(name)) continue;
    const found = nameless(name, named) ?? (passing[i] as Passing).described(name);
    if (typeof found === "string") left.push({ name: name || `column ${i + 1}`, why: found });
    else columns.push(found);
    const note = (passing[i] as Passing).note(name);
    if (note !== null) notes.push(note);
  }
  return { rows, columns, left, notes };
}

const noNames = "the first line is taken for names, and has numbers: of a file that begins with a row, write --names";

/** Why a column cannot be called by its name; null: it can. */
function nameless(name: string, named: readonly string[]): string | null {
  if (name === "") return "it has no name";
  return named.indexOf(name) === named.lastIndexOf(name) ? null : "another column has its name";
}
