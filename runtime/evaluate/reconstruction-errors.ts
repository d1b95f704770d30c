/** How far a model's reconstructions are from samples that it was not trained on. */

import { arrayOf, augmentsOf } from "../../blocks/index.js";
import type { Training } from "../train/contract.js";
import { colourScale } from "./colours.js";
import type { EvaluateOptions } from "./evaluate.js";
import type { Trained } from "./frozen.js";
import { meanErrors, openReconstructor, type ReconstructionErrors } from "./reconstruct.js";

export interface MeasuredErrors extends ReconstructionErrors {
  /** Samples looked at. */
  readonly samples: number;
}

/**
 * Reconstructs the test samples, each under a mask of its own, and averages the errors of their hidden pixels; null for a model
 * whose prediction cannot be shown as pixels. Throws what reading data throws.
 */
export async function reconstructionErrors(
  model: Trained,
  augment: Training["augment"],
  { data, batch, executor, seed, report }: Pick<EvaluateOptions, "data" | "batch" | "executor" | "seed" | "report">,
): Promise<MeasuredErrors | null> {
  const { program } = model;
  if (program.picture === undefined) return null;
  const array = arrayOf(program);
  const colours = colourScale(augmentsOf(augment, array.name, program.arrays), array.shape);
  const reconstructor = await openReconstructor(model, batch, { executor, colours, seed });
  const errors: ReconstructionErrors[] = [];
  try {
    for await (const { arrays, count } of data.test()) {
      const samples = Int32Array.from({ length: batch }, (_, i) => errors.length + i);
      const reconstructions = await reconstructor.run(arrays[array.name] as Float32Array, samples);
      errors.push(...reconstructions.slice(0, count).map((one) => one.errors));
      report?.({ stage: "reconstruction", done: errors.length, total: null });
    }
  } finally {
    await reconstructor.close();
  }
  return { samples: errors.length, ...meanErrors(errors) };
}
