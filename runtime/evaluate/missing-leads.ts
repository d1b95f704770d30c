/** Test signals of which some leads are missing: zeros stand for them, in every part of a record for the same ones. */

import { arrayLength, type ModelProgram } from "../../blocks/index.js";
import { randomStream, shuffled } from "../../graph/index.js";
import type { Views } from "../data/batches.js";
import type { LabelledBatch } from "./features.js";

/** The same batches without a share of the leads of each sample, drawn by the seed and the sample's number; 0: the same. */
export async function* withMissingLeads(
  batches: AsyncIterable<LabelledBatch>,
  { arrays }: Pick<ModelProgram, "arrays">,
  { views, missing, seed }: { readonly views: Views; readonly missing: number; readonly seed: number },
): AsyncGenerator<LabelledBatch> {
  const signals = Object.entries(arrays).filter(([, { axes }]) => axes[0]?.name === "lead");
  const each = views.clips * views.crops;
  let before = 0;
  for await (const batch of batches) {
    if (missing > 0) {
      for (let row = 0; row < batch.count; row++) {
        const sample = Math.floor((before + row) / each);
        for (const [name, shape] of signals) {
          const leads = shape.axes[0]?.size ?? 0;
          const length = arrayLength(shape);
          const chosen = shuffled(leads, randomStream(seed, "probe", sample, leads));
          for (const lead of chosen.subarray(0, Math.round(leads * missing))) {
            const begin = row * length + (lead * length) / leads;
            batch.arrays[name]?.fill(0, begin, begin + length / leads);
          }
        }
      }
      before += batch.count;
    }
    yield batch;
  }
}
