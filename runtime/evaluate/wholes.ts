/** What a model says of each place of whole test samples, by windows of its input that slide over them. */

import { arrayInputs, arrayOf, type Probe, predictOf, type Sliding, slidingOf } from "../../blocks/index.js";
import { invariant, sizeOf } from "../../graph/index.js";
import type { FieldArray } from "../data/preparation.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import type { EvaluateOptions } from "./contract.js";
import { openFrozen, type Trained } from "./frozen.js";
import { type PlaceSaid, sayWhole } from "./sliding.js";

/** Windows computed at once. */
const atOnce = 8;

/** Probes whose windows lie alike, of which what is said is computed once. */
export function bySliding<P extends Probe>(probes: readonly Bound<P>[]) {
  const groups = new Map<string, { readonly sliding: Sliding | null; readonly probes: Bound<P>[] }>();
  for (const probe of probes) {
    const sliding = slidingOf(probe);
    const key = JSON.stringify(sliding);
    const group = groups.get(key) ?? { sliding, probes: [] };
    group.probes.push(probe);
    groups.set(key, group);
  }
  return [...groups.values()];
}

export interface SaidOfWhole {
  readonly sides: readonly number[];
  /** What it is judged by. */
  readonly there: FieldArray;
  /** Tells of each of its places what is said of it, once. */
  readonly tell: (each: PlaceSaid) => Promise<void>;
}

/** `field`: what samples are judged by. */
export async function* saidOfWholes(
  model: Trained,
  sliding: Sliding,
  field: string,
  { data, executor }: Pick<EvaluateOptions, "data" | "executor">,
): AsyncGenerator<SaidOfWhole> {
  const { program } = model;
  const wholes = data.wholes?.(sliding.pictures);
  if (!wholes) {
    throw new RunError("run/features", {
      what: "Windows lie over whole samples, and parts of them alone are there",
      help: "Leave `overlap` out.",
    });
  }
  const { name, shape: declared } = arrayOf(program);
  const window = declared.axes.map(({ size }) => size);
  const { channels } = declared;
  const frozen = await openFrozen(model, executor, atOnce, (g, w) => ({
    said: predictOf(program)(g, w, arrayInputs(g, program)),
  }));
  const width = sizeOf(frozen.shapes.said as readonly number[]) / atOnce / sizeOf(window);
  const say = async (windows: Float32Array): Promise<Float32Array> =>
    (await frozen.run({ [name]: windows })).said as Float32Array;
  try {
    for await (const { shape, numbers, fields } of wholes) {
      const sides = shape.axes.map(({ size }) => size);
      const there = fields[field];
      invariant(there, "samples are judged with their maps");
      const over = { numbers, sides, window, channels, width };
      yield { sides, there, tell: (each) => sayWhole(over, sliding, { atOnce, say, each }) };
    }
  } finally {
    await frozen.close();
  }
}
