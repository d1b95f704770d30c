/** Rows of cells as lines of text. */

/**
 * A line for each row, its cells below those of the other rows and two spaces apart: words from the left, numbers from the right.
 *
 * `isWords`: whether a column, counted from 0, holds words.
 */
export function inColumns(
  rows: readonly (readonly string[])[],
  isWords: (column: number) => boolean,
): readonly string[] {
  const most = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: most }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const padded = (cell: string, i: number): string =>
    isWords(i) ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number);
  return rows.map((row) => row.map(padded).join("  ").trimEnd());
}

/** Rows under a head, without the columns of which nothing is known. */
export function filledColumns(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const isFilled = (column: number): boolean => rows.slice(1).some((row) => row[column] !== "");
  return rows.map((row) => row.filter((_, column) => isFilled(column)));
}
