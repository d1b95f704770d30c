/** What a table of comma-separated values says of files: their labels, or the files of their maps. */

import { DataError } from "./contract.js";

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

/**
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
  const [header = "", ...lines] = new TextDecoder().decode(bytes).split(/\r?\n/);
  const names = (cellsOf(header.trim()) ?? []).map((name) => name.trim());
  const [pathAt, labelAt] = [names.indexOf("path"), names.indexOf(column)];
  if (pathAt < 0 || labelAt < 0) {
    throw new DataError(
      `${file} does not begin with a line that names the columns path and ${column}`,
      `Write the line path,${column}, then one line a file.`,
    );
  }
  const labels = new Map<string, string>();
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const cells = cellsOf(line) ?? [];
    const [path, label] = [cells[pathAt], cells[labelAt]];
    if (path === undefined || label === undefined || (label === "" && !mayLack) || cells.length !== names.length) {
      throw new DataError(
        `${file} line ${i + 2} is not ${whatOf(names, column)}: ${beginning(line)}`,
        "Quote a cell that has a comma.",
      );
    }
    if (labels.has(path)) throw new DataError(`${file} line ${i + 2} names ${path} again`, "Keep one line a file.");
    labels.set(path, label);
  }
  return labels;
}

/** What a line of a table holds, in words. */
const whatOf = (names: readonly string[], column: string): string =>
  names.length === 2 ? `a path and a ${column}` : `${names.length} cells with a path and a ${column}`;
