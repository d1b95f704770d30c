/** Probes that go through the images again and again: features of new views in each pass. */

import {
  type Features,
  hasPictures,
  namedParameters,
  type Passes,
  type PassProbe,
  wordsOf,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { initialWeights } from "../train/weights.js";
import {
  type EvaluateOptions,
  type Evaluation,
  type EvaluationRow,
  type FeatureSource,
  type Kind,
  rowOf,
} from "./contract.js";
import { checkedLabels, encoderReader, type FeatureReader, type LabelledBatch, type Selection } from "./features.js";
import type { Trained } from "./frozen.js";
import { pixelReader } from "./plain-values.js";

/** Probes that go through the images again and again, one kind of features after the other. */
export async function judgeInPasses(
  model: Trained,
  probes: readonly Bound<PassProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  const rows: EvaluationRow[] = [];
  let samples = { train: 0, test: 0 };
  for (const probe of probes) {
    for (const kind of kindsFor(probe.definition, options)) {
      const selections = kind.selection ? [kind.selection] : [];
      const reader = await readerOf(kind.source as FeatureSource, model, { ...options, selections });
      try {
        const passes = passesOf(reader, model.program, probe, options);
        const { width } = passes;
        rows.push(
          await rowOf(kind, width, probe, options, (random, tick) =>
            probe.definition.runPasses(probe.values, passes, random, tick),
          ),
        );
        samples = { train: passes.samples, test: passes.seen() };
      } finally {
        await reader.close();
      }
    }
  }
  return { rows, samples };
}

/** Pixels have no tokens, and tokens are of a layer, whatever else is pooled. */
function kindsFor({ sees }: PassProbe, { sources, selections }: EvaluateOptions): readonly Kind[] {
  const ofTokens = selections.map(({ pool: _, ...rest }): Selection => ({ ...rest, pool: "tokens" }));
  const own = sees === "tokens" ? ofTokens.slice(0, 1) : selections;
  return sources.flatMap((source): readonly Kind[] => {
    if (source === "pixels") return sees === "tokens" ? [] : [{ source, selection: null }];
    return own.map((selection) => ({ source, selection }));
  });
}

/** `seen`: test samples of the last pass over them. */
function passesOf(
  reader: FeatureReader,
  { arrays, name }: Trained["program"],
  { definition, values }: Bound<PassProbe>,
  { data, seed }: EvaluateOptions,
): Passes & { readonly seen: () => number } {
  const classes = data.classes.length;
  const { passes } = data;
  if (!Object.values(arrays).some(hasPictures)) {
    throw new RunError("run/data", {
      what: `${definition.name} cuts and mirrors pictures, and ${name} reads ${wordsOf(arrays).sample}s`,
      help: "Judge by a probe of fixed features.",
    });
  }
  if (!passes || classes < 2 || passes.samples < 2) {
    throw new RunError("run/data", {
      what: `${definition.name} needs training samples of two classes or more, in passes over them`,
      help: "Name data with labels.",
    });
  }
  const views = definition.views(values);
  const length = reader.widths[0] as number;
  const tokens = reader.tokens?.[0] ?? 1;
  const width = length / tokens;
  let seen = 0;
  async function* read(batches: AsyncIterable<LabelledBatch>): AsyncGenerator<Features> {
    for await (const batch of batches) {
      const [numbers] = await reader.read(batch);
      invariant(numbers, "a reader reads what it is asked for");
      const labels = checkedLabels(batch, classes);
      const flags = batch.several ? { several: batch.several } : {};
      const one = { values: numbers, labels, ...flags, count: batch.count, width, classes };
      yield definition.sees === "tokens" ? { ...one, tokens } : one;
    }
  }
  return {
    samples: passes.samples,
    classes,
    width,
    tokens,
    seen: () => seen,
    train: (epoch) => read(passes.batches(views, { seed, epoch })),
    async *test() {
      seen = 0;
      for await (const features of read(data.test())) {
        seen += features.count;
        yield features;
      }
    },
  };
}

/** Reads one kind of features. */
export async function readerOf(
  source: FeatureSource,
  model: Trained,
  { executor, selections, batch, seed }: EvaluateOptions,
): Promise<FeatureReader> {
  const { program } = model;
  switch (source) {
    case "pixels":
      return pixelReader(program);
    case "encoder":
      return encoderReader(model, executor, selections, batch);
    case "untrained":
      return encoderReader({ program, weights: untrained(model, seed) }, executor, selections, batch);
  }
}

/** The weights that training begins with: new ones, and those of networks that others have trained, as they are. */
function untrained({ program: { parameters }, weights }: Trained, seed: number): Trained["weights"] {
  const given = [...namedParameters(parameters)].flatMap(([name, one]) =>
    one.given && weights[name] ? [[name, weights[name]] as const] : [],
  );
  return { ...initialWeights(parameters, seed), ...Object.fromEntries(given) };
}
