/** Rows of tables with what a model wrote in the columns that it did not see, and how near that is, in words. */

import type { Column } from "../../blocks/index.js";
import type { FillErrors, FilledRow } from "../../runtime/index.js";
import { shortNumber } from "../words/progress.js";
import { type Colors, count, grouped, percent } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";
import { type Drawable, type PictureOptions, shownBatch, shownSamples } from "./pictures.js";

export const isTable = ({ arrays }: Drawable["program"]): boolean =>
  Object.values(arrays).some(({ table }) => table !== undefined);

/** Columns of which fewer values were hidden tell nothing: a mask that the model decides may leave some nearly always visible. */
const fewestValues = 10;

/** Of all columns together: numbers by their share of what their means leave, categories by the share that is right. */
export function sayFilled({ samples, columns }: FillErrors): string {
  const hidden = columns.reduce((sum, { values }) => sum + values, 0);
  const mean = (parts: readonly { readonly model: number; readonly plain: number }[], part: "model" | "plain") =>
    parts.reduce((sum, one) => sum + one[part], 0) / parts.length;
  const judged = columns.filter(({ values }) => values >= fewestValues);
  const left = judged.flatMap(({ rmse }) => (rmse && rmse.plain > 0 ? [rmse.model ** 2 / rmse.plain ** 2] : []));
  const shares = judged.flatMap(({ accuracy }) => accuracy ?? []);
  const numbers = `of numbers ${percent(left.reduce((sum, one) => sum + one, 0) / left.length)} of the variance is left`;
  const categories = `of categories ${percent(mean(shares, "model"))} are right, by the commonest ${percent(mean(shares, "plain"))}`;
  const said = [...(left.length > 0 ? [numbers] : []), ...(shares.length > 0 ? [categories] : [])];
  return `${grouped(hidden)} hidden values of ${count(samples, "row")}${said.length > 0 ? `: ${said.join("; ")}` : ", too few to tell"}`;
}

export interface ShownRows {
  readonly columns: readonly Column[];
  readonly rows: readonly FilledRow[];
}

/** Rows that are spread evenly over the data, filled; null: the model predicts no columns. */
export async function filledRows(run: Drawable, options: Omit<PictureOptions, "path">): Promise<ShownRows | null> {
  const { program, weights } = run;
  if (!isTable(program)) return null;
  const { openRowFiller } = await import("../../runtime/index.js");
  const index = await shownSamples(run, options);
  const filler = await openRowFiller({ program, weights }, index.length, options);
  if (!filler) return null;
  try {
    const { arrays, samples } = await shownBatch(index, run, options);
    return { columns: filler.columns, rows: await filler.run(arrays, samples) };
  } finally {
    await filler.close();
  }
}

/** How well such rows are filled; null: the model predicts no columns. */
export async function fillingOf(run: Drawable, options: Omit<PictureOptions, "path">): Promise<FillErrors | null> {
  const shown = await filledRows(run, options);
  if (!shown) return null;
  const { errorsOfRows } = await import("../../runtime/index.js");
  return errorsOfRows(shown.columns, shown.rows);
}

/** Single precision has so many deviations between two numbers near the mean. */
const finest = 1e-6;

function written(value: number, column: Column): string {
  if (column.kind === "category") return visibleText(column.categories[value] ?? String(value));
  return shortNumber(Math.abs(value) < finest * column.deviation ? 0 : value);
}

/** Each row as a table: of each column what it holds, and what the model wrote where it did not see that. */
export function rowsWithGuesses({ columns, rows }: ShownRows, colors: Colors): string {
  const width = Math.max(...columns.map(({ name }) => visibleText(name).length));
  const blocks = rows.map(({ values, guesses }, i) => {
    const lines = columns.map((column, k) => {
      const [value, guess] = [values[k] ?? null, guesses[k] ?? null];
      const name = visibleText(column.name).padEnd(width);
      const truth = value === null ? colors.dim("missing") : written(value, column);
      if (guess === null) return `   ${name}  ${truth}`;
      const said = written(guess, column);
      const isRight = column.kind === "category" && guess === value;
      return `   ${name}  ${colors.dim("hidden")} ${truth}  ${colors.bold("model")} ${isRight ? colors.green(`${said} ✓`) : said}`;
    });
    return [`${i + 1}`, ...lines].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}
