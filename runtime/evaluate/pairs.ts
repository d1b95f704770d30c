/** What encoders make of two inputs of each test sample, for probes that compare them. */

import { type Features, type ModelProgram, type PairProbe, pairedOutputs } from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { type EvaluateOptions, type Evaluation, type EvaluationRow, rowOf } from "./contract.js";
import { collectFeatures, type LabelledBatch, type Selection } from "./features.js";
import type { Trained } from "./frozen.js";
import { readerOf } from "./passes.js";

/** Judges pairs of inputs by each probe, of the trained encoder and of an untrained one. */
export async function judgePairs(
  model: Trained,
  probes: readonly Bound<PairProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  const rows: EvaluationRow[] = [];
  let count = 0;
  for (const probe of probes) {
    const { definition, values } = probe;
    const names = (definition.between(values) ?? pairedOutputs(model.program)) as readonly [string, string] | null;
    if (names === null) throw withoutPairs(model.program);
    for (const source of options.sources) {
      if (source === "pixels") continue;
      const selections = names.map((of): Selection => ({ of, pool: "mean", layer: "last" }));
      const reader = await readerOf(source, model, { ...options, selections });
      try {
        const shown = firstOf(options.data.test(), definition.samples(values));
        const [[first, second] = []] = await collectFeatures([reader], shown, null);
        const [a, b] = [first, second] as [Features, Features];
        if (a.count < 2) throw tooFew(a.count);
        count = a.count;
        const kind = { source, selection: { pool: "mean", layer: "last" } } as const;
        rows.push(
          await rowOf(kind, a.width, probe, options, (_, tick) =>
            definition.judgePairs(values, { names, first: a, second: b }, tick),
          ),
        );
      } finally {
        await reader.close();
      }
    }
  }
  return { rows, samples: { train: 0, test: count } };
}

/** Batches of at most so many samples. */
async function* firstOf(batches: AsyncIterable<LabelledBatch>, most: number): AsyncGenerator<LabelledBatch> {
  let left = most;
  for await (const batch of batches) {
    const count = Math.min(left, batch.count);
    yield { ...batch, count };
    left -= count;
    if (left === 0) return;
  }
}

const withoutPairs = ({ name, encodings = {} }: ModelProgram): RunError =>
  new RunError("run/features", {
    what: `${name} makes nothing of two inputs each by itself`,
    help: `Name two outputs in \`between\`: it has ${Object.keys(encodings).join(", ") || "none"}.`,
  });

const tooFew = (count: number): RunError =>
  new RunError("run/data", {
    what: `There are ${count} test samples, among which nothing can be found`,
    help: "Name a test split, or hold some samples out.",
  });
