/** What tables of comma-separated values say of files: their labels, the files of their maps, and frames of videos that are anomalous. */

import { DataError, type FrameSpan } from "./contract.js";

const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(?:,|$)/gy;

/** The cells of a line of comma-separated values; null when a quote is left open or stands inside a cell. */
export function cellsOf(line: string): readonly string[] | null {
  if (!line.includes('"')) return line.split(",");
  const cells: string[] = [];
  let end = 0;
  for (const match of line.matchAll(cell)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    end = match.index + match[0].length;
    if (end === line.length && !match[0].endsWith(",")) return cells;
  }
  return null;
}

const shown = 80;
const beginning = (line: string): string => (line.length > shown ? `${line.slice(0, shown)}...` : line);

interface Row {
  /** As people count lines. */
  readonly line: number;
  /** Of the columns that were asked for, in their order. */
  readonly cells: readonly string[];
}

/** The rows of a table whose first line names its columns; others than those that are asked for are not read. `mayLack`: whether cells may be empty. Throws `DataError` with the line that cannot be read. */
function rowsOf(bytes: Uint8Array, file: string, columns: readonly string[], mayLack = false): readonly Row[] {
  const [header = "", ...lines] = new TextDecoder().decode(bytes).split(/\r?\n/);
  const names = (cellsOf(header.trim()) ?? []).map((name) => name.trim());
  const places = columns.map((name) => names.indexOf(name));
  if (places.some((place) => place < 0)) {
    throw new DataError(
      `${file} does not begin with a line that names the columns ${listed(columns)}`,
      `Write the line ${columns.join(",")}, then one line a ${columns.length === 2 ? "file" : "stretch"}.`,
    );
  }
  return lines.flatMap((line, i) => {
    if (line.trim() === "") return [];
    const cells = cellsOf(line) ?? [];
    const own = places.map((place) => cells[place]);
    if (own.every((one) => one !== undefined && (one !== "" || mayLack)) && cells.length === names.length)
      return [{ line: i + 2, cells: own as string[] }];
    throw new DataError(
      `${file} line ${i + 2} is not ${whatOf(names, columns)}: ${beginning(line)}`,
      "Quote a cell that has a comma.",
    );
  });
}

/**
 * Label by path, or the cell of another column. The first line names the columns, `path` and that one among them; others are not read. Cells
 * with a comma or quote are quoted as in RFC 4180. `mayLack`: whether a cell may be without a label.
 * Throws `DataError` with the line that cannot be read.
 */
export function readLabelFile(
  bytes: Uint8Array,
  file: string,
  mayLack = false,
  column: "label" | "map" = "label",
): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const { line, cells } of rowsOf(bytes, file, ["path", column], mayLack)) {
    const [path, label] = cells as [string, string];
    if (labels.has(path)) throw new DataError(`${file} line ${line} names ${path} again`, "Keep one line a file.");
    labels.set(path, label);
  }
  return labels;
}

/** Frames of videos that are anomalous, by path: the columns `path`, `first` and `last`, a line for each stretch. Throws as `readLabelFile`. */
export function readAnomalyFile(bytes: Uint8Array, file: string): ReadonlyMap<string, readonly FrameSpan[]> {
  const found = new Map<string, readonly FrameSpan[]>();
  for (const { line, cells } of rowsOf(bytes, file, ["path", "first", "last"])) {
    const [path = "", ...ends] = cells;
    const [first, last] = ends.map(Number) as [number, number];
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 1 || last < first) {
      throw new DataError(
        `${file} line ${line} has frames ${ends.join(" to ")}`,
        "Count frames from 1, the first of a stretch before its last.",
      );
    }
    found.set(path, [...(found.get(path) ?? []), { first, last }]);
  }
  return found;
}

const listed = (names: readonly string[]): string => `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** What a line of a table holds, in words. */
const whatOf = (names: readonly string[], columns: readonly string[]): string => {
  const asked = listed(columns.map((name) => `a ${name}`));
  return names.length === columns.length ? asked : `${names.length} cells with ${asked}`;
};
