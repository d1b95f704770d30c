/** Weights that a run starts with because another has trained them: read from its checkpoint, tables brought to another grid. */

import { RunError } from "../run-error.js";
import type { Checkpoint } from "./stored.js";

/** Rows and columns of a grid of patches. */
export interface TableGrid {
  readonly rows: number;
  readonly columns: number;
}

/** A position table [1, extra + rows * columns, D] of one grid, to be one for another; the `extra` rows stay. */
export interface TableResizing {
  readonly from: TableGrid;
  readonly to: TableGrid;
  readonly extra: number;
}

export interface InheritedWeight {
  readonly checkpoint: Pick<Checkpoint, "path" | "program" | "state">;
  /** Its name there. */
  readonly name: string;
  readonly resize?: TableResizing;
}

/**
 * The values of weights by the names of the run that starts. Throws `run/checkpoint-mismatch` when a checkpoint does not
 * have one.
 */
export const inheritedWeights = (
  wanted: ReadonlyMap<string, InheritedWeight>,
): Readonly<Record<string, Float32Array>> =>
  Object.fromEntries([...wanted].map(([name, weight]) => [name, valuesOf(weight)]));

function valuesOf({ checkpoint, name, resize }: InheritedWeight): Float32Array {
  const values = checkpoint.state[name];
  if (values) return resize ? resizeTable(values, resize) : values;
  throw new RunError("run/checkpoint-mismatch", {
    what: `${checkpoint.path} holds another model (${checkpoint.program})`,
    why: `it has no ${name}`,
    help: "Train the earlier stage again, or restore the checkpoint that it was trained to.",
  });
}

/**
 * Interpolates a position table by cubic convolution along columns and rows, as official MAE does before fine-tuning at
 * another resolution: `torch.nn.functional.interpolate` with mode bicubic and align_corners false. Computed in double precision.
 */
function resizeTable(values: Float32Array, { from, to, extra }: TableResizing): Float32Array {
  const width = values.length / (extra + from.rows * from.columns);
  const result = new Float32Array((extra + to.rows * to.columns) * width);
  result.set(values.subarray(0, extra * width));
  const across = taps(from.columns, to.columns);
  const down = taps(from.rows, to.rows);
  for (let row = 0; row < to.rows; row++) {
    for (let column = 0; column < to.columns; column++) {
      const place = (extra + row * to.columns + column) * width;
      for (let d = 0; d < width; d++) {
        let sum = 0;
        for (const [r, rowWeight] of down[row] as Taps) {
          const start = (extra + r * from.columns) * width + d;
          for (const [c, weight] of across[column] as Taps) {
            sum += rowWeight * weight * (values[start + c * width] as number);
          }
        }
        result[place + d] = sum;
      }
    }
  }
  return result;
}

/** Places that are read for one place of the result, and their weights. */
type Taps = readonly (readonly [place: number, weight: number])[];

/** Keys's kernel with the parameter that PyTorch has. */
const sharpness = -0.75;

function kernel(distance: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return (sharpness + 2) * x ** 3 - (sharpness + 3) * x ** 2 + 1;
  return x < 2 ? sharpness * (x ** 3 - 5 * x ** 2 + 8 * x - 4) : 0;
}

/** Four taps for each place of a side; beyond its ends the last place stands. */
const taps = (from: number, to: number): readonly Taps[] =>
  Array.from({ length: to }, (_, i) => {
    const centre = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - 1;
    return [0, 1, 2, 3].map((k) => {
      const place = Math.min(from - 1, Math.max(0, first + k));
      return [place, kernel(centre - (first + k))] as const;
    });
  });
