/** How far a model's reconstructions are from samples that it was not trained on. */

import type { Training } from "../train/contract.js";
import { coloursOf } from "./colours.js";
import type { EvaluateOptions } from "./contract.js";
import type { Trained } from "./frozen.js";
import { openReconstructor, shownBy } from "./reconstruct.js";
import { meanErrors, type ReconstructionErrors, type Shown } from "./reconstruction.js";

export interface MeasuredErrors {
  /** Samples looked at. */
  readonly samples: number;
  /** Of each prediction that can be shown, by the name of its target; of a model of one array one. */
  readonly errors: readonly (ReconstructionErrors & Pick<Shown, "name" | "array">)[];
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
  if (shownBy(program).length === 0) return null;
  const colours = coloursOf(augment, program.arrays);
  const reconstructor = await openReconstructor(model, batch, { executor, colours, seed });
  const found = shownBy(program).map(({ name, array }) => ({ name, array, errors: [] as ReconstructionErrors[] }));
  let samples = 0;
  try {
    for await (const { arrays, count } of data.test()) {
      const drawn = Int32Array.from({ length: batch }, (_, i) => samples + i);
      for (const [k, { reconstructions }] of (await reconstructor.run(arrays, drawn)).entries()) {
        found[k]?.errors.push(...reconstructions.slice(0, count).map((one) => one.errors));
      }
      samples += count;
      report?.({ stage: "reconstruction", done: samples, total: null });
    }
  } finally {
    await reconstructor.close();
  }
  return { samples, errors: found.map(({ errors, ...names }) => ({ ...names, ...meanErrors(errors) })) };
}
