/** What a model of tables makes of the columns that its mask hides: the number or category that it would write there. */

import {
  type ArrayShape,
  afterTraining,
  type Column,
  columnGuess,
  type ModelProgram,
  maskedBatch,
  masksOf,
  predictOf,
  tableChannels,
} from "../../blocks/index.js";
import type { BatchArrays } from "../data/batches.js";
import type { Executor } from "../executors/executor.js";
import { movingFeeds, sampleMasks } from "../train/inputs.js";
import type { EvaluateOptions } from "./contract.js";
import { openFrozen, type Trained } from "./frozen.js";
import { decidedPlaces } from "./reconstruct.js";

/** A row of a table, column by column. */
export interface FilledRow {
  /** In the scale of the file, a category by its number; null: it is missing. */
  readonly values: readonly (number | null)[];
  /** What the model would write where it does not see the value; null: it sees it. */
  readonly guesses: readonly (number | null)[];
}

export interface RowFiller {
  readonly columns: readonly Column[];
  /** arrays [B, ...axes, C] as the model sees them; `samples` [B]: what their masks are drawn by. */
  readonly run: (arrays: BatchArrays, samples: Int32Array) => Promise<readonly FilledRow[]>;
  readonly close: () => Promise<void>;
}

/** The table that a model reads and predicts; null: it predicts none. */
function tableOf({
  arrays,
  masks,
  classes,
}: ModelProgram): { readonly name: string; readonly shape: ArrayShape } | null {
  const [only, another] = Object.entries(arrays);
  if (!only || another || !only[1].table || classes !== undefined) return null;
  return Object.keys(masks).length > 0 ? { name: only[0], shape: only[1] } : null;
}

/** null: the model predicts no columns. */
export async function openRowFiller(
  model: Trained,
  batch: number,
  { executor, seed }: { readonly executor: Executor; readonly seed: number },
): Promise<RowFiller | null> {
  const { program } = model;
  const table = tableOf(program);
  if (!table) return null;
  const { name, shape } = table;
  const columns = shape.table?.columns ?? [];
  const asked = masksOf(program)[0]?.feeds.hidden as string;
  const frozen = await openFrozen(model, executor, batch, (g, w) => {
    const seen = maskedBatch(g, program, w);
    return { said: predictOf(program)(g, w, seen), ...decidedPlaces(program, seen) };
  });
  return {
    columns,
    async run(arrays, samples) {
      const masks = sampleMasks(program, seed, 0, samples, { fields: {} });
      const outputs = await frozen.run({ ...arrays, ...masks, ...movingFeeds(program, afterTraining) });
      const said = outputs.said as Float32Array;
      const [hidden, values] = [(outputs[asked] ?? masks[asked]) as Int32Array, arrays[name] as Float32Array];
      const width = said.length / batch / columns.length;
      return Array.from(samples, (_, i): FilledRow => {
        const own = new Set(hidden.slice((hidden.length / batch) * i, (hidden.length / batch) * (i + 1)));
        const at = (column: number, channel: keyof typeof tableChannels): number =>
          values[(i * columns.length + column) * shape.channels + tableChannels[channel]] as number;
        return {
          values: columns.map((column, k) => (at(k, "known") === 1 ? inFile(at(k, "value"), column) : null)),
          guesses: columns.map((column, k) => {
            if (!own.has(k)) return null;
            const begin = (i * columns.length + k) * width;
            return inFile(columnGuess(shape, k, said.subarray(begin, begin + width)), column);
          }),
        };
      });
    },
    close: frozen.close,
  };
}

/** A value that a model reads or predicts, in the scale of the file. */
const inFile = (value: number, column: Column): number =>
  column.kind === "number" ? value * column.deviation + column.mean : value;

/** What a model reaches, and what whoever knows nothing of a row does. */
interface Compared {
  readonly model: number;
  readonly plain: number;
}

/** How well a column is filled. */
export interface ColumnErrors {
  readonly name: string;
  /** How often its value was hidden and is known. */
  readonly values: number;
  /** Of numbers, root mean squared errors in the scale of the file; `plain`: of whoever writes their mean. null: it has categories. */
  readonly rmse: Compared | null;
  /** Of categories the share that is right; `plain`: of whoever writes the commonest. null: it has numbers. */
  readonly accuracy: Compared | null;
}

export interface FillErrors {
  /** Rows looked at. */
  readonly samples: number;
  readonly columns: readonly ColumnErrors[];
}

export function errorsOfRows(columns: readonly Column[], rows: readonly FilledRow[]): FillErrors {
  return {
    samples: rows.length,
    columns: columns.map((column, k) => {
      const pairs = rows.flatMap(({ values, guesses }): readonly (readonly [number, number])[] => {
        const [value, guess] = [values[k] ?? null, guesses[k] ?? null];
        return value === null || guess === null ? [] : [[value, guess]];
      });
      const own = { name: column.name, values: pairs.length };
      return column.kind === "number"
        ? { ...own, rmse: rootMeanSquares(pairs), accuracy: null }
        : { ...own, rmse: null, accuracy: sharesRight(pairs) };
    }),
  };
}

type Pairs = readonly (readonly [value: number, guess: number])[];

const meanOf = (pairs: Pairs, part: (pair: Pairs[number]) => number): number =>
  pairs.reduce((sum, pair) => sum + part(pair), 0) / Math.max(1, pairs.length);

function rootMeanSquares(pairs: Pairs): Compared {
  const mean = meanOf(pairs, ([value]) => value);
  return {
    model: Math.sqrt(meanOf(pairs, ([value, guess]) => (value - guess) ** 2)),
    plain: Math.sqrt(meanOf(pairs, ([value]) => (value - mean) ** 2)),
  };
}

function sharesRight(pairs: Pairs): Compared {
  const counts = new Map<number, number>();
  for (const [value] of pairs) counts.set(value, (counts.get(value) ?? 0) + 1);
  return {
    model: meanOf(pairs, ([value, guess]) => (value === guess ? 1 : 0)),
    plain: Math.max(0, ...counts.values()) / Math.max(1, pairs.length),
  };
}

/** Has the model fill hidden columns of the test rows, each under a mask of its own; null for a model that predicts none. Throws what reading data throws. */
export async function fillErrors(
  model: Trained,
  { data, batch, executor, seed, report }: Pick<EvaluateOptions, "data" | "batch" | "executor" | "seed" | "report">,
): Promise<FillErrors | null> {
  const filler = await openRowFiller(model, batch, { executor, seed });
  if (!filler) return null;
  const rows: FilledRow[] = [];
  try {
    for await (const { arrays, count } of data.test()) {
      const drawn = Int32Array.from({ length: batch }, (_, i) => rows.length + i);
      rows.push(...(await filler.run(arrays, drawn)).slice(0, count));
      report?.({ stage: "hidden columns", done: rows.length, total: null });
    }
  } finally {
    await filler.close();
  }
  return errorsOfRows(filler.columns, rows);
}
