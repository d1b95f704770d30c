/** Labels of files in a table of comma-separated values. */

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
 * Label by path. The first line is `path,label`; cells with a comma or quote are quoted as in RFC 4180.
 * Throws `DataError` with the line that cannot be read.
 */
export function readLabelFile(bytes: Uint8Array, file: string): ReadonlyMap<string, string> {
  const [header, ...lines] = new TextDecoder().decode(bytes).split(/\r?\n/);
  if (header?.trim() !== "path,label") {
    throw new DataError(`${file} does not begin with the line path,label`, "Write that line, then one line a file.");
  }
  const labels = new Map<string, string>();
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const [path, label, ...more] = cellsOf(line) ?? [];
    if (path === undefined || label === undefined || label === "" || more.length > 0) {
      throw new DataError(
        `${file} line ${i + 2} is not a path and a label: ${beginning(line)}`,
        "Quote a cell that has a comma.",
      );
    }
    if (labels.has(path)) throw new DataError(`${file} line ${i + 2} names ${path} again`, "Keep one line a file.");
    labels.set(path, label);
  }
  return labels;
}
