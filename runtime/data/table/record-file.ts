/** One signal from a table as the array that a model reads: a row for each time, a column for each lead. */

import { type ArrayShape, counted, grouped } from "../../../blocks/index.js";
import { RunError } from "../../run-error.js";
import { readTable, type Table } from "./csv.js";

/** [leads, samples, 1]. Throws `BrokenFile`, `run/channels`, `run/array-size` or `run/unreadable`. */
export async function recordArray(path: string, array: ArrayShape): Promise<Float32Array> {
  const table = await readTable(path);
  checkDeclared(path, table, array);
  const { rows, columns, values } = table;
  const numbers = new Float32Array(values.length);
  for (let lead = 0; lead < columns; lead++) {
    for (let t = 0; t < rows; t++) numbers[lead * rows + t] = values[t * columns + lead] as number;
  }
  return numbers;
}

function checkDeclared(path: string, { rows, columns, names }: Table, { axes, channels }: ArrayShape): void {
  const [leads, samples] = axes.map(({ size }) => size) as [number, number];
  if (channels !== 1) {
    throw new RunError("run/channels", {
      what: `${path} has one value for each lead and time, and the model declares ${channels} channels`,
      help: 'Save signals with channels as arrays [N, leads, samples, channels] and write `npy("...")`.',
    });
  }
  if (columns !== leads) {
    const first = names?.[0] === undefined ? "" : `; the first is \`${names[0]}\``;
    const turned = columns === samples && rows === leads;
    throw new RunError("run/array-size", {
      what: `${path} has ${counted(columns, "column")} and the model declares ${counted(leads, "lead")}${first}`,
      help: turned
        ? "Save the table turned round: a row for each time, a column for each lead."
        : `Leave out columns that are no leads, such as the time, or write \`leads: ${columns}\` in the model's input.`,
    });
  }
  if (rows !== samples) {
    throw new RunError("run/array-size", {
      what: `${path} has ${counted(rows, "row")} of values and the model declares ${grouped(samples)} samples`,
      help: `Cut the files into records of ${samples} rows, or write \`samples: ${rows}\` in the model's input.`,
    });
  }
}
